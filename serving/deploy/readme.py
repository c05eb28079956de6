"""The README of a written folder: three commands, what to change, what the probes prove."""

from serving.deploy import configs, kubernetes
from serving.deploy.deployment import GRPC_PORT, REST_PORT, Deployment


def text(deployment: Deployment) -> str:
    """Markdown."""
    sections = (_commands, _cluster, _batching, _change)
    return "\n".join(section(deployment) for section in sections)


def _commands(deployment: Deployment) -> str:
    name, version, release = deployment.name, deployment.model.version, deployment.release
    url = f"http://127.0.0.1:{REST_PORT}/v1/models/{name}:predict"
    ports = " ".join(f"-p 127.0.0.1:{port}:{port}" for port in (GRPC_PORT, REST_PORT))
    return f"""# {name}, version {version}, on TensorFlow Serving {release}

    docker build -t {deployment.image} .
    docker run --rm --init {ports} {deployment.image}
    curl -d '{{"instances": ["A delight."]}}' {url}

Or `docker compose up --build`. `docker compose --profile live up {deployment.label}-live` runs the
stock image with `models/` as a volume: a new version that is moved there in one step
(`mv NUMBER models/{name}/`) is loaded, warmed up and swapped in without a restart.

TensorFlow Serving knows no users: the ports are published on 127.0.0.1; change `ports` in
`compose.yaml` if something in front of them checks who asks.
"""


def _cluster(deployment: Deployment) -> str:
    name, image, folder = deployment.label, deployment.image, kubernetes.FOLDER
    asked, most = deployment.memory_request_mib, deployment.memory_limit_mib
    return f"""## Kubernetes

    docker push {image}
    kubectl apply -n NAMESPACE -f {folder}/
    kubectl port-forward -n NAMESPACE service/{name} {REST_PORT}

The image's name needs your registry: `rawbert deploy … --image REGISTRY/NAME:TAG` writes it
everywhere.

- **Probes.** Started and ready mean that the status API names a version AVAILABLE, which it does
  after the model's warm-up requests; the code 200 alone says only that the process answers, so the
  answer is read. Alive means that it answers. A start may take {deployment.start_seconds} s.
- **Rollout.** No replica goes before a new one is ready. One that goes leaves the Service first,
  closes its gRPC connections in good order, and ends after that.
- **gRPC** keeps one connection to one replica for up to 30 s. Clients that want every request
  spread ask `dns:///{name}-replicas:{GRPC_PORT}` with the policy `round_robin`.
- **Metrics.** `{configs.METRICS_PATH}` on port {REST_PORT}, annotated for Prometheus.
- **Memory.** {asked} MiB asked for (512 + twice the model's files), at most {most} MiB (1024 + four
  times): a rule, not a measurement. Look at `kubectl top pod` under your load.
- **Autoscaling** by the cores' use needs the cluster's metrics server.
"""


def _batching(deployment: Deployment) -> str:
    batching = deployment.batching
    rows, wait = batching.max_batch_size, batching.batch_timeout_micros
    return f"""## Batching

`{configs.BATCHING}`, `rawbert deploy … --batching FILE.json` takes what a benchmark measured:

- up to {rows} texts, which wait at most {wait} µs for company;
- batches at a time: {batching.num_batch_threads}, threads an op: {deployment.threads_an_op}. Where
  one client's latency counts more than many clients' texts/s: `{{"num_batch_threads": 1}}` in
  FILE.json, and every op has all cores;
- with {batching.max_enqueued_batches} batches waiting the answer is UNAVAILABLE (REST: 503);
- {_large_requests(deployment)}
"""


def _large_requests(deployment: Deployment) -> str:
    batching, varying = deployment.batching, deployment.model.varying
    if batching.enable_large_batch_splitting:
        rows = batching.max_execution_batch_size
        return f"{rows} are computed at once: a larger request in parts."
    refused = (
        f"a request of more than {batching.max_batch_size} texts is refused (INVALID_ARGUMENT; "
        "REST: 400):\n  clients cut it."
    )
    why = f" It is not split, since the width of `{varying[0]}` varies from part to part."
    return refused + (why if varying else "")


def _change(deployment: Deployment) -> str:
    folder = kubernetes.FOLDER
    return f"""## What to change

- **The configuration**: `*.config` for the image, `{folder}/configmap.yaml` for the cluster; then
  change `checksum/config` in `{folder}/deployment.yaml`, which replaces the replicas one by one.
- **How many replicas**: `{folder}/horizontalpodautoscaler.yaml`.
- **A new version, cores, name, release, image**: `rawbert deploy` again, into this folder. It
  replaces what it wrote, but no file that you changed: then it asks for `--force`.
"""
