"""`rawbert predict`: asks a server, or a model on disk, about texts."""

import contextlib
import itertools
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click
from click.core import ParameterSource

from pipeline.cli.answer_text import as_line_of_json, for_people
from pipeline.cli.fault import fail
from pipeline.cli.lines import Lines, Progress

if TYPE_CHECKING:
    from serving.asked import Asked

_BULK = ("text", "format", "shard_rows", "overwrite", "beam_arg")
_NOT_BULK = (
    "files", "server", "name", "signature", "as_json", "in_flight", "timeout", "retries", "tls",
    "root_certificate", "client_key", "client_certificate",
)  # fmt: skip
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class _Where:
    """Who is asked: a server, or a model in this process."""

    server: str | None
    model: Path | None
    name: str | None
    timeout: float
    retries: int
    tls: bool
    root_certificate: Path | None
    client_key: Path | None
    client_certificate: Path | None

    def open(self) -> Any:
        if self.model is not None:
            from serving.lean_tensorflow import import_tensorflow

            import_tensorflow()
            from serving.local import Local

            return Local(self.model)
        from serving.client import Client, Tls, probe

        files = self.root_certificate, self.client_key, self.client_certificate
        target = self.server or "127.0.0.1:8500"
        tls = Tls(*files) if self.tls or any(files) else None
        probe(target)
        return Client(
            target, name=self.name, timeout=self.timeout, retries=self.retries, tls=tls
        )  # fmt: skip


@click.command()
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--file", "-f", "files", type=click.File("rb"), multiple=True,
    help="Ask about every line of this file; - is standard input.",
)  # fmt: skip
@click.option("--server", help="HOST:PORT or unix:/path of a gRPC door.  [default: 127.0.0.1:8500]")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Ask this model in this process instead: a base path or one version.",
)
@click.option("--name", help="The model's name at the server.  [default: the only one there]")
@click.option("--signature", default="serving_default", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a text.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True)
@click.option(
    "--in-flight", type=click.IntRange(1), default=4, show_default=True,
    help="Batches under way at once; 1 reads on only when a batch is answered.",
)  # fmt: skip
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds a call.")
@click.option(
    "--retries", type=click.IntRange(0), default=3, show_default=True,
    help="Of a call to a server that is unavailable.",
)  # fmt: skip
@click.option("--tls", is_flag=True, help="Encrypt; implied by the certificates.")
@click.option("--root-certificate", type=_FILE, help="PEM, of who signed the server's.")
@click.option("--client-key", type=_FILE, help="PEM, with --client-certificate.")
@click.option("--client-certificate", type=_FILE, help="PEM, for servers that ask for one.")
@click.option(
    "--bulk", nargs=2, type=click.Path(path_type=Path), metavar="IN OUT",
    help="Files of csv, tsv, jsonl or tfrecord, through Beam; OUT gets pred_… columns. Resumable.",
)  # fmt: skip
@click.option("--text", multiple=True, metavar="COLUMN", help="Bulk: if not called as in training.")
@click.option("--format", help="Bulk: if the file's ending does not tell.")
@click.option("--shard-rows", type=click.IntRange(1), default=10_000, show_default=True,
              help="Bulk: rows that a worker does in one go.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Bulk: OUT may be there already.")
@click.option("--beam-arg", multiple=True, metavar="ARG", help="Bulk: for Beam, as of `run`.")
def predict(
    texts: tuple[str, ...],
    files: tuple[BinaryIO, ...],
    signature: str,
    as_json: bool,
    batch_size: int,
    in_flight: int,
    bulk: tuple[Path, Path] | None,
    text: tuple[str, ...],
    format: str | None,
    shard_rows: int,
    overwrite: bool,
    beam_arg: tuple[str, ...],
    **where: Any,
) -> None:
    """Ask for labels or entities of TEXTs; without any, of every line of standard input."""
    if bulk:
        if others := ["TEXT"] * bool(texts) + _given(_NOT_BULK):
            fail(f"--bulk and {others[0]} exclude each other", 2)
        if not where["model"]:
            fail("--bulk needs --model PATH", 2)
        from pipeline.cli.predict_bulk import predict_bulk

        predict_bulk(
            *bulk, where["model"], text=text, format=format, batch_size=batch_size,
            shard_rows=shard_rows, overwrite=overwrite, beam_args=beam_arg,
        )  # fmt: skip
        return
    if others := _given(_BULK):
        fail(f"{others[0]} goes with --bulk alone", 2)
    if where["server"] and where["model"]:
        fail("--server and --model exclude each other: ask one or the other", 2)
    if texts and files:
        fail("TEXT and --file exclude each other: give one or the other", 2)
    if (where["client_key"] is None) != (where["client_certificate"] is None):
        fail("--client-key and --client-certificate come together; one is missing", 2)
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    lines = Lines(files or [sys.stdin.buffer])
    if not (texts or files) and sys.stdin.isatty():
        click.echo("a text per line, please; Ctrl-D ends", err=True)
        batch_size = in_flight = 1
    progress = Progress(lines)
    show = as_line_of_json if as_json else _coloured_where_seen
    with _faults_told(where["name"], progress), _Where(**where).open() as asked:
        for one, row in _answered(
            asked, texts or lines, signature, batch_size, in_flight, progress
        ):
            click.echo(show(one, row))


def _given(names: Iterable[str]) -> list[str]:
    """The flags of these options that stand on the command line."""
    context = click.get_current_context()
    return [
        option.opts[0]
        for option in context.command.params
        if option.name in names
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]


def _answered(
    asked: "Asked",
    texts: Iterable[str | bytes],
    signature: str,
    batch_size: int,
    in_flight: int,
    progress: Progress,
) -> Iterator[tuple[str | bytes, dict[str, Any]]]:
    """Each text with its row; at most `in_flight` batches of input are held."""
    sent, kept = itertools.tee(texts)
    rows = asked.predict_many(
        sent, signature, batch_size=batch_size, in_flight=in_flight, progress=progress
    )
    # Rows first: they read the input, and what is kept is then there already.
    for row, text in zip(rows, kept, strict=False):
        yield text, row


def _coloured_where_seen(text: str | bytes, row: dict[str, Any]) -> str:
    return for_people(text, row, sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


@contextlib.contextmanager
def _faults_told(name: str | None, progress: Progress) -> Iterator[None]:
    from serving.errors import NotAModel, ServingError
    from serving.stream import BatchFailed

    try:
        with contextlib.ExitStack() as last:
            last.callback(progress.clear)
            yield
    except BrokenPipeError:
        _let_go_of_stdout()
    except BatchFailed as failed:
        if not isinstance(failed.cause, ServingError | OSError):
            raise
        _tell(failed.cause, str(failed), name)
    except (ServingError, NotAModel, OSError) as error:
        _tell(error, str(error), name)


def _tell(error: Exception, message: str, name: str | None) -> NoReturn:
    from serving.errors import Code, NotAModel, ServingError

    if isinstance(error, ServingError):
        theirs = (Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION)
        fail(f"{message}{_hint(error.code, name)}", 2 if error.code in theirs else 1)
    fail(message, 2 if isinstance(error, NotAModel) else 1)


def _let_go_of_stdout() -> None:
    """The reader has had enough (head): no trace, no complaint, also not when Python flushes."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hint(code: Any, name: str | None) -> str:
    if code.name != "NOT_FOUND":
        return ""
    given = f"it was asked for as {name}" if name else "none was named"
    return f" (the model's name at the server: {given}; give --name)"
