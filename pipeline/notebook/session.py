"""Opens a recipe for a notebook: checks it, and composes its pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import recipe as recipes
from pipeline import run_folder
from pipeline.check import check
from pipeline.notebook import few
from pipeline.notebook.errors import Stopped
from pipeline.notebook.quiet import libraries_into
from serving.quiet import quiet_tensorflow

if TYPE_CHECKING:
    from pipeline.notebook.components import Session


def open_session(
    recipe: str | Path,
    changes: tuple[str, ...] = (),
    rows: int = 0,
    out: str | Path = "out/notebooks",
) -> "Session":
    """Checks a recipe with its data and encoder, as `rawbert run` does, and composes its pipeline.

    Args:
        recipe: the YAML file.
        changes: of its keys: ``("train.epochs=1",)``.
        rows: of the data, drawn at random; 0 is all.
        out: the run's folder is made in there.

    Raises:
        BadInput: a mistake in recipe or data, with its place and its fix.
        Stopped: the network or the disk is at fault.
    """
    typed, document = recipes.load(recipe, changes)
    folder = Path(out).absolute() / typed.name
    print(f"recipe   {recipe}: checking data and encoder", flush=True)
    try:
        if rows:
            changes = (*changes, few.cut(typed.data, rows, folder / "data"))
            typed, document = recipes.load(recipe, changes)
        inputs = check(typed, document)
    except OSError as error:
        raise Stopped(str(error)) from error
    print(f"         {inputs.survey.kept:,} texts; loading TFX, half a minute", flush=True)
    quiet_tensorflow()
    log = run_folder.new_log(folder)
    with libraries_into(log):
        from pipeline.notebook.components import Session

        session = Session(typed, inputs, folder, log)
    print(f"log      {log}")
    return session
