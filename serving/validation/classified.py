"""What a classifier's outputs have to agree with among themselves."""

from collections.abc import Sequence

from serving.validation.interview import Arrays
from serving.validation.report import Finding
from serving.validation.tolerance import FLOAT32

CHECK = "scores"


def classified(outputs: Arrays, names: Sequence[str], _: Sequence[bytes] = ()) -> list[Finding]:
    """Findings where label, score, labels and scores of a classifier contradict each other.

    Args:
        outputs: of `serving_default`.
        names: of the texts.
    """
    labels, scores = outputs["labels"], outputs["scores"]
    if labels.shape != scores.shape or labels.ndim != 2 or not labels.shape[1]:
        shapes = f"labels {list(labels.shape)}, scores {list(scores.shape)}"
        return [Finding(CHECK, f"{shapes} are not both [batch, classes]", "serving_default")]
    found = []
    for row, name in enumerate(names):
        best = float(scores[row].max())
        chosen = [float(s) for s, known in zip(scores[row], labels[row], strict=True)
                  if known == outputs["label"][row]]  # fmt: skip
        problems = {
            "scores do not sum to 1": abs(float(scores[row].sum()) - 1) > FLOAT32,
            "a score is negative": float(scores[row].min()) < 0,
            "labels are in another order": list(labels[row]) != list(labels[0]),
            "label is not the one with the best score": chosen != [best],
            "score is not the best score": float(outputs["score"][row]) != best,
        }
        found += [
            Finding(CHECK, f"{problem} for {name}", "serving_default")
            for problem, seen in problems.items()
            if seen
        ]
    return found
