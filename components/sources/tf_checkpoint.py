"""Google's BERTs in TensorFlow's formats, turned into Hugging Face's layout.

Two families of names are known. The originals (`bert_model.ckpt` with `bert_config.json` and
`vocab.txt`, https://github.com/google-research/bert) and the encoders of TensorFlow's Model Garden
as SavedModels (`assets/vocab.txt`), which TensorFlow Hub and Kaggle give away
(https://github.com/tensorflow/models, official/nlp/tools/tf1_bert_checkpoint_converter_lib.py maps
the first to the second; heads are an axis of their own there).
"""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from trainer.errors import BadInput
from trainer.model.config import EncoderConfig

_LAYER = r"^transformer/layer_(\d+)/"
_ORIGINAL = r"^(?:module/)?bert/"
# Variable's name ▶ transformers' name, up to the last part.
_NAMES = [
    (r"^word_embeddings/embeddings$", "embeddings.word_embeddings.weight"),
    (r"^position_embedding/embeddings$", "embeddings.position_embeddings.weight"),
    (r"^type_embeddings/embeddings$", "embeddings.token_type_embeddings.weight"),
    (r"^embeddings/layer_norm/", "embeddings.LayerNorm."),
    (_LAYER + "self_attention/attention_output/", r"encoder.layer.\1.attention.output.dense."),
    (_LAYER + "self_attention/", r"encoder.layer.\1.attention.self."),
    (_LAYER + "self_attention_layer_norm/", r"encoder.layer.\1.attention.output.LayerNorm."),
    (_LAYER + "intermediate/", r"encoder.layer.\1.intermediate.dense."),
    (_LAYER + "output/", r"encoder.layer.\1.output.dense."),
    (_LAYER + "output_layer_norm/", r"encoder.layer.\1.output.LayerNorm."),
    (r"^pooler_transform/", "pooler.dense."),
    (_ORIGINAL + r"embeddings/(\w+_embeddings)$", r"embeddings.\1.weight"),
    (_ORIGINAL + r"encoder/layer_(\d+)/", r"encoder.layer.\1."),
    (_ORIGINAL + r"(embeddings/LayerNorm|pooler/dense)/", r"\1."),
]
_ENDINGS = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}
_CONFIG, _OBJECTS = "bert_config.json", "_CHECKPOINTABLE_OBJECT_GRAPH"


def prefix_of(folder: Path) -> Path | None:
    """The checkpoint's prefix, as TensorFlow names it; None if the folder holds none."""
    found = [*folder.glob("variables/variables.index"), *sorted(folder.glob("*.ckpt*.index"))]
    return found[0].with_suffix("") if found else None


def convert(folder: Path, target: Path, source: str) -> None:
    """Writes config.json, model.safetensors, vocab.txt and, if known, tokenizer_config.json.

    Args:
        folder: the SavedModel, or the original's folder.
        target: is there already.
        source: what the user wrote, for messages.

    Raises:
        BadInput: it is no BERT encoder of the two families, or cut short.
    """
    import tensorflow as tf
    from safetensors.numpy import save_file

    try:
        reader = tf.train.load_checkpoint(str(prefix_of(folder)))
        keys = _variables(reader)
        tensors = {
            name: _as_huggingface(reader.get_tensor(key), name)
            for variable, key in keys.items()
            if (name := _name(variable))
        }
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:
        fix = "Fetch the model again."
        raise BadInput(f"its variables cannot be read ({error}).", where=source, fix=fix) from error
    if "embeddings.word_embeddings.weight" not in tensors:
        raise _not_a_bert(list(keys), source)
    _config(folder, tensors, source).to_json(target / "config.json")
    save_file(
        {n: t for n, (t, _) in tensors.items()}, target / "model.safetensors", {"format": "pt"}
    )
    _write_tokenizer(folder, target, reader)


def _variables(reader: Any) -> dict[str, str]:
    """Variable's name ▶ key in the checkpoint; TF 2 keeps names beside its objects' paths."""
    if not reader.has_tensor(_OBJECTS):
        return {name: name for name in reader.get_variable_to_shape_map()}
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    graph = TrackableObjectGraph.FromString(reader.get_tensor(_OBJECTS))
    found = [a for node in graph.nodes for a in node.attributes]
    return {a.full_name: a.checkpoint_key for a in found if reader.has_tensor(a.checkpoint_key)}


def _name(variable: str) -> str:
    """transformers' name of a variable; empty for what is no part of the encoder.

    >>> _name("transformer/layer_3/self_attention/query/kernel")
    'encoder.layer.3.attention.self.query.weight'
    """
    for pattern, name in _NAMES:
        changed, count = re.subn(pattern, name, variable)
        if count:
            stem, _, ending = changed.replace("/", ".").rpartition(".")
            return f"{stem}.{_ENDINGS.get(ending, ending)}"
    return ""


def _as_huggingface(values: np.ndarray, name: str) -> tuple[np.ndarray, int]:
    """The tensor as transformers has it, [out, in], and how many heads its shape tells (or 0)."""
    heads = 0
    if ".attention." in name and values.ndim == 3:
        into = name.endswith("attention.output.dense.weight")  # [heads, size, width] ▶ 2-D
        heads = values.shape[0 if into else 1]
        values = values.reshape(-1, values.shape[-1]) if into else values.reshape(len(values), -1)
    elif name.endswith(".bias"):
        values = values.reshape(-1)
    is_kernel = name.endswith(".weight") and "Norm" not in name and "embeddings" not in name
    return np.ascontiguousarray(values.T if is_kernel else values, np.float32), heads


def _config(folder: Path, tensors: dict[str, tuple[np.ndarray, int]], source: str) -> EncoderConfig:
    """bert_config.json as it is, or what the shapes and the graph say."""
    if (folder / _CONFIG).is_file():
        return EncoderConfig.from_json(folder / _CONFIG)
    shapes = {name: tensor.shape for name, (tensor, _) in tensors.items()}
    heads = max(heads for _, heads in tensors.values())
    if not heads or "encoder.layer.0.intermediate.dense.weight" not in shapes:
        fix = f"Put the model's {_CONFIG} beside it."
        raise BadInput("its shapes do not tell the number of heads.", where=source, fix=fix)
    words = shapes["embeddings.word_embeddings.weight"]
    return EncoderConfig(
        vocab_size=words[0],
        hidden_size=words[1],
        num_layers=len([n for n in shapes if n.endswith("intermediate.dense.weight")]),
        num_heads=heads,
        intermediate_size=shapes["encoder.layer.0.intermediate.dense.weight"][0],
        max_positions=shapes["embeddings.position_embeddings.weight"][0],
        type_vocab_size=shapes["embeddings.token_type_embeddings.weight"][0],
        activation=_activation(folder / "saved_model.pb"),
    )


def _activation(path: Path) -> str:
    """Which GELU the graph computes: the Model Garden's is the tanh approximation by default."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    graph = SavedModel.FromString(path.read_bytes()).meta_graphs[0].graph_def
    ops = {node.op for function in graph.library.function for node in function.node_def}
    return "gelu" if "Erf" in ops else "relu" if "Relu" in ops else "gelu_new"


def _write_tokenizer(folder: Path, target: Path, reader: Any) -> None:
    for vocabulary in (folder / "assets" / "vocab.txt", folder / "vocab.txt"):
        if vocabulary.is_file():
            shutil.copyfile(vocabulary, target / "vocab.txt")
    lower = "do_lower_case/.ATTRIBUTES/VARIABLE_VALUE"
    if (folder / "tokenizer_config.json").is_file():
        shutil.copyfile(folder / "tokenizer_config.json", target / "tokenizer_config.json")
    elif reader.has_tensor(lower):
        said = '{"do_lower_case": true}' if reader.get_tensor(lower) else '{"do_lower_case": false}'
        (target / "tokenizer_config.json").write_text(said)


def _not_a_bert(names: list[str], source: str) -> BadInput:
    shown = ", ".join(sorted(names)[:3])
    return BadInput(
        f"its variables ({shown} …) are not those of a BERT encoder that is known here.",
        where=source,
        fix="Use a BERT of the Model Garden or the original release, or the same model by hf:.",
    )
