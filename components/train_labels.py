"""The labels of train, by falling frequency, as their statistics count them.

StatisticsGen has counted every label already. To count them once more, tf.Transform would read
train twice, trace and write a graph for the count alone and run some two hundred Beam stages.
"""

from tensorflow_data_validation import constants
from tensorflow_metadata.proto.v0 import statistics_pb2

_STAND_INS = {constants.NON_UTF8_PLACEHOLDER, constants.LARGE_BYTES_PLACEHOLDER}


def by_frequency(statistics: statistics_pb2.DatasetFeatureStatistics, column: str) -> list[str]:
    """Every value of a column, the most frequent first; among equals the greatest bytes first.

    This is the order of tf.Transform's vocabularies.

    Args:
        statistics: of train.
        column: of strings.

    Returns:
        [] where the statistics do not hold every value as it is, or one that takes no line.
    """
    found = [f for f in statistics.features if (f.name or f.path.step[0]) == column]
    if not found:
        return []
    told = found[0].string_stats
    counts = {bucket.label: bucket.sample_count for bucket in told.rank_histogram.buckets}
    if told.unique != len(counts) or not all(map(_is_line, counts)):
        return []
    return sorted(counts, key=lambda value: (counts[value], value.encode()), reverse=True)


def _is_line(value: str) -> bool:
    return bool(value) and value not in _STAND_INS and not {"\n", "\r"} & set(value)
