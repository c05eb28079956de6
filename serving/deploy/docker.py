"""The image: Dockerfile and .dockerignore, and compose.yaml that runs it.

The image's own entry point is a shell script that starts the server as its child; ours is the
server itself, with every flag said. TensorFlow Serving has no handler for SIGTERM (its issues 356,
1853): as process 1 it would ignore one until it is killed, so Compose puts an init before it.
"""

import json
from typing import Any

from serving.deploy import probe, yaml_text
from serving.deploy.configs import BATCHING, FOLDER, MODELS, MONITORING
from serving.deploy.deployment import GRPC_PORT, PROGRAM, REST_PORT, USER, Deployment

COMPOSE = "compose.yaml"
_CONFIGS = (MODELS, BATCHING, MONITORING)


def dockerfile(deployment: Deployment) -> str:
    """The model and its configuration in TensorFlow Serving's image, run by nobody special."""
    folder = deployment.model_folder
    every = f"--interval=10s --timeout=5s --start-period={deployment.start_seconds}s --retries=3"
    instructions = [
        ("FROM", deployment.base_image),
        ("LABEL", _labels(deployment)),
        ("COPY", json.dumps([*_CONFIGS, f"{FOLDER}/"])),
        ("COPY", json.dumps([f"{folder}/", f"/{folder}/"])),
        ("USER", f"{USER}:{USER}"),
        ("EXPOSE", f"{GRPC_PORT} {REST_PORT}"),
        ("HEALTHCHECK", f"{every} CMD {json.dumps(probe.command(deployment))}"),
        ("ENTRYPOINT", json.dumps([PROGRAM])),
        ("CMD", json.dumps(deployment.flags())),
    ]
    return "\n".join(f"{name} {value}" for name, value in instructions) + "\n"


def _labels(deployment: Deployment) -> str:
    labels = {
        "org.opencontainers.image.title": deployment.name,
        "org.opencontainers.image.version": str(deployment.model.version),
        "org.opencontainers.image.base.name": deployment.base_image,
    }
    return " ".join(f"{key}={json.dumps(value)}" for key, value in labels.items())


def dockerignore(deployment: Deployment) -> str:
    """Nothing but what the Dockerfile copies: older versions in the folder stay out."""
    copied = (*_CONFIGS, deployment.model_folder)
    return "\n".join(["*", *(f"!{name}" for name in copied)]) + "\n"


def compose(deployment: Deployment) -> str:
    """Two services: the built image; under the profile `live`, the folder as a volume."""
    built = {
        "build": {"context": "."},
        "image": deployment.image,
        **_service(deployment),
    }
    live = {
        "profiles": ["live"],
        "image": deployment.base_image,
        "entrypoint": [PROGRAM],
        "command": deployment.flags(),
        "user": f"{USER}:{USER}",
        "volumes": [
            _read_only(f"./models/{deployment.name}", f"/models/{deployment.name}"),
            *(_read_only(f"./{name}", f"{FOLDER}/{name}") for name in _CONFIGS),
        ],
        **_service(deployment),
    }
    return yaml_text.dump(
        {
            "name": deployment.label,
            "services": {deployment.label: built, f"{deployment.label}-live": live},
        }
    )


def _read_only(source: str, target: str) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, "read_only": True}


def _service(deployment: Deployment) -> dict[str, Any]:
    limits = {"cpus": str(deployment.cores), "memory": f"{deployment.memory_limit_mib}M"}
    return {
        "ports": [f"127.0.0.1:{port}:{port}" for port in (GRPC_PORT, REST_PORT)],
        "restart": "unless-stopped",
        "init": True,
        "stop_grace_period": "30s",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "deploy": {"resources": {"limits": limits}},
        "healthcheck": {
            "test": ["CMD", *probe.command(deployment)],
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": f"{deployment.start_seconds}s",
        },
    }
