# The image of every step that `rawbert compile` writes:
#     docker build -t REGISTRY/rawbert:TAG . && docker push REGISTRY/rawbert:TAG
# Stack TFX 1.16, from its lock file. For a GPU: --build-arg BASE=<an image with CUDA 12.3,
# cuDNN 8.9, Python 3.10 and pip>.
ARG BASE=python:3.10-slim-bookworm
FROM ${BASE}

RUN pip install --no-cache-dir "uv>=0.5,<1"
COPY constraints/tfx-1.16.txt /tmp/lock.txt
RUN uv pip install --system --no-cache --no-deps --require-hashes -r /tmp/lock.txt && rm /tmp/lock.txt

COPY pyproject.toml setup.py README.md /rawbert/
COPY trainer /rawbert/trainer
COPY components /rawbert/components
COPY pipeline /rawbert/pipeline
COPY serving /rawbert/serving
RUN uv pip install --system --no-cache --no-deps --no-build-isolation /rawbert && rm -r /rawbert

# Clusters run containers as nobody special, with a root file system that may be read-only.
ENV HOME=/tmp RAWBERT_CACHE=/tmp/rawbert PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=1
USER 65532:65532
WORKDIR /tmp

# Data, encoder and vocabulary may be baked in: COPY data /data, then `rawbert compile --map data=/data`.
