"""Lengths in pieces, and what each ``max_tokens`` would cut."""

from collections import Counter

from pipeline.outcome import Lengths, binned
from pipeline.page import plots
from pipeline.page.blocks import Block, Cell, Plot, Section, Table, Text

_CUTS = (32, 64, 128, 256, 512)


def section(lengths: Lengths, max_tokens: int, task: str) -> Section:
    """The histogram, what truncation cost, and what another bound would cost."""
    whole = lengths.whole or lengths.counts
    bins = [(f"≤ {upper}", texts) for upper, texts in binned(whole).items()]
    said = "Texts by their length in pieces, [CLS] and [SEP] counted, before anything is cut"
    plot = Plot(plots.columns("lengths", bins, "pieces", "texts"), said, bars=bins)
    return Section("Lengths", [plot, *_cost(lengths, max_tokens, task), _cuts(whole, max_tokens)])


def _cost(lengths: Lengths, max_tokens: int, task: str) -> list[Block]:
    if task == "tag":
        longer = sum(n for length, n in lengths.counts.items() if length > max_tokens)
        return [Text(f"{longer:,} texts are read in windows of {max_tokens}; nothing is cut off.")]
    share = lengths.truncated / max(1, lengths.counts.total())
    words = f"{lengths.truncated:,} texts ({share:.2%}) lost {lengths.dropped:,} pieces"
    return [Text(f"{words} to max_tokens {max_tokens}.", "bad" if lengths.truncated else "")]


def _cuts(whole: Counter[int], max_tokens: int) -> Table:
    texts = max(1, whole.total())
    pieces = max(1, sum(length * n for length, n in whole.items()))
    rows = []
    for cut in sorted({*_CUTS, max_tokens}):
        longer = sum(n for length, n in whole.items() if length > cut)
        lost = sum((length - cut) * n for length, n in whole.items() if length > cut)
        mine: tuple[str | Cell, ...] = (f"{cut}", "this run" if cut == max_tokens else "")
        rows.append(
            [*mine, f"{longer:,}", f"{longer / texts:.2%}", f"{lost:,}", f"{lost / pieces:.2%}"]
        )
    return Table(
        ["max_tokens", "", "texts longer", "of texts", "pieces beyond", "of pieces"],
        rows,
        texts=2,
        caption="What each max_tokens would cut, or read in further windows",
    )
