"""The components of a recipe's pipeline, run one by one in TFX's InteractiveContext."""

import time
from pathlib import Path

from rich.console import Console
from tfx.dsl.components.base import base_node
from tfx.orchestration import metadata
from tfx.orchestration.experimental.interactive import interactive_context

from pipeline import graph, outcome, run_folder, run_record
from pipeline.check import Inputs
from pipeline.cli.progress_view import ProgressView
from pipeline.inspection import subject
from pipeline.notebook import errors
from pipeline.notebook.quiet import libraries_into
from pipeline.recipe import Recipe
from pipeline.run_record import Component
from pipeline.runners import local
from trainer import progress
from trainer.errors import BadInput


class Session:
    """A pipeline composed as for `rawbert run`, and what its components have left so far.

    Attributes:
        recipe: checked.
        inputs: see `pipeline.check`.
        folder: of the run: artifacts, ML Metadata, logs, the pushed model.
        components: TFX's, by id.
        context: TFX's InteractiveContext, which runs and shows them.
        log: what the libraries say.
    """

    def __init__(self, recipe: Recipe, inputs: Inputs, folder: Path, log: Path) -> None:
        self.recipe, self.inputs, self.folder, self.log = recipe, inputs, folder, log
        pipeline = graph.create_pipeline(
            recipe,
            inputs,
            pipeline_root=str(run_folder.artifacts(folder)),
            push_to=str(run_folder.served(folder) / recipe.model_name),
        )
        self.components: dict[str, base_node.BaseNode] = {
            component.id: component for component in pipeline.components
        }
        self.context = interactive_context.InteractiveContext(
            pipeline_name=recipe.name,
            pipeline_root=pipeline.pipeline_info.pipeline_root,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(run_folder.metadata(folder))
            ),
            beam_pipeline_args=pipeline.beam_pipeline_args,
        )
        self._stages: dict[str, local.Stage] = {}
        self._outcome: outcome.Outcome | None = None

    def __call__(self, *names: str) -> None:
        """Runs components in this order; what has not changed since an earlier run is cached.

        Raises:
            BadInput: no such component, or data that it refuses.
            Stopped: it failed otherwise.
        """
        view = ProgressView(self.log, Console(highlight=False, force_jupyter=False, width=110))
        for name in names:
            if name not in self.components:
                raise BadInput(
                    f"no component {name}.", fix=f"There are {', '.join(self.components)}."
                )
            self._run(name, view)

    def _run(self, name: str, view: ProgressView) -> None:
        stage = local.Stage(name)
        view.stage("started", stage)
        self._stages.pop(name, None)
        self._outcome = None
        how = "failed"
        try:
            with (
                libraries_into(self.log),
                local.peak_memory(stage, every_s=1.0),
                progress.listening(view.training),
            ):
                result = self.context.run(self.components[name])
            store = metadata.Metadata(self.context.metadata_connection_config)
            stage.cached = local.is_cached(store, result)
            self._stages[name] = stage
            how = "finished"
        except Exception as error:
            raise errors.mendable(error, self.log) from error
        finally:
            stage.seconds = time.monotonic() - stage.started
            view.stage(how, stage)

    @property
    def record(self) -> dict[str, Component]:
        """What has run, as `pipeline.run_record` would have read it."""
        return {
            name: Component(
                "cached" if stage.cached else "done",
                {
                    key: [run_record.output(one.mlmd_artifact) for one in channel.get()]
                    for key, channel in self.components[name].outputs.items()
                },
                dict(self.components[name].exec_properties),
            )
            for name, stage in self._stages.items()
        }

    @property
    def outcome(self) -> outcome.Outcome:
        """What `report.html` is made from."""
        if self._outcome is None:
            self._outcome = outcome.read(self.record)
        return self._outcome

    @property
    def subject(self) -> subject.Subject:
        """What `rawbert inspect` looks at.

        Raises:
            BadInput: Transform has not run.
        """
        return subject.of_components(self.recipe.name, self.record, self.folder)

    @property
    def model(self) -> Path:
        """The pushed version's folder.

        Raises:
            BadInput: nothing was pushed; says which gate refused.
        """
        if self.outcome.pushed_to is not None:
            return self.outcome.pushed_to
        why = self.outcome.refusals()
        raise BadInput(
            f"nothing was pushed: {'; '.join(why) or 'the Pusher has not run'}.",
            fix="More rows or epochs, or another bound under `gate`."
            if why
            else 'Run its components up to run("Pusher").',
        )
