"""Encoders laid out as the folder that the trainer reads, and what is refused before a run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_encoder

from components.encoder_folder import check_encoder, fingerprint, lay_out
from trainer.errors import BadInput
from trainer.model.config import EncoderConfig

VOCABULARY = tiny_encoder.files()["vocab.txt"]
TOKENIZER = {
    "model": {"type": "WordPiece", "vocab": {p: i for i, p in enumerate(tiny_encoder.PIECES)}},
    "normalizer": {"type": "BertNormalizer", "lowercase": False, "strip_accents": None},
}


def scratch(**others: Any) -> str:
    return json.dumps({"layers": 1, "width": 4, "heads": 2} | others)


def changed_tokenizer(**normalizer: Any) -> bytes:
    return json.dumps(TOKENIZER | {"normalizer": TOKENIZER["normalizer"] | normalizer}).encode()


def test_a_local_folder_is_laid_out_whole(tmp_path: Path) -> None:
    source = tiny_encoder.write(tmp_path / "mine")
    said = lay_out(str(source), tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == {
        **tiny_encoder.files(),
        "tokenizer_config.json": b'{"do_lower_case": true}\n',
    }
    assert said["lower_case"] is True
    assert said["from_scratch"] is False
    assert len(said["sha256"]) == 64


@pytest.mark.parametrize(
    ("files", "lower"),
    [
        ({"tokenizer_config": b'{"do_lower_case": false}'}, False),
        ({"tokenizer_config": None, "tokenizer": changed_tokenizer(lowercase=True)}, True),
        ({"tokenizer_config": None, "tokenizer": changed_tokenizer(lowercase=False)}, False),
        ({"tokenizer_config": b"{}", "tokenizer": changed_tokenizer(lowercase=True)}, True),
        ({"tokenizer": changed_tokenizer(lowercase=False)}, True),
    ],
    ids=["tokenizer_config", "normalizer true", "normalizer false", "tokenizer_config is silent",
         "tokenizer_config wins"],
)  # fmt: skip
def test_who_says_whether_letters_are_lowered(
    tmp_path: Path, files: dict[str, bytes | None], lower: bool
) -> None:
    source = tiny_encoder.write(tmp_path / "mine", **files)
    assert lay_out(str(source), tmp_path / "out")["lower_case"] is lower


def test_a_vocabulary_is_written_from_tokenizer_json(tmp_path: Path) -> None:
    tokenizer = json.dumps(TOKENIZER).encode()
    source = tiny_encoder.write(tmp_path / "mine", vocab=None, tokenizer=tokenizer)
    lay_out(str(source), tmp_path / "out")
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == VOCABULARY


@pytest.mark.parametrize(
    ("files", "found", "fix"),
    [
        ({"config": None}, "lacks config.json", "config.json, model.safetensors and vocab.txt"),
        ({"model": None}, "lacks model.safetensors", "save_pretrained"),
        ({"vocab": None}, "lacks vocab.txt", "vocab.txt"),
        ({"config": b"{"}, "not JSON", "Fetch"),
        ({"config": b'{"model_type": "distilbert"}'}, 'model_type "distilbert"', '"bert"'),
        ({"model": tiny_encoder.files()["model.safetensors"][:-9]}, "cut short", "again"),
        ({"model": b""}, "not a safetensors file", "again"),
        ({"vocab": VOCABULARY + b"more\nlines\n"}, "12 lines", "belongs to the checkpoint"),
        ({"vocab": VOCABULARY.replace(b"[SEP]", b"[END]")}, "[SEP]", "belongs to the encoder"),
        ({"vocab": VOCABULARY.replace(b"bad", b"good")}, "good", ""),
        ({"vocab": b""}, "empty", "One piece a line"),
        ({"tokenizer_config": None}, "whether the encoder is cased", '{"do_lower_case": true}'),
        (
            {"tokenizer_config": b'{"do_lower_case": true, "tokenize_chinese_chars": false}'},
            "CJK",
            "choose an encoder",
        ),
        ({"tokenizer": changed_tokenizer(strip_accents=False)}, "strip_accents False", "choose an"),
        ({"vocab": None, "tokenizer": b'{"model": {"type": "BPE"}}'}, "BPE", "WordPiece"),
    ],
    ids=["no config", "no weights", "no vocabulary", "config is not JSON", "another family",
         "checkpoint cut short", "empty checkpoint", "vocabulary too long", "no [SEP]",
         "a piece twice", "empty vocabulary", "casing unknown", "CJK kept together",
         "accents kept", "BPE"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_runs(
    tmp_path: Path, files: dict[str, bytes | None], found: str, fix: str
) -> None:
    source = tiny_encoder.write(tmp_path / "mine", **files)
    with pytest.raises(BadInput) as caught:
        check_encoder(str(source))
    assert found in caught.value.found
    assert fix in caught.value.fix
    assert str(source) in caught.value.where


@pytest.mark.parametrize("vocab", ["encoder", "encoder/vocab.txt"], ids=["folder", "file"])
def test_an_encoder_from_scratch(tmp_path: Path, vocab: str) -> None:
    tiny_encoder.write(tmp_path / "encoder")
    source = scratch(vocab=str(tmp_path / vocab), lower_case=False, dropout=0.2)
    said = lay_out(source, tmp_path / "out")
    config = EncoderConfig.from_json(tmp_path / "out")
    assert (config.vocab_size, config.hidden_size, config.intermediate_size) == (10, 4, 16)
    assert (config.max_positions, config.dropout, config.attention_dropout) == (512, 0.2, 0.2)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "config.json", "tokenizer_config.json", "vocab.txt",
    ]  # fmt: skip
    assert (said["from_scratch"], said["lower_case"]) == (True, False)


@pytest.mark.parametrize(
    ("mapping", "found", "fix"),
    [
        ({"vocab": "no/such/vocab.txt"}, "no such file", "local path"),
        ({"vocab": "{tmp}"}, "holds no vocab.txt", "Name a vocab.txt"),
        ({"vocab": "{tmp}/v.txt", "hedas": 2}, "unknown key hedas", "heads"),
        ({}, "no vocab", "keys"),
        ({"vocab": "{tmp}/v.txt", "heads": 3}, "no multiple", "same width"),
        ({"vocab": "pipy:x==1"}, '"pipy:"', "Did you mean pypi:x==1?"),
    ],
    ids=["no file", "no vocabulary", "unknown key", "key absent", "heads", "unknown scheme"],
)
def test_an_encoder_from_scratch_that_cannot_be(
    tmp_path: Path, mapping: dict[str, Any], found: str, fix: str
) -> None:
    (tmp_path / "v.txt").write_bytes(VOCABULARY)
    source = scratch(**mapping).replace("{tmp}", str(tmp_path))
    with pytest.raises(BadInput) as caught:
        check_encoder(source)
    assert found in caught.value.found
    assert fix in caught.value.fix


@pytest.mark.parametrize("name", ["vocab.txt", "config.json", "model.safetensors"])
def test_the_fingerprint_is_that_of_the_content(tmp_path: Path, name: str) -> None:
    source = tiny_encoder.write(tmp_path / "mine")
    before = fingerprint(str(source))
    shutil.copytree(source, tmp_path / "copy")
    (source / "README.md").write_text("not read by anyone")
    assert fingerprint(str(source)) == fingerprint(str(tmp_path / "copy")) == before
    (source / name).write_bytes((source / name).read_bytes() + b" ")
    assert fingerprint(str(source)) != before


def test_the_fingerprint_of_an_encoder_from_scratch(tmp_path: Path) -> None:
    vocabulary = tmp_path / "v.txt"
    vocabulary.write_bytes(VOCABULARY)
    before = fingerprint(scratch(vocab=str(vocabulary)))
    assert fingerprint(scratch(vocab=str(vocabulary), layers=2)) != before
    vocabulary.write_bytes(VOCABULARY.replace(b"bad", b"poor"))
    assert fingerprint(scratch(vocab=str(vocabulary))) != before
