"""What a bulk run has done so far, in a folder beside its output, so that a next run goes on there.

OUT.unfinished/
  plan.json                what is asked of what, and the shards
  00007.rows               a shard's rows with answers, and
  00007.rejected           its rejected rows, both whole before there is
  00007.done               {"rows": 9998, "rejected": 2}
  00007.answered           how many rows so far, while somebody works on it
  00007.failed             why it could not be done
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.bulk.places import Place
from trainer.errors import BadInput


class Shard(NamedTuple):
    """A run of rows of one file.

    Attributes:
        number: among all shards.
        file: the file's place among the plan's.
        place: where its first row begins.
        rows: how many, bad ones counted.
    """

    number: int
    file: int
    place: Place
    rows: int


@dataclass(frozen=True)
class Plan:
    """All of a run that decides what the output is.

    Attributes:
        model: the version's folder, and what tells it from another of that name.
        files: path, format, size and time of each file of the input.
        texts: the model's name of a text ▶ the column.
        columns: of the answers.
        shards: in the order of the output.
    """

    model: list[Any]
    files: list[list[Any]]
    texts: dict[str, str]
    columns: list[str]
    shards: list[Shard]

    @property
    def rows(self) -> int:
        """Rows of the input, bad ones counted."""
        return sum(shard.rows for shard in self.shards)

    def to_json(self) -> str:
        """As plan.json holds it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Reads plan.json."""
        found = json.loads(text)
        found["shards"] = [
            Shard(number, file, Place(*place), rows)
            for number, file, place, rows in found["shards"]
        ]
        return cls(**found)


class Work:
    """The folder of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second run out.

        Raises:
            BadInput: there is one already.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(
                    "another run is writing it",
                    where=str(self.folder),
                    fix="Wait for it, or name another output.",
                ) from None
            yield

    def adopt(self, plan: Plan) -> int:
        """Makes this the plan; what another plan left is dropped. Gives the rows done before."""
        file = self.folder / "plan.json"
        if not file.exists() or file.read_text(encoding="utf-8") != plan.to_json():
            for left in self.folder.iterdir():
                if left.name != "lock":
                    left.unlink()
            self._write("plan.json", plan.to_json())
        for what in ("failed", "answered"):  # of a run that was killed
            for left in self.folder.glob(f"*.{what}"):
                left.unlink()
        return sum(shard.rows for shard in plan.shards if self.is_done(shard))

    def plan(self) -> Plan:
        """The plan, as a worker reads it."""
        return Plan.from_json((self.folder / "plan.json").read_text(encoding="utf-8"))

    def of(self, shard: Shard, what: str) -> Path:
        """One of the files of a shard."""
        return self.folder / f"{shard.number:05d}.{what}"

    def is_done(self, shard: Shard) -> bool:
        """Whether its rows are written."""
        return self.of(shard, "done").exists()

    def draft(self, shard: Shard, what: str) -> Path:
        """A name for a file that nobody else writes: a shard may be tried twice at once."""
        return self.folder / f"{shard.number:05d}.{what}.{uuid.uuid4().hex}"

    def done(self, shard: Shard, rows: Path, rejected: Path, counts: dict[str, int]) -> None:
        """Takes a shard's drafts for finished."""
        os.replace(rows, self.of(shard, "rows"))
        os.replace(rejected, self.of(shard, "rejected"))
        self._write(f"{shard.number:05d}.done", json.dumps(counts))

    def failed(self, shard: Shard, kind: str, message: str) -> None:
        """Leaves word why it could not be done."""
        self._write(f"{shard.number:05d}.failed", json.dumps([kind, message]))

    def failures(self) -> list[tuple[str, str]]:
        """Kind and message of each failure of the last attempt."""
        return [
            tuple(json.loads(file.read_text())) for file in sorted(self.folder.glob("*.failed"))
        ]

    def counts(self, plan: Plan) -> dict[str, int]:
        """Rows answered and rejected, over all finished shards."""
        done = [json.loads(self.of(shard, "done").read_text()) for shard in plan.shards]
        return {name: sum(one[name] for one in done) for name in ("rows", "rejected")}

    def remove(self) -> None:
        """Clears up after the output is in its place."""
        shutil.rmtree(self.folder)

    def _write(self, name: str, text: str) -> None:
        draft = self.folder / f"{name}.{uuid.uuid4().hex}"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, self.folder / name)
