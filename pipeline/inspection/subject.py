"""The run that is looked at: where its parts lie, and its rows as they are read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.utils import path_utils

from components.data_report import FILE_NAME as DATA_REPORT
from components.data_report import DataReport
from pipeline import run_folder, run_record
from pipeline.run_record import Component
from trainer import batches
from trainer.errors import BadInput
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.text.vocabulary import Vocabulary

SPLITS = ("train", "eval", "test")
_ENDED = ("done", "cached")


@dataclass(frozen=True)
class Subject:
    """A run that got as far as Transform.

    Attributes:
        examples, transformed, graph: folders of TextExampleGen and Transform.
        model: the pushed version's folder, or the trained model's; None before the Trainer's end.
        task, text, label, max_tokens: as the recipe had them.
    """

    name: str
    examples: Path
    transformed: Path
    graph: Path
    encoder: Path
    model: Path | None
    task: str
    text: str
    label: str
    max_tokens: int

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The encoder's."""
        return Vocabulary.read(str(self.encoder / "vocab.txt"))

    @cached_property
    def transform(self) -> tft.TFTransformOutput:
        """Transform's graph and vocabularies."""
        return tft.TFTransformOutput(str(self.graph))

    @cached_property
    def names(self) -> list[str]:
        """Labels, or a tagger's entity types, in id order."""
        return [name.decode() for name in self.transform.vocabulary_by_name(LABEL_VOCABULARY)]

    @cached_property
    def report(self) -> DataReport:
        """What became of every row."""
        return DataReport.from_json((self.examples / DATA_REPORT).read_text(encoding="utf-8"))

    def raw(self, split: str) -> tf.data.Dataset:
        """Serialized raw Examples of a split."""
        return batches.read([str(self.examples / f"Split-{split}" / "*")])

    def rows(self, split: str) -> Iterator[tuple[bytes, str]]:
        """Text and label of each row of a split; a tagger's rows have no label."""
        spec = {self.text: tf.io.FixedLenFeature([], tf.string, default_value="")}
        if self.task != "tag":
            spec[self.label] = tf.io.FixedLenFeature([], tf.string, default_value="")
        for serialized in self.raw(split).batch(1024):
            parsed = {k: v.numpy() for k, v in tf.io.parse_example(serialized, spec).items()}
            labels = parsed.get(self.label, [b""] * len(parsed[self.text]))
            for text, label in zip(parsed[self.text], labels, strict=True):
                yield text, label.decode("utf-8", "replace")


def open_run(folder: Path) -> Subject:
    """Finds a run's parts.

    Raises:
        BadInput: no run there, or one that never got as far as Transform's end.
    """
    metadata = run_folder.metadata(folder)
    if not metadata.is_file():
        raise BadInput(
            "no run there.", where=str(folder), fix="Name a run's folder, e.g. out/reviews."
        )
    name = folder.resolve().name
    return of_components(name, run_record.latest_run(str(metadata), name), folder)


def of_components(name: str, run: dict[str, Component], where: Path) -> Subject:
    """The same of components that are at hand.

    Raises:
        BadInput: one of those that are looked at has not ended.
    """
    for needed in ("TextExampleGen", "EncoderImporter", "Transform"):
        if needed not in run or run[needed].state not in _ENDED:
            raise BadInput(
                f"the latest run never finished {needed}.", where=str(where), fix="Run it again."
            )
    transform = run["Transform"]
    config: dict[str, Any] = json.loads(transform.parameters["custom_config"])
    return Subject(
        name=name,
        examples=run["TextExampleGen"].folder("examples"),
        transformed=transform.folder("transformed_examples"),
        graph=transform.folder("transform_graph"),
        encoder=Path(path_utils.serving_model_path(str(run["EncoderImporter"].folder("model")))),
        model=_model(run),
        task=config.get("task", "classify"),
        text=config["text"],
        label=config["label"],
        max_tokens=int(config["max_tokens"]),
    )


def _model(run: dict[str, Component]) -> Path | None:
    pusher, trained = run.get("Pusher"), run.get("Trainer")
    if pusher and pusher.state in _ENDED:
        [pushed] = pusher.outputs["pushed_model"]
        version = Path(pushed.properties.get("pushed_destination", ""))
        if pushed.properties.get("pushed") and (version / "saved_model.pb").is_file():
            return version
    if trained and trained.state in _ENDED:
        return Path(path_utils.serving_model_path(str(trained.folder("model"))))
    return None
