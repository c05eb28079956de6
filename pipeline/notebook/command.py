"""The `rawbert` command in a cell: it is heard as it speaks, and its failure is the cell's."""

import subprocess
import sys

from pipeline.notebook.errors import Stopped

_MEANS = {2: "bad recipe or data", 3: "refused by a gate"}


def rawbert(*arguments: object) -> None:
    """Runs a command line in a process of its own: ``rawbert("run", "mine.yaml")``.

    Raises:
        Stopped: its exit code is not 0; the reason stands above, where the command gave it.
    """
    given = list(map(str, arguments))
    command = [sys.executable, "-m", "pipeline.cli.main", *given]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
        except BaseException:  # the cell was interrupted
            process.terminate()
            raise
    if process.returncode:
        why = _MEANS.get(process.returncode, "see above")
        raise Stopped(f"rawbert {given[0]} ended with exit code {process.returncode}: {why}.")
