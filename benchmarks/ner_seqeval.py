"""A served tagger scored twice: strictly on bytes, as the gate does, and by seqeval on the words.

    python benchmarks/ner_seqeval.py out/conll2003
    python benchmarks/ner_seqeval.py --model MODEL --examples 'Split-test/*.gz' --examples …

The model is asked raw texts through the server's own loader. Needs seqeval (the `test` extra).
"""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import source_words
import tensorflow as tf
from source_words import Entity, Words

from components.entity_metrics import Matches, gold_entities, matches, predicted_entities
from trainer.span_columns import WORDS

_AT_ONCE = 32


class Text(NamedTuple):
    """A text of the data with what is right in it and what the model found."""

    words: Words
    gold: list[Entity]
    predicted: list[Entity]


@click.command()
@click.argument("run", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="test", show_default=True)
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="In place of RUN's.")
@click.option("--examples", multiple=True, metavar="PATTERN", help="In place of RUN's split.")
@click.option("--text", "column", default="text", show_default=True, help="The text column.")
@click.option("--json", "as_json", is_flag=True, help="Figures only, as JSON.")
def main(
    run: Path | None,
    split: str,
    model: Path | None,
    examples: tuple[str, ...],
    column: str,
    as_json: bool,
) -> None:
    """Score the tagger of RUN (an output folder such as out/conll2003) on a split of its data."""
    if run:
        found_model, found_examples, column = _of_run(run, split)
        model, examples = model or found_model, examples or (found_examples,)
    if not model or not examples:
        raise click.UsageError("name a run, or a model and examples")
    texts = list(asked(model, examples, column))
    if as_json:
        click.echo(json.dumps({"strict": strict(texts), "seqeval": on_words(texts)}))
        return
    click.echo(f"{len(texts):,} texts, strict on bytes:\n{_lines(strict(texts))}")
    click.echo(f"on the source's words, by seqeval:\n{report(texts)}")
    click.echo(f"entities that are not whole words, through which they differ:\n{_uneven(texts)}")


def _of_run(run: Path, split: str) -> tuple[Path, str, str]:
    """The trained model, the pattern of a split's Examples and the text column's name."""
    from pipeline import run_folder, run_record
    from trainer.card import read_card

    components = run_record.latest_run(str(run_folder.metadata(run)), run.resolve().name)
    model = components["Trainer"].folder("model") / "Format-Serving"
    examples = components["TextExampleGen"].folder("examples") / f"Split-{split}" / "*"
    return model, str(examples), read_card(str(model))["text"]


def asked(model: Path, patterns: tuple[str, ...], column: str) -> Iterator[Text]:
    """Asks the model about every text of the Examples.

    Args:
        model: a SavedModel's folder or a base path.
        patterns: of gzipped TFRecord files.
        column: the text's.
    """
    from serving.local import Local

    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    records = iter(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    with Local(model) as served:
        while batch := list(itertools.islice(records, _AT_ONCE)):
            rows = [tf.train.Example.FromString(record).features.feature for record in batch]
            outputs = served.predict_arrays([row[column].bytes_list.value[0] for row in rows])
            for number, (record, row) in enumerate(zip(batch, rows, strict=True)):
                answer = {name: array[number] for name, array in outputs.items()}
                words = [row[name].int64_list.value for name in WORDS]
                yield Text(Words(*words), gold_entities(record), predicted_entities(answer))


def strict(texts: list[Text]) -> dict[str, dict[str, float]]:
    """The gate's figures, by type and of `all`."""
    total: dict[str, Matches] = {}
    for text in texts:
        for kind, found in matches(text.gold, text.predicted).items():
            for name in (kind, "all"):
                pairs = zip(total.get(name, Matches()), found, strict=True)
                total[name] = Matches(*map(sum, pairs))
    return {name: found.figures() for name, found in sorted(total.items())}


def on_words(texts: list[Text]) -> dict[str, Any]:
    """seqeval's figures by type and averages."""
    from seqeval.metrics import classification_report

    gold, predicted = tagged(texts)
    found = classification_report(gold, predicted, output_dict=True, zero_division=0)
    return {
        name: {key: float(value) for key, value in figures.items()}
        for name, figures in found.items()
    }


def report(texts: list[Text]) -> str:
    """seqeval's own report."""
    from seqeval.metrics import classification_report

    return classification_report(*tagged(texts), digits=4, zero_division=0)


def tagged(texts: list[Text]) -> tuple[list[list[str]], list[list[str]]]:
    """Gold and predicted tags of the source's words, a list a text."""
    gold = [source_words.word_tags(text.gold, text.words) for text in texts]
    return gold, [source_words.word_tags(text.predicted, text.words) for text in texts]


def _lines(figures: dict[str, dict[str, float]]) -> str:
    return "".join(
        f"{name:>12}  precision {found['entity_precision']:.4f}  recall"
        f" {found['entity_recall']:.4f}  F1 {found['entity_f1']:.4f}"
        f"  of {found['entities_gold']:.0f}\n"
        for name, found in figures.items()
    )


def _uneven(texts: list[Text]) -> str:
    """How many gold and predicted entities there are of each kind."""
    counts: dict[str, list[int]] = {}
    for text in texts:
        for side, entities in enumerate((text.gold, text.predicted)):
            for kind, found in source_words.uneven(entities, text.words).items():
                counts.setdefault(kind, [0, 0])[side] += len(found)
    return "".join(
        f"{kind:>15}: {gold} gold, {predicted} predicted\n"
        for kind, (gold, predicted) in counts.items()
    )


if __name__ == "__main__":
    sys.exit(main())
