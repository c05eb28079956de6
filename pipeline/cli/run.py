"""``rawbert run``: a recipe to a served, gated model, on this machine."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline import run_folder
from trainer.errors import BadInput, cause
from trainer.frozen import refuse_frozen_weights

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.check import Inputs
    from pipeline.recipe import Recipe

EXIT_REFUSED = 3


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="train.epochs=1")
@click.option("--show", is_flag=True, help="Show the recipe with every default, and stop.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Where runs, artifacts and models go.",
)
@click.option("--ask", multiple=True, metavar="TEXT", help="Serve the pushed model and ask it.")
@click.option("--beam-arg", multiple=True, metavar="ARG", help="For every Beam component.")
def run(
    recipe: Path,
    overrides: tuple[str, ...],
    show: bool,
    out: Path,
    ask: tuple[str, ...],
    beam_arg: tuple[str, ...],
) -> None:
    """Run the pipeline of RECIPE; what is done already is not done again."""
    from pipeline import recipe as recipes

    typed, document = recipes.load(recipe, overrides)
    if show:
        click.echo(recipes.show(typed), nl=False)
        return
    refuse_frozen_weights()
    click.echo(f"recipe   {recipe}: checking data and encoder")
    folder = out.absolute() / typed.name
    with _log(folder) as log:
        from pipeline.check import check

        beam_args = _checked(beam_arg)
        inputs = check(typed, document)
        _warn_of_memory(typed, inputs, beam_args)
        pushed = _run_and_report(typed, inputs, folder, log, beam_args, recipe, ask)
    if not pushed:
        sys.exit(EXIT_REFUSED)


def _checked(beam_arg: tuple[str, ...]) -> list[str]:
    """Beam's arguments; an engine that does not answer is told before the data is read."""
    if not beam_arg:
        return []
    from pipeline.runners import beam_options

    return beam_options.checked(beam_arg)


def _warn_of_memory(recipe: "Recipe", inputs: "Inputs", beam_args: list[str]) -> None:
    from pipeline import memory

    free, serve, warned = memory.available(), recipe.serve, []
    if not beam_args:  # an engine's memory is not this machine's
        warned.append(memory.warning(inputs.data, inputs.survey.kept, free))
    if serve.constant_weights:
        weights = inputs.product_weights
        warned.append(memory.warning_of_constants(weights, serve.precision, free))
    for text in filter(None, warned):
        click.echo(f"memory   {text}")


def _run_and_report(
    recipe: "Recipe",
    inputs: "Inputs",
    folder: Path,
    log: Path,
    beam_args: list[str],
    path: Path,
    ask: tuple[str, ...],
) -> bool:
    from pipeline.cli.progress_view import ProgressView

    with ProgressView(log) as view:
        view.say(f"{inputs.survey.kept:,} texts; loading TFX")
        from pipeline import outcome, run_record
        from pipeline.cli import report_file
        from pipeline.runners import local
        from trainer import progress

        pipeline = _composed(recipe, inputs, folder, beam_args)
        stages: list[local.Stage] = []

        def tell(event: str, stage: local.Stage) -> None:
            if event == "started":
                stages.append(stage)
            view.stage(event, stage)

        try:
            with progress.listening(view.training):
                local.run(pipeline, tell)
        except Exception as error:
            stopped = _first_line(cause(error, BadInput) or error)
            report_file.write(recipe, inputs, path, folder, stages, stopped=stopped)
            raise
        found = run_record.latest_run(str(run_folder.metadata(folder)), recipe.name)
        result = outcome.read(found)
        view.say("writing report.html")
        report = report_file.write(recipe, inputs, path, folder, stages, (found, result))
    from pipeline.cli import report_view

    report_view.show(recipe, result, stages, found)
    if result.pushed_to and ask:
        report_view.show_answers(result.pushed_to, recipe.model_name, ask)
    report_view.show_next(recipe, result, path, log, report)
    return result.pushed_to is not None


def _composed(recipe: "Recipe", inputs: "Inputs", folder: Path, beam_args: list[str]) -> "Pipeline":
    from pipeline import graph

    return graph.create_pipeline(
        recipe,
        inputs,
        pipeline_root=str(run_folder.artifacts(folder)),
        push_to=str(run_folder.served(folder) / recipe.model_name),
        metadata_path=str(run_folder.metadata(folder)),
        beam_pipeline_args=beam_args,
    )


@contextlib.contextmanager
def _log(folder: Path) -> Iterator[Path]:
    """Sends what libraries write to standard error into a file of this run.

    TensorFlow's C++ code writes to the file descriptor, so that is what is redirected.
    """
    log = run_folder.new_log(folder)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("ab", buffering=0)
    except OSError as error:
        raise OSError(
            f"cannot write to {folder}: {error.strerror or error}."
            " Name a folder with room that you may write to: --out DIR."
        ) from error
    sys.stderr.flush()
    terminal = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield log
    except Exception as error:
        import traceback

        traceback.print_exc()
        if _is_full(error):
            raise OSError(
                f"there is no room left under {folder} ({_first_line(error)})."
                " Make room or name another folder with --out DIR, then run again:"
                " what is done stays done."
            ) from error
        mended = cause(error, BadInput) or cause(error, OSError)
        if mended is not None and mended is not error:
            raise mended from error
        if mended is None:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            click.echo(f"Error: {type(error).__name__}: {_first_line(error)}", err=True)
            click.echo(f"The whole story is in {log}", err=True)
            sys.exit(1)
        raise
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        file.close()


# What the system, TensorFlow's file systems and SQLite say when a disk or a quota is full.
_FULL = ("No space left", "quota exceeded", "File too large", "disk is full", "disk I/O error")


def _is_full(error: BaseException) -> bool:
    return any(words.lower() in str(error).lower() for words in _FULL)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
