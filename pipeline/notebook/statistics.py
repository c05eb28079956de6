"""StatisticsGen's figures as a table, which needs no network; TFDV's own view, Facets, does."""

from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2 as pb

from components.splits import SPLITS
from pipeline.page.blocks import Block, Section, Table
from pipeline.shortened import shortened

_LONGEST = 40  # letters of a frequent value


def section(statistics: Path) -> Section:
    """A table a split.

    Args:
        statistics: the artifact's folder.
    """
    blocks: list[Block] = []
    for split in SPLITS:
        folder = statistics / f"Split-{split}"
        if not folder.is_dir():
            continue
        [file] = [one for one in folder.iterdir() if one.is_file()]
        [dataset] = tfdv.load_stats_binary(str(file)).datasets
        blocks.append(_table(split, dataset))
    return Section("Statistics", blocks)


def _table(split: str, dataset: pb.DatasetFeatureStatistics) -> Table:
    rows = sorted((_row(feature) for feature in dataset.features), key=lambda row: row[0])
    return Table(
        ["column", "most frequent", "present", "missing", "distinct", "mean bytes"],
        rows,
        texts=2,
        caption=f"{split}: {dataset.num_examples:,} rows",
    )


def _row(feature: pb.FeatureNameStatistics) -> list[str]:
    name = feature.name or ".".join(feature.path.step)
    kind = feature.WhichOneof("stats")
    common = getattr(feature, kind).common_stats
    figures = [f"{common.num_non_missing:,}", f"{common.num_missing:,}"]
    if kind != "string_stats":
        stats = feature.num_stats
        return [name, f"{stats.min:g} to {stats.max:g}, mean {stats.mean:.4g}", *figures, "", ""]
    stats = feature.string_stats
    top = [
        f"{shortened(one.value, _LONGEST)} ({one.frequency:,.0f})" for one in stats.top_values[:3]
    ]
    return [name, " · ".join(top), *figures, f"{stats.unique:,}", f"{stats.avg_length:.1f}"]
