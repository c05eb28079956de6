"""Kubernetes manifests, one kind a file, without a namespace: `kubectl apply -n … -f kubernetes/`.

How no request is lost when replicas change (TensorFlow Serving does not heed SIGTERM):

1. A new replica gets requests when a version is AVAILABLE, warm-up included; an old one goes after.
2. A replica that has to go is first taken out of the Service and lives on for `_DRAIN_SECONDS`.
3. By then every gRPC connection was closed in good order, since none grows older than
   `_CONNECTION_SECONDS` (which also spreads clients over new replicas).
4. The processes of a replica share their namespace, so the server is not process 1, which would
   ignore SIGTERM and sit out the whole period of grace.
"""

import hashlib
from typing import Any

from serving.deploy import configs, probe, yaml_text
from serving.deploy.deployment import GRPC_PORT, PROGRAM, REST_PORT, USER, Deployment

FOLDER = "kubernetes"
_CONNECTION_SECONDS = 30
_DRAIN_SECONDS = 45
_REPLICAS = (2, 10)
_BUSY_PERCENT = 70

Manifest = dict[str, Any]


def files(deployment: Deployment) -> dict[str, str]:
    """Each file's name and text."""
    return {
        "configmap.yaml": yaml_text.dump(config_map(deployment)),
        "deployment.yaml": yaml_text.dump(workload(deployment)),
        "service.yaml": yaml_text.dump(service(deployment), headless_service(deployment)),
        "horizontalpodautoscaler.yaml": yaml_text.dump(autoscaler(deployment)),
        "poddisruptionbudget.yaml": yaml_text.dump(disruption_budget(deployment)),
    }


def config_map(deployment: Deployment) -> Manifest:
    """The three files that the server is started with."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(deployment),
        "data": {
            configs.MODELS: configs.models(deployment.name),
            configs.BATCHING: deployment.batching.text(),
            configs.MONITORING: configs.monitoring(),
        },
    }


def workload(deployment: Deployment) -> Manifest:
    """The Deployment. It says no number of replicas: that is the autoscaler's."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(deployment),
        "spec": {
            "selector": {"matchLabels": _selector(deployment)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "minReadySeconds": 5,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 2 * deployment.start_seconds + 300,
            "template": {
                "metadata": {
                    "labels": _labels(deployment),
                    "annotations": {
                        "prometheus.io/scrape": "true",
                        "prometheus.io/port": str(REST_PORT),
                        "prometheus.io/path": configs.METRICS_PATH,
                        # A change of the configuration replaces the replicas, one by one.
                        "checksum/config": _checksum(config_map(deployment)),
                    },
                },
                "spec": _pod(deployment),
            },
        },
    }


def _pod(deployment: Deployment) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": _DRAIN_SECONDS + 15,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selector(deployment)},
            }
        ],
        "containers": [_container(deployment)],
        "volumes": [
            {"name": "config", "configMap": {"name": deployment.label}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _container(deployment: Deployment) -> Manifest:
    age, grace = 1000 * _CONNECTION_SECONDS, 1000 * (_DRAIN_SECONDS - _CONNECTION_SECONDS - 5)
    channel = f"grpc.max_connection_age_ms={age},grpc.max_connection_age_grace_ms={grace}"
    return {
        "name": "tensorflow-serving",
        "image": deployment.image,
        "imagePullPolicy": "IfNotPresent",
        "command": [PROGRAM],
        "args": deployment.flags((f"--grpc_channel_arguments={channel}",)),
        "ports": [
            {"name": "grpc", "containerPort": GRPC_PORT},
            {"name": "rest", "containerPort": REST_PORT},
        ],
        "resources": {
            "requests": {
                "cpu": str(deployment.cores),
                "memory": f"{deployment.memory_request_mib}Mi",
            },
            "limits": {"memory": f"{deployment.memory_limit_mib}Mi"},
        },
        **_probes(deployment),
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sleep", str(_DRAIN_SECONDS)]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": configs.FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _probes(deployment: Deployment) -> Manifest:
    """Started and ready: a version is AVAILABLE. Alive: the status API answers, in any state."""
    available = {"exec": {"command": probe.command(deployment)}}
    answers = {"httpGet": {"path": probe.status_path(deployment), "port": "rest"}}
    return {
        "startupProbe": {
            **available,
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": deployment.start_seconds // 5,
        },
        "readinessProbe": {
            **available,
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "livenessProbe": {
            **answers,
            "periodSeconds": 10,
            "timeoutSeconds": 10,
            "failureThreshold": 6,
        },
    }


def service(deployment: Deployment) -> Manifest:
    """One address for all replicas."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(deployment),
        "spec": {"type": "ClusterIP", "selector": _selector(deployment), "ports": _ports()},
    }


def headless_service(deployment: Deployment) -> Manifest:
    """The replicas' own addresses, for gRPC clients that spread requests themselves."""
    named = _metadata(deployment)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**named, "name": f"{deployment.label}-replicas"},
        "spec": {"clusterIP": "None", "selector": _selector(deployment), "ports": _ports()},
    }


def _ports() -> list[Manifest]:
    return [
        {
            "name": "grpc",
            "port": GRPC_PORT,
            "targetPort": "grpc",
            "appProtocol": "kubernetes.io/h2c",
        },
        {"name": "rest", "port": REST_PORT, "targetPort": "rest", "appProtocol": "http"},
    ]


def autoscaler(deployment: Deployment) -> Manifest:
    """Adds replicas at once where the cores are busy, takes them away after five quiet minutes."""
    fewest, most = _REPLICAS
    busy = {"type": "Utilization", "averageUtilization": _BUSY_PERCENT}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(deployment),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": deployment.label,
            },
            "minReplicas": fewest,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def disruption_budget(deployment: Deployment) -> Manifest:
    """Whoever empties a machine takes one replica at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(deployment),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _selector(deployment)}},
    }


def _metadata(deployment: Deployment) -> Manifest:
    return {"name": deployment.label, "labels": _labels(deployment)}


def _selector(deployment: Deployment) -> dict[str, str]:
    return {"app.kubernetes.io/name": deployment.label}


def _labels(deployment: Deployment) -> dict[str, str]:
    return {
        **_selector(deployment),
        "app.kubernetes.io/component": "model-server",
        "app.kubernetes.io/version": str(deployment.model.version),
    }


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256(yaml_text.dump(manifest).encode()).hexdigest()
