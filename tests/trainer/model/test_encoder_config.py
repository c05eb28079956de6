"""config.json: what is read, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from trainer.errors import BadInput
from trainer.model.config import EncoderConfig

OLD = {  # what Google's first release had, and no more
    "attention_probs_dropout_prob": 0.2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.3,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}


def written(folder: Path, **changes: object) -> Path:
    values = {key: value for key, value in (OLD | changes).items() if value != "absent"}
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def test_reads_huggingface_keys(tmp_path: Path) -> None:
    expected = EncoderConfig(30522, 768, 12, 12, 3072, dropout=0.3, attention_dropout=0.2)
    assert EncoderConfig.from_json(written(tmp_path)) == expected
    assert EncoderConfig.from_json(tmp_path / "config.json") == expected
    assert expected.layer_norm_eps == 1e-12
    assert expected.head_size == 64


def test_reads_the_real_minilm(minilm: Path) -> None:
    config = EncoderConfig.from_json(minilm)
    assert (config.num_layers, config.hidden_size, config.num_heads) == (6, 384, 12)


def test_written_and_read_again(tiny: EncoderConfig, tmp_path: Path) -> None:
    config = replace(tiny, activation="relu", pad_id=3, layer_norm_eps=1e-5)
    config.to_json(tmp_path / "config.json")
    assert EncoderConfig.from_json(tmp_path) == config


BAD = {
    "another model": ({"model_type": "roberta"}, "model_type is 'roberta'"),
    "relative positions": (
        {"position_embedding_type": "relative_key"},
        "position_embedding_type is 'relative_key'",
    ),
    "a decoder": ({"is_decoder": True}, "is_decoder is True"),
    "unknown activation": ({"hidden_act": "swish"}, "hidden_act is 'swish'"),
    "key absent": ({"hidden_size": "absent"}, "the key 'hidden_size' is absent"),
    "text for a number": ({"hidden_size": "768"}, "hidden_size is '768'"),
    "a fraction": ({"num_hidden_layers": 2.5}, "num_hidden_layers is 2.5"),
    "no layer": ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
    "no position": ({"max_position_embeddings": 0}, "max_position_embeddings is 0"),
    "everything dropped": ({"hidden_dropout_prob": 1.0}, "hidden_dropout_prob is 1.0"),
    "heads do not divide": ({"num_attention_heads": 7}, "768 is no multiple of"),
}


@pytest.mark.parametrize(("changes", "says"), BAD.values(), ids=BAD.keys())
def test_refused(tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(BadInput) as error:
        EncoderConfig.from_json(written(tmp_path, **changes))
    assert says in error.value.found
    assert error.value.where.endswith("config.json")
    assert error.value.fix


@pytest.mark.parametrize("content", [None, "{", "[]", "\x00"], ids=repr)
def test_no_json_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(BadInput, match=r"config\.json"):
        EncoderConfig.from_json(tmp_path)
