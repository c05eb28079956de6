"""What the entities of all splits together must be like."""

from components.data_report import DataReport
from trainer.errors import BadInput

_SHOWN = 5


def refuse_entities(report: DataReport, with_types: bool = True) -> None:
    """Raises what makes entities unfit for training.

    Args:
        with_types: also that every type of eval and test is one of train.

    Raises:
        BadInput: train has no entity, or lacks a type; with file and line of the first.
    """
    known = set(report.entities.get("train", ()))
    if not known:
        raise BadInput(
            f"there is no entity in the {report.rows['train']:,} rows of train",
            where="data.path",
            fix="Is it the right column of tags (`data.columns`) or key of spans (`data.label`)?",
        )
    for split in ("eval", "test") if with_types else ():
        unknown = sorted(set(report.entities.get(split, ())) - known)
        if unknown:
            raise _unknown_types(report, split, unknown)


def _unknown_types(report: DataReport, split: str, unknown: list[str]) -> BadInput:
    places = report.first[split]
    file, line = min(places[kind] for kind in unknown)
    shown = ", ".join(f"{kind} ({report.entities[split][kind]})" for kind in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    have = ", ".join(sorted(report.entities["train"])[:_SHOWN])
    return BadInput(
        f"{split} has entities of types that train lacks: {shown}{more}; train has {have}",
        where=f"{file}:{line}",
        fix="Move such rows to train, or give these entities a type of train.",
    )
