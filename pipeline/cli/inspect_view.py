"""What Transform made of a run's texts, shown on a terminal."""

from collections import Counter
from pathlib import Path

import tensorflow as tf
import tensorflow_transform as tft
from rich.console import Console
from rich.markup import escape
from tfx.utils import path_utils

from pipeline import outcome, run_record
from pipeline.cli import report_view
from trainer import batches
from trainer.card import read_card
from trainer.errors import BadInput
from trainer.model.tags import tag_names
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.text.vocabulary import Vocabulary

_console = Console(highlight=False, soft_wrap=True)


def show(folder: Path, split: str, rows: int) -> None:
    """Prints texts beside pieces and ids, the lengths, and pieces that the vocabulary lacks.

    Args:
        folder: the run's, e.g. ``out/reviews``.
        split: train, eval or test.
        rows: how many texts to show.

    Raises:
        BadInput: no run there, or one that never got as far as Transform.
    """
    run = _run(folder)
    vocabulary = Vocabulary.read(
        f"{path_utils.serving_model_path(str(run['EncoderImporter'].folder('model')))}/vocab.txt"
    )
    transform = tft.TFTransformOutput(str(run["Transform"].folder("transform_graph")))
    card = read_card(path_utils.serving_model_path(str(run["Trainer"].folder("model"))))
    _texts(run, split, rows, transform, vocabulary, card["text"])
    transformed = run["Transform"].folder("transformed_examples")
    lengths = outcome.lengths(transformed)
    report_view.show_lengths(lengths, card["max_tokens"], card["task"])
    _oddities(transformed, vocabulary)


def _run(folder: Path) -> dict[str, run_record.Component]:
    metadata = folder / "metadata.sqlite"
    if not metadata.is_file():
        raise BadInput(
            "no run there.", where=str(folder), fix="Name a run's folder, e.g. out/reviews."
        )
    run = run_record.latest_run(str(metadata), folder.resolve().name)
    for name in ("EncoderImporter", "Transform", "Trainer"):
        if run.get(name) is None or run[name].state not in ("done", "cached"):
            raise BadInput(
                f"the latest run never finished {name}.", where=str(folder), fix="Run it again."
            )
    return run


def _texts(
    run: dict[str, run_record.Component],
    split: str,
    rows: int,
    transform: tft.TFTransformOutput,
    vocabulary: Vocabulary,
    column: str,
) -> None:
    pattern = run["TextExampleGen"].folder("examples") / f"Split-{split}" / "*"
    features_of, spec = transform.transform_features_layer(), transform.raw_feature_spec()
    types = [name.decode() for name in transform.vocabulary_by_name(LABEL_VOCABULARY)]
    for record in batches.read([str(pattern)]).take(rows):
        raw = tf.io.parse_example([record], spec)
        _row(features_of(raw), vocabulary, raw[column].numpy().ravel()[0], types)


def _row(
    features: dict[str, tf.SparseTensor], vocabulary: Vocabulary, text: bytes, types: list[str]
) -> None:
    """A text, its pieces (with their tags where there are tags), their ids, what was lost."""
    ids = features["input_word_ids"].values.numpy().tolist()
    pieces = [vocabulary.tokens[i] for i in ids]
    if "tag_ids" in features:
        first, tags = (
            features[name].values.numpy().tolist() for name in ("first_piece", "tag_ids")
        )
        pieces = with_tags(pieces, first, tags, tag_names(types))
    _console.print(f"\n[bold]{escape(text.decode())}[/]")
    _console.print("  " + escape(" ".join(pieces)))
    _console.print(f"  [dim]{' '.join(map(str, ids))}[/]")
    if dropped := int(features["dropped_tokens"][0]):
        _console.print(f"  [red]{dropped} pieces cut off[/]")
    if "misaligned_spans" in features and (spans := int(features["misaligned_spans"][0])):
        _console.print(f"  [red]{spans} entities fit no words: their words, /?, teach nothing[/]")


def with_tags(pieces: list[str], first: list[int], tags: list[int], names: list[str]) -> list[str]:
    """Pieces with the tags of the words that they begin; O is not written, an unknown tag is ?.

    >>> with_tags(["[CLS]", "ada", "##s", "[SEP]"], [0, 1, 0, 0], [-1, 1, -1, -1], ["O", "B-PER"])
    ['[CLS]', 'ada/B-PER', '##s', '[SEP]']
    """
    return [
        piece if not begins or tag == 0 else f"{piece}/{names[tag] if tag > 0 else '?'}"
        for piece, begins, tag in zip(pieces, first, tags, strict=True)
    ]


def _oddities(transformed: Path, vocabulary: Vocabulary) -> None:
    """Share of [UNK] and the pieces that are met most."""
    pieces: Counter[int] = Counter()
    for ids in batches.word_ids([str(transformed / "Split-*" / "*")]):
        pieces.update(ids.numpy().tolist())
    for special in (vocabulary.cls, vocabulary.sep):
        del pieces[special]
    total = max(1, pieces.total())
    _console.print("\n[bold]pieces[/]")
    _console.print(f"  {total:,} in all, {len(pieces):,} of {len(vocabulary.tokens):,} met")
    _console.print(f"  [UNK] {pieces[vocabulary.unk]:,} ({pieces[vocabulary.unk] / total:.3%})")
    split = sum(n for i, n in pieces.items() if vocabulary.tokens[i].startswith("##"))
    _console.print(f"  {split / total:.1%} continue a word that the vocabulary lacks as a whole")
