"""Sends a notebook's cells to rawbert's own Python, where the kernel's Python is another one.

    %run rawbert/pipeline/notebook/project_kernel.py rawbert

starts a kernel in the environment that `make setup` made in that folder. From then on every cell
runs there, and what it shows is shown here; a cell that begins with ``%%here`` runs as before.

This file runs in Colab's Python or any other that Jupyter has: it needs IPython and jupyter_client,
and nothing of rawbert. Protocol: https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

import atexit
import os
import queue
import sys
from pathlib import Path
from typing import Any

from IPython import get_ipython
from IPython.display import clear_output, publish_display_data
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

MAGIC, HERE = "%%rawbert", "%%here"
_STARTS_IN = 120  # seconds; the first import from a cold disk is slow
# What belongs to the kernel's own Python and would mislead another one.
_NOT_THEIRS = ("PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "VIRTUAL_ENV")


class Elsewhere(Exception):
    """What failed in the project's Python, with the lines that it would have been told in there."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))

    def _render_traceback_(self) -> list[str]:
        return self.lines


class _Manager(KernelManager):
    """Starts a given Python, whatever kernels are installed."""

    python = Path(sys.executable)

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        command += ["--log-level=ERROR"]  # it warns of what the notebook's own kernel does as well
        return KernelSpec(argv=command, display_name="rawbert", language="python")


class ProjectKernel:
    """A kernel in a project's environment.

    Args:
        project: the folder; its Python is ``.venv/bin/python``.
        python: another Python.

    Raises:
        Elsewhere: there is none, or it does not start.
    """

    def __init__(self, project: Path, python: Path | None = None) -> None:
        self.python = python or project.absolute() / ".venv" / "bin" / "python"
        if not self.python.exists():
            raise Elsewhere([f"{self.python} is not there: `make setup` failed, see above."])
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_THEIRS}
        kept["PATH"] = f"{self.python.parent}:{kept.get('PATH', '')}"
        self._manager = _Manager()
        self._manager.python = self.python
        self._manager.start_kernel(cwd=str(project), env=kept)
        atexit.register(self.stop)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=_STARTS_IN)
        except RuntimeError as error:
            self.stop()
            raise Elsewhere([f"{self.python} does not start: {error}"]) from None

    def run(self, code: str) -> None:
        """Runs a cell there and shows here what it shows.

        Raises:
            Elsewhere: the cell failed, or the process has ended.
        """
        asked = self._client.execute(code, allow_stdin=False)
        failed: list[str] | None = None
        try:
            while True:
                kind, content = self._answer(asked)
                if kind == "status" and content["execution_state"] == "idle":
                    break
                if kind == "error":
                    failed = content["traceback"]
                else:
                    _show(kind, content)
        except KeyboardInterrupt:
            self._manager.interrupt_kernel()
            raise
        if failed is not None:
            raise Elsewhere(failed)

    def _answer(self, asked: str) -> tuple[str, dict[str, Any]]:
        """The next message about a cell."""
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=1)
            except queue.Empty:
                if not self.alive:
                    raise Elsewhere(
                        ["rawbert's process has ended, maybe for lack of memory: begin again."]
                    ) from None
                continue
            if message["parent_header"].get("msg_id") == asked:
                return message["msg_type"], message["content"]

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return bool(self._manager.is_alive())

    def stop(self) -> None:
        """Ends the process."""
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)


def _show(kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        print(content["text"], end="", file=getattr(sys, content["name"]), flush=True)
    elif kind == "clear_output":
        clear_output(wait=content["wait"])
    elif kind in ("display_data", "update_display_data", "execute_result"):
        publish_display_data(
            content["data"],
            content["metadata"],
            transient=content.get("transient", {}),
            update=kind == "update_display_data",
        )


def sent(lines: list[str]) -> list[str]:
    """A cell as it is run here: sent to the project's Python unless it says otherwise."""
    if lines and lines[0].strip() == HERE:
        return lines[1:]
    whole = "".join(lines)
    if not whole.strip() or whole.startswith(MAGIC) or Path(__file__).name in whole:
        return lines
    return [f"{MAGIC}\n", *lines]


def send_cells(shell: Any, kernel: ProjectKernel) -> None:
    """From now on, all of a shell's cells."""
    shell.register_magic_function(
        lambda _, cell: kernel.run(cell), magic_kind="cell", magic_name=MAGIC.strip("%")
    )
    name = sent.__name__  # of an earlier run of this file there may be another
    earlier = [one for one in shell.input_transformers_cleanup if name != _name(one)]
    shell.input_transformers_cleanup[:] = [*earlier, sent]


def _name(transformer: Any) -> str:
    return getattr(transformer, "__name__", "")


if __name__ == "__main__":
    _shell = get_ipython()
    # `%run` leaves its names with the user: of this file, run again, the process stays.
    rawbert_kernel = _shell.user_ns.get("rawbert_kernel")
    if rawbert_kernel is None or not rawbert_kernel.alive:
        rawbert_kernel = ProjectKernel(Path(sys.argv[1]))
    send_cells(_shell, rawbert_kernel)
    print(f"The cells below run in {rawbert_kernel.python}; one that begins with {HERE} runs here.")
