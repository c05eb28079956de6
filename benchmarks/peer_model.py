"""A pushed classifier as a folder that transformers, and servers built on it, load.

    python benchmarks/peer_model.py out/reviews/serving/reviews/1795322636 out/peer/reviews

Reads the weights out of the SavedModel itself, so that both sides have the same ones: its variables
lie in the order of `trainer/model/checkpoints/names.py`, the head's two last.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from trainer.model.checkpoints.names import tensors_of
from trainer.model.config import EncoderConfig

HEADS = 12  # of MiniLM and BERT-base; no tensor's shape tells


def main() -> None:
    """Converts one version."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", type=Path, help="a version's folder")
    parser.add_argument("to", type=Path)
    parser.add_argument("--heads", type=int, default=HEADS)
    parser.add_argument("--cased", action="store_true")
    given = parser.parse_args()
    print(write(given.version, given.to, given.heads, not given.cased))


def write(version: Path, to: Path, heads: int = HEADS, lower_case: bool = True) -> Path:
    """Writes a `BertForSequenceClassification` with its tokenizer; returns the folder.

    Args:
        version: a pushed classifier.
        to: is made; files of an earlier call are replaced.
        heads: attention heads of the encoder.
        lower_case: whether its vocabulary is uncased.
    """
    from safetensors.numpy import save_file

    variables = variables_of(version)
    card = json.loads((version / "assets.extra" / "rawbert.json").read_text())
    config = config_of(variables, heads)
    to.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(variables, config), to / "model.safetensors", metadata={"format": "pt"})
    _write_json(to / "config.json", _of_a_classifier(config, card["labels"]))
    tokenizer = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower_case,
        "model_max_length": card["max_tokens"],
    }
    _write_json(to / "tokenizer_config.json", tokenizer)
    shutil.copyfile(version / "assets" / "vocab.txt", to / "vocab.txt")
    return to


def variables_of(version: Path) -> list[np.ndarray]:
    """A pushed model's, in their order there."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    found = {
        int(key.split("/")[1]): reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if key.startswith("_variables/")
    }
    return [found[number] for number in range(len(found))]


def config_of(variables: list[np.ndarray], heads: int) -> EncoderConfig:
    """The encoder's dimensions, read off the shapes of a classifier's variables."""
    words, positions, types = variables[:3]
    inner = variables[11]  # the first layer's, after its attention's four and norm's two
    return EncoderConfig(
        vocab_size=words.shape[0],
        hidden_size=words.shape[1],
        num_layers=(len(variables) - 9) // 12,
        num_heads=heads,
        intermediate_size=inner.shape[1],
        max_positions=positions.shape[0],
        type_vocab_size=types.shape[0],
    )


def _tensors(variables: list[np.ndarray], config: EncoderConfig) -> dict[str, np.ndarray]:
    """By Hugging Face's names: kernels transposed, query, key and value apart."""
    *encoder, kernel, bias = variables
    tensors = {"classifier.weight": _contiguous(kernel.T), "classifier.bias": bias}
    for (ours, names), variable in zip(tensors_of(config).items(), encoder, strict=True):
        for name, part in zip(names, np.split(variable, len(names), axis=-1), strict=True):
            turned = part.T if ours.endswith("/kernel") else part
            tensors[f"bert.{name}"] = _contiguous(turned)
    return tensors


def _contiguous(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array)


def _of_a_classifier(config: EncoderConfig, labels: list[str]) -> dict[str, Any]:
    return {
        **config.as_huggingface(),
        "architectures": ["BertForSequenceClassification"],
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "torch_dtype": "float32",
    }


def _write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
