"""The data: rows by split and label or type, what was left out, overlap between splits."""

from collections import Counter

from components.data_report import DataReport
from pipeline.outcome import oddities
from pipeline.page import plots
from pipeline.page.blocks import Block, Plot, Section, Table, Text

SPLITS = ("train", "eval", "test")
_LISTED, _DRAWN = 100, 12


def section(report: DataReport, misaligned: int = 0) -> Section:
    """Rows, labels and what is odd.

    Args:
        report: TextExampleGen's.
        misaligned: gold entities that fit no words.
    """
    rows = "  ".join(f"{split} {report.rows[split]:,}" for split in SPLITS if report.rows[split])
    blocks: list[Block] = [Text(f"Rows: {rows} (of {report.read:,} read).")]
    if odd := oddities(report, misaligned):
        blocks.append(Table(["what is odd", "number"], [[w, f"{n:,}"] for w, n in odd.items()]))
    blocks += balance(report)
    if report.bad:
        blocks.append(
            Table(
                ["bad row", "reason"],
                [[f"{row.file}:{row.line}", row.reason] for row in report.bad[:20]],
                texts=2,
                caption=f"The first of {report.bad_rows:,} bad rows",
            )
        )
    return Section("Data", blocks)


def balance(report: DataReport) -> list[Block]:
    """Labels, or a tagger's entity types, by split."""
    counted = report.entities or report.labels
    what = "entities" if report.entities else "rows"
    splits = [split for split in SPLITS if split in counted]
    total: Counter[str] = sum((counted[split] for split in splits), Counter())
    if not total:
        return []
    names = [name for name, _ in total.most_common()]
    sums = {split: max(1, counted[split].total()) for split in splits}
    table = Table(
        [what, *splits, *(f"{split} %" for split in splits)],
        [
            [
                name,
                *(f"{counted[split][name]:,}" for split in splits),
                *(f"{counted[split][name] / sums[split]:.1%}" for split in splits),
            ]
            for name in names[:_LISTED]
        ],
        caption=f"{len(names):,} {'entity types' if report.entities else 'labels'}"
        + (f", the {_LISTED} most frequent" if len(names) > _LISTED else ""),
    )
    if len(names) > _DRAWN:
        return [_uneven(total, what), table]
    drawn = [(name, [counted[s][name] / sums[s] for s in splits]) for name in names]
    said = f"Share of {what} by {'type' if report.entities else 'label'} in each split"
    return [Plot(plots.shares("balance", drawn, splits), said), table]


def _uneven(total: Counter[str], what: str) -> Text:
    (most, many), (least, few) = total.most_common()[0], total.most_common()[-1]
    return Text(f"From {many:,} {what} of “{most}” down to {few:,} of “{least}”.")
