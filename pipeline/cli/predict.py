"""`rawbert predict`: asks a server, or a model on disk, about texts."""

import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipeline.cli.entity_text import is_tagged, marked

if TYPE_CHECKING:
    from serving.client import Client
    from serving.local import Local

_SHOWN = 100
_FIRST = ("label", "score")


@click.command()
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("--server", help="HOST:PORT of a gRPC door.  [default: 127.0.0.1:8500]")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Ask this model in this process instead: a base path or one version.",
)
@click.option("--name", help="The model's name at the server.  [default: the only one there]")
@click.option("--signature", default="serving_default", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a text.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True)
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds a call.")
def predict(
    texts: tuple[str, ...],
    server: str | None,
    model: Path | None,
    name: str | None,
    signature: str,
    as_json: bool,
    batch_size: int,
    timeout: float,
) -> None:
    """Ask for labels or entities of TEXTs; without any, of every line of standard input."""
    if server and model:
        _fail("--server and --model exclude each other: ask one or the other", 2)
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    from serving.errors import Code, NotAModel, ServingError

    try:
        with _open(server or "127.0.0.1:8500", model, name, timeout) as asked:
            _answer(asked, _batches(texts, batch_size), signature, as_json)
    except NotAModel as error:
        _fail(str(error), 2)
    except ServingError as error:
        theirs = (Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION)
        _fail(f"{error}{_hint(error.code, name)}", 2 if error.code in theirs else 1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has had enough (head): no trace, no complaint
    except OSError as error:
        _fail(str(error), 1)


def _open(server: str, model: Path | None, name: str | None, timeout: float) -> "Client | Local":
    if model is not None:
        from serving.local import Local

        return Local(model)
    from serving.client import Client, probe

    probe(server)
    return Client(server, name=name, timeout=timeout)


def _batches(texts: tuple[str, ...], size: int) -> Iterator[list[str | bytes]]:
    """The texts, or the lines of standard input as they come, never all at once."""
    if not texts and sys.stdin.isatty():
        click.echo("a text per line, please; Ctrl-D ends", err=True)
        size = 1
    source: Iterator[str | bytes] = iter(texts) if texts else _lines()
    while batch := list(itertools.islice(source, size)):
        yield batch


def _lines() -> Iterator[bytes]:
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def _answer(
    asked: "Client | Local", batches: Iterator[list[str | bytes]], signature: str, as_json: bool
) -> None:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for batch in batches:
        for text, row in zip(batch, asked.predict(batch, signature), strict=True):
            click.echo(as_line_of_json(text, row) if as_json else for_people(text, row, colour))
        sys.stdout.flush()


def as_line_of_json(text: str | bytes, row: dict[str, Any]) -> str:
    """The text and its row; scores of classes go by label."""
    answer = {"text": _readable(text), **{key: row[key] for key in _FIRST if key in row}, **row}
    labels = answer.get("labels")
    if isinstance(labels, list) and len(labels) == len(answer.get("scores", ())):
        answer["scores"] = dict(zip(answer.pop("labels"), answer["scores"], strict=True))
    return json.dumps(answer, ensure_ascii=False, default=_bytes)


def for_people(text: str | bytes, row: dict[str, Any], colour: bool = False) -> str:
    """Label, score and text, or the text with its entities; other outputs are listed by name."""
    one_line = " ".join(_readable(text).split())
    cut = one_line if len(one_line) <= _SHOWN else one_line[: _SHOWN - 1] + "…"
    if is_tagged(row):
        line = marked(text, row, colour)
    elif "label" in row and "score" in row:
        line = f"{row['label']}\t{row['score']:.4f}\t{cut}"
    else:
        rest = {key: value for key, value in row.items() if key != "dropped_tokens"}
        line = "\n".join([cut, *(f"  {key}: {_shown(value)}" for key, value in rest.items())])
    dropped = row.get("dropped_tokens", 0)
    return line + (f"\t(truncated: the model did not see {dropped} tokens)" if dropped else "")


def _readable(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_bytes)


def _bytes(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _hint(code: Any, name: str | None) -> str:
    if code.name != "NOT_FOUND":
        return ""
    given = f"it was asked for as {name}" if name else "none was named"
    return f" (the model's name at the server: {given}; give --name)"


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
