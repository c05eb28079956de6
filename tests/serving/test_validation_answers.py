"""What a validation says about answers that contradict themselves or each other."""

import numpy as np
import pytest

from serving.validation import latency, report
from serving.validation.classified import classified
from serving.validation.interview import bad_values, differences
from serving.validation.report import Finding, Latency, Report
from serving.validation.texts import spread
from serving.validation.tolerance import FLOAT32

NAMES = ["first", "second"]


def answer(**changes):
    """A classifier's answer to two texts, with some outputs changed."""
    outputs = {
        "label": strings(["fresh", "rotten"]),
        "score": floats([0.75, 0.5625]),
        "labels": strings([["fresh", "rotten"], ["fresh", "rotten"]]),
        "scores": floats([[0.75, 0.25], [0.4375, 0.5625]]),
        "dropped_tokens": np.array([0, 3], np.int32),
    }
    return {**outputs, **changes}


def strings(values):
    return np.vectorize(str.encode, otypes=[object])(values)


def floats(values):
    return np.array(values, np.float32)


CONTRADICTIONS = {
    "none": ({}, None),
    "sum": ({"scores": floats([[0.75, 0.5], [0.4375, 0.5625]])}, "do not sum to 1 for first"),
    "negative": ({"scores": floats([[1.5, -0.5], [0.4375, 0.5625]])}, "negative for first"),
    "order": (
        {"labels": strings([["fresh", "rotten"], ["rotten", "fresh"]])},
        "labels are in another order for second",
    ),
    "label": ({"label": strings(["rotten", "rotten"])}, "label is not the one with the best"),
    "unknown label": ({"label": strings(["plot", "rotten"])}, "label is not the one with the best"),
    "score": ({"score": floats([0.25, 0.5625])}, "score is not the best score for first"),
    "shape": ({"scores": floats([0.75, 0.5625])}, r"not both \[batch, classes\]"),
}


@pytest.mark.parametrize(("changes", "found"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_classifiers_outputs_agree(changes, found):
    findings = classified(answer(**changes), NAMES)
    assert bool(findings) == bool(found)
    if found:
        with pytest.raises(AssertionError, match=found):
            raise AssertionError([str(finding) for finding in findings])


BAD_VALUES = {
    "all is well": ({}, []),
    "NaN": ({"score": floats([0.75, np.nan])}, ["score is not finite for second"]),
    "infinity": ({"score": floats([np.inf, 0.5])}, ["score is not finite for first"]),
    "bytes": (
        {"label": np.array([b"fresh", b"caf\xe9"], object)}, ["label is not UTF-8 for second"]
    ),
    "one row": ({"score": floats([0.75])}, ["score has shape [1] for 2 texts"]),
    "no batch": ({"score": floats(0.75)}, ["score has shape [] for 2 texts"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "found"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_values_that_no_client_can_use(changes, found):
    findings = bad_values("raw strings", answer(**changes), NAMES, "serving_default")
    assert [finding.found for finding in findings] == found


DIFFERENCES = {
    "equal": ({}, []),
    "rounding": ({"scores": floats([[0.75002, 0.24998], [0.4375, 0.5625]])}, []),
    "scores": ({"scores": floats([[0.75, 0.25], [0.44, 0.56]])}, ["second: scores"]),
    "dropped": ({"dropped_tokens": np.array([1, 3], np.int32)}, ["first: dropped_tokens"]),
    "label": ({"label": strings(["rotten", "rotten"])}, ["first: label"]),
}


@pytest.mark.parametrize(("changes", "found"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_two_answers_to_the_same_texts(changes, found):
    assert differences(answer(), answer(**changes), NAMES, FLOAT32) == found


def test_a_tie_may_fall_either_way():
    scores = {"scores": floats([[0.50001, 0.49999], [0.4375, 0.5625]]), "score": floats([0.5, 0.5])}
    left, right = answer(**scores), answer(**scores, label=strings(["rotten", "rotten"]))
    assert differences(left, right, NAMES, FLOAT32) == []


LIMITS = {"no limit": (None, 0), "within": (20.0, 0), "at it": (12.0, 0), "above": (11.9, 1)}


@pytest.mark.parametrize(("limit", "count"), LIMITS.values(), ids=LIMITS)
def test_the_median_decides(limit, count):
    assert len(latency.judge(Latency(p50_ms=12.0, p99_ms=99.0, requests=50), limit)) == count


def test_a_report_reads_as_it_was_written(tmp_path):
    written = Report("2.12", latency=Latency(1.5, 2.5, 50))
    written.add("ops", 3, [Finding("ops", "an op is unknown", "node a", "Avoid it.")])
    (tmp_path / report.REPORT_NAME).write_text(written.to_json(), encoding="utf-8")
    assert report.read(tmp_path) == written
    assert not written.blessed
    assert str(written.findings[0]) == "ops: an op is unknown (node a). Avoid it."


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (3, 3), (16, 5)])
def test_a_sample_is_spread_over_all_texts(count, kept):
    texts = [str(n).encode() for n in range(count)]
    sample = spread(texts, 5)
    assert len(sample) == kept
    assert sample == sorted(sample, key=int)
