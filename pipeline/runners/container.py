"""The process in a step's container: TFX's entry point, for object stores that TFX cannot reach.

Kubeflow Pipelines names artifacts ``minio://…`` or ``s3://…`` where the cluster has such a store.
TFX opens URIs itself and knows neither. Kubeflow's launcher, which starts this process, copies each
artifact to and from a local folder, ``/minio/…`` or ``/s3/…`` (backend/src/v2/component/
launcher_v2.go, LocalPathForURI): TFX is given those folders. ``gs://…`` TFX opens itself.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

COMMAND = ("python", "-m", "pipeline.runners.container")
_FLAG = "--json_serialized_invocation_args"
_LOCAL = {"minio://": "/minio/", "s3://": "/s3/"}


def local(uri: str) -> str:
    """The folder of an artifact: ``minio://bucket/a`` is ``/minio/bucket/a``."""
    for scheme, folder in _LOCAL.items():
        if uri.startswith(scheme):
            return folder + uri.removeprefix(scheme)
    return uri


def remote(path: str) -> str:
    """The URI of an artifact's folder; the inverse of `local`."""
    for scheme, folder in _LOCAL.items():
        if path.startswith(folder):
            return scheme + path.removeprefix(folder)
    return path


def translated(message: Any, translate: Callable[[str], str]) -> Any:
    """An ExecutorInput or ExecutorOutput as JSON, with the URI of every artifact translated."""
    if isinstance(message, dict):
        return {
            key: translate(value)
            if key == "uri" and isinstance(value, str)
            else translated(value, translate)
            for key, value in message.items()
        }
    if isinstance(message, list):
        return [translated(one, translate) for one in message]
    return message


def main(argv: list[str]) -> None:
    """Runs the executor that the arguments name, as TFX's own entry point does; exits."""
    from absl import app
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as standard

    from components import read_files

    place = argv.index(_FLAG) + 1
    given = json.loads(argv[place])
    arguments = [*argv[:place], json.dumps(translated(given, local)), *argv[place + 1 :]]

    def run(parsed: Any) -> None:
        with read_files.dealt_out():
            standard.main(parsed)
        _translate_file(given["outputs"]["outputFile"])

    app.run(run, argv=arguments, flags_parser=standard._parse_flags)


def _translate_file(path: str) -> None:
    from tfx.dsl.io import fileio

    with fileio.open(path, "r") as stream:
        told = json.load(stream)
    with fileio.open(path, "w") as stream:
        stream.write(json.dumps(translated(told, remote)))


if __name__ == "__main__":
    main(sys.argv)
