"""The dimensions of a BERT encoder, as Hugging Face's ``config.json`` writes them.

Light on purpose: the importer of encoders reads it without TensorFlow.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from trainer.errors import BadInput

# Our field ▶ Hugging Face's key (https://huggingface.co/docs/transformers/model_doc/bert).
_KEYS = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_positions": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
    "layer_norm_eps": "layer_norm_eps",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "pad_id": "pad_token_id",
    "initializer_range": "initializer_range",
}
_REQUIRED = ("vocab_size", "hidden_size", "num_layers", "num_heads", "intermediate_size")

#: The activations there are; the three of the middle are one function, GELU's tanh approximation.
ACTIVATIONS = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu")


@dataclass(frozen=True)
class EncoderConfig:
    """Dimensions and rates of one encoder; the defaults are BERT's, where BERT has one."""

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    activation: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    pad_id: int = 0
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        _check(self, where="config.json")

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads

    @property
    def product_weights(self) -> int:
        """Weights of the layers' dense products: q, k, v, output; inner and output."""
        width = self.hidden_size
        return self.num_layers * (4 * width * width + 2 * width * self.intermediate_size)

    @classmethod
    def from_json(cls, path: str | Path) -> "EncoderConfig":
        """Reads Hugging Face's ``config.json``.

        Args:
            path: the file, or the folder it is in.

        Raises:
            BadInput: no such file, not JSON, not a BERT, a key absent or of no use.
        """
        path = Path(path)
        path = path / "config.json" if path.is_dir() else path
        values = _read(path)
        _check_kind(values, where=str(path))
        for field in _REQUIRED:
            if _KEYS[field] not in values:
                raise BadInput(
                    f"the key {_KEYS[field]!r} is absent.",
                    where=str(path),
                    fix="Take the config.json that came with the checkpoint.",
                )
        known = {field: values[key] for field, key in _KEYS.items() if values.get(key) is not None}
        try:
            return cls(**known)
        except BadInput as bad:
            raise BadInput(bad.found, where=str(path), fix=bad.fix) from None

    def as_huggingface(self) -> dict[str, Any]:
        """What ``config.json`` holds, so that transformers' ``BertModel`` reads it."""
        values = {key: getattr(self, field) for field, key in _KEYS.items()}
        return {"model_type": "bert", "architectures": ["BertModel"], **values}

    def to_json(self, path: str | Path) -> None:
        """Writes ``config.json``."""
        Path(path).write_text(json.dumps(self.as_huggingface(), indent=2) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(
            "no such file.", where=str(path), fix="An encoder's folder holds a config.json."
        ) from None
    except ValueError as error:
        raise BadInput(
            f"not JSON: {error}.", where=str(path), fix="Fetch the encoder again."
        ) from None
    if not isinstance(values, dict):
        raise BadInput("not a JSON object.", where=str(path), fix="Fetch the encoder again.")
    return values


def _check_kind(values: dict[str, Any], where: str) -> None:
    """A RoBERTa or DistilBERT has other weights or other position ids under similar keys."""
    expected = {"model_type": "bert", "position_embedding_type": "absolute", "is_decoder": False}
    for key, value in expected.items():
        if values.get(key, value) != value:
            raise BadInput(
                f"{key} is {values[key]!r}, and only {value!r} is known here.",
                where=where,
                fix="Take a BERT encoder, e.g. one whose model_type is 'bert'.",
            )


def _check(config: EncoderConfig, where: str) -> None:
    for field in fields(config):
        value, key = getattr(config, field.name), _KEYS[field.name]
        fix = problem = ""
        if field.type is int and (not isinstance(value, int) or isinstance(value, bool)):
            problem, fix = f"{key} is {value!r}.", "It is a whole number."
        elif field.type is int and value < (0 if field.name == "pad_id" else 1):
            problem, fix = f"{key} is {value}.", "It is 1 or more."
        elif field.type is float and not isinstance(value, (int, float)):
            problem, fix = f"{key} is {value!r}.", "It is a number."
        elif "dropout" in field.name and not 0 <= value < 1:
            problem, fix = f"{key} is {value}.", "It is at least 0 and less than 1."
        if problem:
            raise BadInput(problem, where=where, fix=fix)
    if config.activation not in ACTIVATIONS:
        raise BadInput(
            f"hidden_act is {config.activation!r}.",
            where=where,
            fix=f"Known are {', '.join(ACTIVATIONS)}.",
        )
    if config.hidden_size % config.num_heads:
        raise BadInput(
            f"hidden_size {config.hidden_size} is no multiple of"
            f" num_attention_heads {config.num_heads}.",
            where=where,
            fix="Every head has the same width.",
        )
