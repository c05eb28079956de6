"""Asking the status API from inside the container, whose image has bash and no HTTP client.

`GET /v1/models/NAME` is answered 200 in every state of a model (START, LOADING, AVAILABLE,
UNLOADING, END) and 404 where the model was never seen: the status code alone says that the process
answers. So the answer is read: some version must be AVAILABLE, which TensorFlow Serving says after
its warm-up requests have passed.
"""

from serving.deploy.deployment import REST_PORT, Deployment


def status_path(deployment: Deployment) -> str:
    """The status of the model, over REST."""
    return f"/v1/models/{deployment.name}"


def command(deployment: Deployment, port: int = REST_PORT) -> list[str]:
    """Exits 0 if a version of the model is AVAILABLE, with another code otherwise."""
    request = f"GET {status_path(deployment)} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n"
    script = (
        f"exec 3<>/dev/tcp/127.0.0.1/{port} && "
        f"printf '{request}' >&3 && grep -q '\"AVAILABLE\"' <&3"
    )
    return ["/bin/bash", "-c", script]
