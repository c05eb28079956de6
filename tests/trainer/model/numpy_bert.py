"""BERT's forward in NumPy, written from the paper, to hold the encoder to. Imports none of ours.

One text at a time, no padding, three separate products, [out, in] weights as the file has them:
as unlike the encoder as can be.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file

_erf = np.vectorize(math.erf, otypes=[np.float64])


class Forward(NamedTuple):
    hidden_states: list[np.ndarray]  # [tokens, width] each, embeddings first
    attentions: list[np.ndarray]  # [heads, tokens, tokens] each
    pooled: np.ndarray  # [width]


class NumpyBert:
    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        tensors = load_file(folder / "model.safetensors")
        self.weights = {name: value.astype(np.float64) for name, value in tensors.items()}

    def __call__(self, ids: list[int], types: list[int]) -> Forward:
        """Real tokens of one text; every number in float64."""
        x = self._embed(np.array(ids), np.array(types))
        states, attentions = [x], []
        for number in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{number}."
            context, probabilities = self._attend(layer + "attention.self.", x)
            x = self._add(layer + "attention.output.", x, context)
            inner = _ACTIVATIONS[self.config["hidden_act"]](
                self._dense(layer + "intermediate.dense", x)
            )
            x = self._add(layer + "output.", x, inner)
            states.append(x)
            attentions.append(probabilities)
        return Forward(states, attentions, np.tanh(self._dense("pooler.dense", x[0])))

    def _embed(self, ids: np.ndarray, types: np.ndarray) -> np.ndarray:
        rows = {"word": ids, "position": np.arange(len(ids)), "token_type": types}
        tables = {kind: self.weights[f"embeddings.{kind}_embeddings.weight"] for kind in rows}
        return self._norm("embeddings.", sum(tables[kind][rows[kind]] for kind in rows))

    def _attend(self, name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heads = self.config["num_attention_heads"]
        q, k, v = (
            np.split(self._dense(name + part, x), heads, axis=1)
            for part in ("query", "key", "value")
        )
        probabilities = [_softmax(q[a] @ k[a].T / math.sqrt(q[a].shape[1])) for a in range(heads)]
        context = np.concatenate([probabilities[a] @ v[a] for a in range(heads)], axis=1)
        return context, np.stack(probabilities)

    def _add(self, name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self._norm(name, x + self._dense(name + "dense", y))

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        scaled = (x - x.mean(1, keepdims=True)) / np.sqrt(
            x.var(1, keepdims=True) + self.config["layer_norm_eps"]
        )
        scale, shift = (self.weights[f"{name}LayerNorm.{end}"] for end in ("weight", "bias"))
        return scaled * scale + shift


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _tanh_gelu(x: np.ndarray) -> np.ndarray:
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


_ACTIVATIONS = {
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "gelu_new": _tanh_gelu,
    "relu": lambda x: np.maximum(x, 0),
}
