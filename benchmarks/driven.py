"""A process that is driven line by line: a line of JSON in, one out, after a tab."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


class Driven:
    """A script of this folder that waits to be asked.

    Args:
        script: its file's name.
        asked: its argument.
        python: of its environment.
    """

    def __init__(self, script: str, asked: dict[str, Any], python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(_HERE / script), json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_HERE)},
        )
        self._read()

    def ask(self, what: dict[str, Any]) -> Any:
        """What it answers."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        """Ends the process; it has nothing to put away."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("\t"):
                return json.loads(line)
        raise RuntimeError(f"{self._process.args} ended; run it by hand to see why.")


def say(what: Any) -> None:
    """The driven process's answer; its libraries may print to standard output, too."""
    print("\t" + json.dumps(what), flush=True)
