"""What Hugging Face's ``BertModel`` calls our variables, and how large its tensors are.

Its dense weights are [out, in], ours [in, out]; its query, key and value are three tensors, ours
are columns of one.
"""

from trainer.model.config import EncoderConfig

_LAYER = {
    "attention/qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention/output": ("attention.output.dense",),
    "attention/norm": ("attention.output.LayerNorm",),
    "feed_forward/inner": ("intermediate.dense",),
    "feed_forward/output": ("output.dense",),
    "feed_forward/norm": ("output.LayerNorm",),
}
_TABLES = {
    "embeddings/words": "embeddings.word_embeddings.weight",
    "embeddings/positions": "embeddings.position_embeddings.weight",
    "embeddings/types": "embeddings.token_type_embeddings.weight",
}
_OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def canonical(name: str) -> str:
    """A tensor's name as ``BertModel`` writes it today.

    >>> canonical("bert.embeddings.LayerNorm.gamma")
    'embeddings.LayerNorm.weight'
    """
    name = name.removeprefix("bert.")
    for old, new in _OLD_ENDINGS.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def tensors_of(config: EncoderConfig) -> dict[str, tuple[str, ...]]:
    """Our variables, named below ``encoder/``, and the tensors that each is made of, in order."""
    blocks: dict[str, tuple[str, ...]] = {"embeddings/norm": ("embeddings.LayerNorm",)}
    for i in range(config.num_layers):
        for ours, theirs in _LAYER.items():
            blocks[f"layer_{i}/{ours}"] = tuple(f"encoder.layer.{i}.{name}" for name in theirs)
    blocks["pooler"] = ("pooler.dense",)

    tensors: dict[str, tuple[str, ...]] = {ours: (name,) for ours, name in _TABLES.items()}
    for ours, theirs in blocks.items():
        weight, bias = ("gamma", "beta") if ours.endswith("norm") else ("kernel", "bias")
        tensors[f"{ours}/{weight}"] = tuple(f"{name}.weight" for name in theirs)
        tensors[f"{ours}/{bias}"] = tuple(f"{name}.bias" for name in theirs)
    return tensors


def shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of such an encoder, by its canonical name."""
    return {name: _shape(name, config) for names in tensors_of(config).values() for name in names}


def _shape(name: str, config: EncoderConfig) -> tuple[int, ...]:
    width, inner = config.hidden_size, config.intermediate_size
    rows = {
        "embeddings.word_embeddings.weight": config.vocab_size,
        "embeddings.position_embeddings.weight": config.max_positions,
        "embeddings.token_type_embeddings.weight": config.type_vocab_size,
    }
    if name in rows:
        return rows[name], width
    if name.endswith(".bias"):
        return (inner if ".intermediate." in name else width,)
    if "LayerNorm" in name:
        return (width,)
    if ".intermediate." in name:
        return inner, width
    if name.endswith(".output.dense.weight") and ".attention." not in name:
        return width, inner
    return width, width
