"""What a validation found, and its JSON."""

import dataclasses
import json
from pathlib import Path
from typing import Any

REPORT_NAME = "report.json"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One reason not to push a model.

    Attributes:
        check: the check that found it: a key of the report's `checks`.
        found: what is wrong, in one sentence.
        where: the signature, node or text.
        fix: what would do, in one sentence; may be empty.
    """

    check: str
    found: str
    where: str = ""
    fix: str = ""

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.check}: {self.found}{where}." + (f" {self.fix}" if self.fix else "")


@dataclasses.dataclass(frozen=True)
class Latency:
    """Single raw-string requests over gRPC, one after the other, after a warm-up.

    Attributes:
        p50_ms: median, milliseconds.
        p99_ms: 99th percentile, milliseconds.
        requests: how many were timed.
    """

    p50_ms: float
    p99_ms: float
    requests: int


@dataclasses.dataclass
class Report:
    """The verdict on one model.

    Attributes:
        tf_serving: the target release.
        findings: reasons not to push; none means blessed.
        checks: of each check that ran, how many things it looked at (nodes, rows, requests).
        latency: None where the model never answered.
    """

    tf_serving: str
    findings: list[Finding] = dataclasses.field(default_factory=list)
    checks: dict[str, int] = dataclasses.field(default_factory=dict)
    latency: Latency | None = None

    @property
    def blessed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, check: str, looked_at: int, findings: list[Finding]) -> None:
        """Notes that a check ran."""
        self.checks[check] = self.checks.get(check, 0) + looked_at
        self.findings += findings

    def to_json(self) -> str:
        """The report as a person reads it and a program parses it."""
        return json.dumps(
            {"blessed": self.blessed, **dataclasses.asdict(self)}, indent=2, ensure_ascii=False
        )


def read(folder: str | Path) -> Report:
    """The report that lies in a folder, for instance an InfraBlessing's.

    Raises:
        FileNotFoundError: there is none.
    """
    return parse(Path(folder, REPORT_NAME).read_text(encoding="utf-8"))


def parse(text: str) -> Report:
    """A report back from its JSON."""
    data: dict[str, Any] = json.loads(text)
    del data["blessed"]
    data["findings"] = [Finding(**finding) for finding in data["findings"]]
    data["latency"] = Latency(**data["latency"]) if data["latency"] else None
    return Report(**data)
