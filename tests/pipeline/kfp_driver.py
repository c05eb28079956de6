"""A compiled spec's steps as processes, given what Kubeflow's driver and launcher give them.

After kubeflow/pipelines, backend/src/v2: driver/ makes the ExecutorInput (inputs from constants,
parameters of the run and outputs of earlier tasks, named by their id; a URI for each output),
component/launcher_v2.go puts its JSON in place of ``{{$}}``, starts the command, and merges what
the step wrote about its outputs. Resolvers it refuses, and so does this one.
"""

import copy
import itertools
import json
import subprocess
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Artifacts = dict[str, dict[str, Any]]  # output's key ▶ RuntimeArtifact


class StepFailed(AssertionError):
    """A step's process ended with an error; holds the end of what it said."""


@dataclass
class Cluster:
    """A place where steps run.

    Attributes:
        root: the pipeline root, a folder.
        environment: of the processes; its PATH has the image's `python`.
        cwd: their working directory.
        outputs: of the tasks that have ended.
    """

    root: Path
    environment: dict[str, str]
    cwd: Path
    outputs: dict[str, Artifacts] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def run(
        self, spec_file: Path, only: Collection[str] | None = None, **arguments: Any
    ) -> dict[str, Artifacts]:
        """The steps of a spec in topological order.

        Args:
            spec_file: what `rawbert compile` wrote.
            only: these tasks; the others' outputs are taken from the run before, as from a cache.
            arguments: the run's parameters.
        """
        spec = yaml.safe_load(spec_file.read_text())
        declared = spec["root"]["inputDefinitions"]["parameters"]
        assert set(arguments) <= set(declared)
        given = {
            name: one["defaultValue"] for name, one in declared.items() if name not in arguments
        }
        tasks = spec["root"]["dag"]["tasks"]
        for name in in_order(tasks):
            if only is not None and name not in only:
                continue
            self._run_task(spec, name, tasks[name], {**given, **arguments})
        return self.outputs

    def _run_task(self, spec: Any, name: str, task: Any, arguments: dict[str, Any]) -> None:
        component = spec["components"][task["componentRef"]["name"]]
        executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
        assert set(executor) == {"container"}, f"{name}: resolver not implemented yet"
        container = executor["container"]
        told = self._executor_input(name, task, component, arguments)
        replaced = [
            one.replace("{{$}}", json.dumps(told))
            for one in [*container["command"], *container["args"]]
        ]
        done = subprocess.run(
            replaced, cwd=self.cwd, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise StepFailed(f"{name}: {done.stdout[-1000:]}{done.stderr[-4000:]}")
        self.outputs[name] = self._collected(told)

    def _executor_input(
        self, name: str, task: Any, component: Any, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        inputs = task.get("inputs", {})
        place = self.root / name / str(next(self._ids))
        return {
            "inputs": {
                "parameterValues": {
                    key: value_of(source, arguments)
                    for key, source in inputs.get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._output_of(source["taskOutputArtifact"])]}
                    for key, source in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [_fresh(place / key, declared)]}
                    for key, declared in component["outputDefinitions"]["artifacts"].items()
                },
                "outputFile": str(place / "output_metadata.json"),
            },
        }

    def _output_of(self, source: dict[str, str]) -> dict[str, Any]:
        return copy.deepcopy(self.outputs[source["producerTask"]][source["outputArtifactKey"]])

    def _collected(self, told: dict[str, Any]) -> Artifacts:
        wrote = json.loads(Path(told["outputs"]["outputFile"]).read_text())["artifacts"]
        found = {}
        for key, listed in told["outputs"]["artifacts"].items():
            [artifact] = listed["artifacts"]
            [written] = wrote[key]["artifacts"]
            metadata = {**artifact["metadata"], **written.get("metadata", {})}
            artifact |= {"uri": written["uri"], "metadata": metadata, "name": str(next(self._ids))}
            found[key] = artifact
        return found


def _fresh(folder: Path, declared: Any) -> dict[str, Any]:
    metadata = declared.get("metadata", {})
    return {"uri": str(folder), "type": declared["artifactType"], "metadata": metadata}


def value_of(source: dict[str, Any], arguments: dict[str, Any]) -> Any:
    """An input parameter: a constant of the spec, or a parameter of the run."""
    if "componentInputParameter" in source:
        return arguments[source["componentInputParameter"]]
    return source["runtimeValue"]["constant"]


def in_order(tasks: dict[str, Any]) -> list[str]:
    """The tasks' names, each after those that it depends on."""
    done: list[str] = []
    while len(done) < len(tasks):
        ready = [
            name
            for name, task in tasks.items()
            if name not in done and set(needed(task)) <= set(done)
        ]
        assert ready, "the tasks wait for each other"
        done += sorted(ready)
    return done


def needed(task: Any) -> list[str]:
    """The tasks whose end or output a task waits for."""
    sources = task.get("inputs", {}).get("artifacts", {}).values()
    return [
        *task.get("dependentTasks", []),
        *(source["taskOutputArtifact"]["producerTask"] for source in sources),
    ]
