"""Which image of TensorFlow Serving a release means.

A release line ("2.12") is pinned to the patch release whose ops the gate checked (`serving/ops`)
and that has an image; a patch release ("2.12.2") is taken as it is.
"""

import re

from serving.deploy.refusal import CannotDeploy

REPOSITORY = "tensorflow/serving"
PATCHES = {
    "2.12": "2.12.1",
    "2.13": "2.13.1",
    "2.14": "2.14.1",
    "2.15": "2.15.1",
    "2.16": "2.16.1",
    "2.17": "2.17.1",
    "2.18": "2.18.0",
    "2.19": "2.19.1",
    "2.20": "2.20.0",
}


def release_of(tf_serving: str) -> str:
    """The patch release: "2.12" is "2.12.1", "2.12.2" stays.

    Raises:
        CannotDeploy: no release, or a line whose image is not known here.
    """
    if re.fullmatch(r"\d+\.\d+\.\d+", tf_serving):
        return tf_serving
    if tf_serving not in PATCHES:
        raise CannotDeploy(
            f'no image of TensorFlow Serving "{tf_serving}" is known',
            f"Known: {', '.join(PATCHES)}; or name a patch release: --tf-serving 2.12.1.",
        )
    return PATCHES[tf_serving]


def image(release: str) -> str:
    """The image of a patch release."""
    return f"{REPOSITORY}:{release}"
