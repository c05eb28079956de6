"""A small data set, a vocabulary and a recipe for them, written into a folder."""

import csv
import random
from pathlib import Path

GOOD_WORDS = {
    "bright", "warm", "funny", "honest", "lovely",
    "superb", "charming", "moving", "clever", "tender",
}  # fmt: skip
BAD_WORDS = {
    "dull", "cold", "stale", "clumsy", "hollow",
    "tedious", "bland", "empty", "grating", "lazy",
}  # fmt: skip
OTHER_WORDS = {
    "the", "a", "film", "plot", "cast", "it", "is", "was",
    "and", "with", "very", "quite", "story", "end", "scene",
}  # fmt: skip


def review(rng: random.Random, good: bool) -> str:
    """A text whose telling words are all of one kind."""
    telling = rng.sample(sorted(GOOD_WORDS if good else BAD_WORDS), 3)
    words = telling + rng.choices(sorted(OTHER_WORDS), k=rng.randint(2, 12))
    rng.shuffle(words)
    return " ".join(words).capitalize() + "."


def write_reviews(path: Path, rows: int, seed: int = 1, shuffled: bool = False) -> Path:
    """A CSV of reviews, fresh or rotten; shuffled labels tell nothing."""
    rng = random.Random(seed)
    labels = [i % 2 == 0 for i in range(rows)]
    texts = [review(rng, good) for good in labels]
    if shuffled:
        rng.shuffle(labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "category"])
        writer.writerows(
            (text, "fresh" if good else "rotten") for text, good in zip(texts, labels, strict=True)
        )
    return path


def write_vocabulary(path: Path) -> Path:
    """Special pieces, the words above, letters and what continues a word."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ","]
    pieces += sorted((GOOD_WORDS | BAD_WORDS | OTHER_WORDS) - set(letters))
    pieces += [*letters, *(f"##{letter}" for letter in letters)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return path


RECIPE = """\
name: tiny
data:
  path: data/*.csv
encoder: {layers: 1, width: 32, heads: 2, vocab: vocab.txt}
max_tokens: 16
train: {epochs: 3, batch_size: 16, learning_rate: 3.0e-3, warmup: 0.1}
gate:
  accuracy: {at_least: 0.8}
  slices: [category]
"""


def write_project(folder: Path, rows: int = 400, shuffled: bool = False) -> Path:
    """Data, vocabulary and a recipe that trains in seconds; gives the recipe."""
    write_reviews(folder / "data" / "reviews.csv", rows, shuffled=shuffled)
    write_vocabulary(folder / "vocab.txt")
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")
    return recipe


PLACES = ["Oslo", "Lima", "Cairo", "Quito"]
PERSONS = ["Ada", "Bo", "Cleo", "Dag"]
SURNAMES = ["Holm", "Berg", "Falk"]

TAGGER_RECIPE = """\
name: tiny
task: tag
head: crf
data:
  path: data/*.conll
encoder: {layers: 1, width: 32, heads: 2, vocab: vocab.txt}
max_tokens: 16
train: {epochs: 3, batch_size: 16, learning_rate: 3.0e-3, head_rate: 5, warmup: 0.1}
gate:
  entity_f1: {at_least: 0.8}
"""


def sentence(rng: random.Random) -> list[tuple[str, str]]:
    """Words and IOB2 tags; a place is one word, a person one or two."""
    words: list[tuple[str, str]] = []
    for _ in range(rng.randint(1, 3)):
        words += [(word, "O") for word in rng.choices(sorted(OTHER_WORDS), k=rng.randint(1, 4))]
        if rng.random() < 0.5:
            words.append((rng.choice(PLACES), "B-LOC"))
        else:
            words.append((rng.choice(PERSONS), "B-PER"))
            words += [(rng.choice(SURNAMES), "I-PER")] * rng.randint(0, 1)
    return [*words, (".", "O")]


def write_tagger_project(folder: Path, rows: int = 400) -> Path:
    """As `write_project`, for a tagger."""
    rng = random.Random(1)
    sentences = [sentence(rng) for _ in range(rows)]
    blocks = ["".join(f"{word} {tag}\n" for word, tag in words) for words in sentences]
    data = folder / "data" / "news.conll"
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text("\n".join(blocks), encoding="utf-8")
    write_vocabulary(folder / "vocab.txt")
    names = "\n".join(name.lower() for name in PLACES + PERSONS + SURNAMES)
    with (folder / "vocab.txt").open("a") as file:
        file.write(names + "\n")
    recipe = folder / "recipe.yaml"
    recipe.write_text(TAGGER_RECIPE, encoding="utf-8")
    return recipe
