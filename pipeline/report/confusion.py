"""Which labels a classifier takes for which."""

from components.evaluation_results import Confusion
from pipeline.page import plots
from pipeline.page.blocks import Block, Plot, Section, Table, Text

_DRAWN, _PAIRS = 12, 20


def section(confusion: Confusion, labels: list[str]) -> Section:
    """The matrix where it can be read, the pairs most confused, precision and recall by label.

    Args:
        confusion: by label ids.
        labels: in id order.
    """
    size = len(labels)
    rows = [[confusion.get((row, column), 0) for column in range(size)] for row in range(size)]
    blocks: list[Block] = []
    if size <= _DRAWN:
        said = "Texts of the test split by label in the data and label given, shaded by row"
        blocks.append(Plot(plots.matrix("confusion", labels, rows), said))
    else:
        blocks.append(Text(f"{size} labels are too many to draw: the pairs most confused."))
    blocks += [*_pairs(rows, labels), _by_label(rows, labels)]
    return Section("Confusion", blocks)


def _pairs(rows: list[list[int]], labels: list[str]) -> list[Table]:
    wrong = sorted(
        ((count, row, column) for row, counts in enumerate(rows)
         for column, count in enumerate(counts) if count and row != column),
        reverse=True,
    )  # fmt: skip
    if not wrong:
        return []
    table = Table(
        ["in the data", "given", "texts", "of the label's texts"],
        [
            [labels[row], labels[column], f"{count:,}", f"{count / sum(rows[row]):.1%}"]
            for count, row, column in wrong[:_PAIRS]
        ],
        texts=2,
        caption="Most confused",
    )
    return [table]


def _by_label(rows: list[list[int]], labels: list[str]) -> Table:
    found = []
    for number, label in enumerate(labels):
        right, in_data = rows[number][number], sum(rows[number])
        given = sum(row[number] for row in rows)
        f1 = 2 * right / max(1, in_data + given)
        figures = (right / max(1, given), right / max(1, in_data), f1)
        found.append((f1, [label, *(f"{figure:.4f}" for figure in figures), f"{in_data:,}"]))
    return Table(
        ["label", "precision", "recall", "F1", "texts"],
        [row for _, row in sorted(found, key=lambda one: one[0])],
        caption="By label, the weakest first",
    )
