"""What ran, how long it took, and the artifacts that it left, for TFX's own tools."""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.page.blocks import Block, Cell, Links, Row, Section, Table, Text, Tone
from pipeline.run_record import Component
from pipeline.runners.local import Stage

_TONES: dict[str, Tone] = {"failed": "bad", "cut off": "bad"}
_FILES = {
    ("StatisticsGen", "statistics"): "statistics (TFDV: tfdv.load_stats_binary)",
    ("SchemaGen", "schema"): "schema (TFDV: tfdv.load_schema_text)",
    ("ExampleValidator", "anomalies"): "anomalies (TFDV: tfdv.load_anomalies_binary)",
    ("Evaluator", "evaluation"): "evaluation (TFMA: tfma.load_eval_result)",
    ("ServingValidator", "blessing"): "serving checks (report.json)",
    ("Trainer", "model_run"): "training log (TensorBoard, history.json)",
}


def section(components: dict[str, Component], stages: Sequence[Stage], folder: Path) -> Section:
    """Components with their time and memory; links are relative to the report's folder."""
    spent = {stage.name: stage for stage in stages}
    rows: list[Row] = []
    for name, component in components.items():
        stage = spent.get(name)
        state = Cell(component.state, _TONES.get(component.state, ""))
        seconds, peak = (f"{stage.seconds:,.1f}", f"{stage.peak_mb:,.0f}") if stage else ("", "")
        rows.append([name, state, seconds, peak])
    blocks: list[Block] = [
        Table(["component", "state", "seconds", "peak MB"], rows, texts=2),
        Text("Artifacts, as TFX's own tools read them:"),
        Links(_links(components, folder)),
    ]
    return Section("Run", blocks)


def _links(components: dict[str, Component], folder: Path) -> list[tuple[str, str]]:
    found = []
    for (name, key), words in _FILES.items():
        component = components.get(name)
        if component and component.outputs.get(key) and component.state in ("done", "cached"):
            found += [
                (f"{name}: {words}{end}", os.path.relpath(file, folder))
                for end, file in _files(component.folder(key))
            ]
    return found


def _files(artifact: Path) -> list[tuple[str, Path]]:
    """The only file of a split each; else the folder itself."""
    splits = sorted(artifact.glob("Split-*"))
    if not splits:
        return [("", artifact)]
    return [
        (f", {split.name.removeprefix('Split-')}", file)
        for split in splits
        for file in sorted(split.iterdir())[:1]
    ]
