"""Checkpoints: what is loaded, under all the names there are, and what is refused and how."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from trainer.errors import BadInput
from trainer.model.checkpoints import safetensors
from trainer.model.checkpoints.safetensors import check, load, save
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder

Tensors = dict[str, np.ndarray]


def rewrite(folder: Path, change: Callable[[Tensors], Tensors]) -> None:
    """Changes the tensors of a checkpoint, in place."""
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")


def bfloat16(folder: Path) -> None:
    """Rewrites a checkpoint in a type that NumPy does not know: the upper half of float32."""
    tensors = load_file(folder / "model.safetensors")
    header, body = {}, b""
    for name, value in tensors.items():
        data = (value.view(np.uint32) >> 16).astype("<u2").tobytes()
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "BF16", "shape": value.shape, "data_offsets": offsets}
        body += data
    head = json.dumps(header).encode()
    path = folder / "model.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)


def old_names(tensors: Tensors) -> Tensors:
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    for new, ending in old.items():
        tensors = {name.replace(new, ending): value for name, value in tensors.items()}
    return tensors


VARIANTS = {
    "as written": (lambda tensors: tensors, 0.0),
    "below bert.": (lambda tensors: {f"bert.{n}": v for n, v in tensors.items()}, 0.0),
    "gamma and beta": (old_names, 0.0),
    "both": (lambda tensors: {f"bert.{n}": v for n, v in old_names(tensors).items()}, 0.0),
    "float64": (lambda tensors: {n: v.astype(np.float64) for n, v in tensors.items()}, 0.0),
    "float16": (lambda tensors: {n: v.astype(np.float16) for n, v in tensors.items()}, 1e-3),
}


@pytest.mark.parametrize(("change", "within"), VARIANTS.values(), ids=VARIANTS.keys())
def test_loads(tiny: EncoderConfig, tiny_folder: Path, change: Callable, within: float) -> None:
    rewrite(tiny_folder, change)
    encoder = Encoder(tiny, seed=99)
    report = load(encoder, tiny_folder)
    assert len(report.loaded) == len(load_file(tiny_folder / "model.safetensors")) == 39
    assert report.missing == report.unexpected == report.wrong_shape == ()
    for ours, written in zip(encoder.get_weights(), Encoder(tiny).get_weights(), strict=True):
        np.testing.assert_allclose(ours, written, rtol=within, atol=1e-7)


def test_loads_bfloat16(tiny: EncoderConfig, tiny_folder: Path) -> None:
    bfloat16(tiny_folder)
    encoder = Encoder(tiny, seed=99)
    load(encoder, tiny_folder)
    for ours, written in zip(encoder.get_weights(), Encoder(tiny).get_weights(), strict=True):
        np.testing.assert_allclose(ours, written, rtol=2**-7)


def test_saves_what_it_loaded(minilm: Path, tmp_path: Path) -> None:
    encoder = Encoder(EncoderConfig.from_json(minilm))
    load(encoder, minilm)
    save(encoder, tmp_path / "again")
    theirs = load_file(minilm / "model.safetensors")
    ours = load_file(tmp_path / "again" / "model.safetensors")
    assert set(theirs) - set(ours) == {"embeddings.position_ids"}
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert EncoderConfig.from_json(tmp_path / "again") == encoder.config


def test_saves_nothing_where_it_may_not(tiny: EncoderConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        save(Encoder(tiny), tmp_path / "file")


def test_missing_pooler_is_reported_and_starts_afresh(
    tiny: EncoderConfig, tiny_folder: Path
) -> None:
    rewrite(tiny_folder, lambda tensors: {n: v for n, v in tensors.items() if "pooler" not in n})
    encoder, fresh = Encoder(tiny, seed=99), Encoder(tiny, seed=99)
    report = load(encoder, tiny_folder)
    assert report.missing == ("pooler.dense.weight", "pooler.dense.bias")
    np.testing.assert_array_equal(encoder.pooler.kernel, fresh.pooler.kernel)
    assert not np.array_equal(encoder.embeddings.words, fresh.embeddings.words)


def test_unexpected_tensors_are_reported(tiny: EncoderConfig, tiny_folder: Path) -> None:
    others = {
        "embeddings.position_ids": np.arange(16)[None],
        "cls.predictions.bias": np.zeros(30, np.float32),
    }
    rewrite(tiny_folder, lambda tensors: tensors | others)
    assert set(load(Encoder(tiny), tiny_folder).unexpected) == set(others)


def test_without_weights_the_encoder_keeps_its_own(tiny: EncoderConfig, tiny_folder: Path) -> None:
    (tiny_folder / "model.safetensors").unlink()
    encoder = Encoder(tiny, seed=5)
    report = load(encoder, tiny_folder)
    assert check(tiny_folder).from_scratch
    assert (report.loaded, len(report.missing)) == ((), 39)
    for ours, first in zip(encoder.get_weights(), Encoder(tiny, seed=5).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, first)


def test_vocabulary_may_be_shorter_than_the_embeddings(tiny_folder: Path) -> None:
    (tiny_folder / "vocab.txt").write_text("piece\n" * 27 + "no line end")
    assert check(tiny_folder).vocabulary == 28


def test_encoder_of_another_config_is_a_mistake(tiny_folder: Path) -> None:
    with pytest.raises(ValueError, match="was not made from"):
        load(Encoder(EncoderConfig(30, 8, 1, 2, 12)), tiny_folder)


# Bad checkpoints: what is done to a good one, and what the error says.


def cut(folder: Path, to: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:to])


def replace_tensor(name: str, value: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder, lambda tensors: tensors | {name: value})


def drop(part: str) -> Callable[[Path], None]:
    return lambda folder: rewrite(
        folder, lambda tensors: {n: v for n, v in tensors.items() if part not in n}
    )


def write(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content)  # type: ignore[return-value]


def configure(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def only_pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


QUERY = "encoder.layer.1.attention.self.query"
BAD = {
    "cut short by one byte": (lambda f: cut(f, -1), "cut short: 9,"),
    "cut short in the header": (lambda f: cut(f, 500), "not a safetensors file"),
    "empty": (lambda f: cut(f, 0), "not a safetensors file"),
    "a page of a proxy": (
        write("model.safetensors", "<html>log in first</html>" * 9),
        "not a safetensors file",
    ),
    "header that is a list": (
        lambda f: (f / "model.safetensors").write_bytes(b"\x02" + b"\0" * 7 + b"[]"),
        "not a safetensors file",
    ),
    "another format only": (only_pickled, "there is pytorch_model.bin, but no model.safetensors"),
    "wrong shape": (
        replace_tensor(f"{QUERY}.weight", np.zeros((8, 4), np.float32)),
        f"tensor '{QUERY}.weight' is [8, 4], but config.json asks for [8, 8]",
    ),
    "config of a wider encoder": (
        configure(hidden_size=16),
        "is [30, 8], but config.json asks for [30, 16] (36 more like it)",
    ),
    "config of a deeper encoder": (
        configure(num_hidden_layers=3),
        "tensor 'encoder.layer.2.attention.self.query.weight' is missing (15 more like it)",
    ),
    "config of a larger vocabulary": (
        configure(vocab_size=40),
        "tensor 'embeddings.word_embeddings.weight' is [30, 8]",
    ),
    "one tensor missing": (
        drop("layer.0.output.dense.bias"),
        "tensor 'encoder.layer.0.output.dense.bias' is missing",
    ),
    "nothing of BERT in it": (
        lambda f: rewrite(f, lambda _: {"gpt.wte": np.zeros(3, np.float32)}),
        "tensor 'embeddings.word_embeddings.weight' is missing",
    ),
    "quantized": (
        replace_tensor(f"{QUERY}.weight", np.zeros((8, 8), np.int8)),
        f"tensor '{QUERY}.weight' is of type I8",
    ),
    "vocabulary too long": (
        write("vocab.txt", "piece\n" * 32),
        "32 lines, but the encoder has embeddings for 30",
    ),
    "vocabulary absent": (lambda f: (f / "vocab.txt").unlink(), "no such file"),
    "config absent": (lambda f: (f / "config.json").unlink(), "no such file"),
}
BAD_VALUES = {
    "not finite": (
        replace_tensor(f"{QUERY}.bias", np.full(8, np.nan, np.float32)),
        f"tensor '{QUERY}.bias' holds NaN or infinity",
    ),
}


@pytest.mark.parametrize(("damage", "says"), BAD.values(), ids=BAD.keys())
def test_check_refuses(tiny_folder: Path, damage: Callable, says: str) -> None:
    check(tiny_folder)
    damage(tiny_folder)
    with pytest.raises(BadInput) as error:
        check(tiny_folder)
    assert says in error.value.found
    assert error.value.where.startswith(str(tiny_folder))
    assert error.value.fix


@pytest.mark.parametrize(
    ("damage", "says"), (BAD | BAD_VALUES).values(), ids=(BAD | BAD_VALUES).keys()
)
def test_load_refuses_and_leaves_the_encoder_as_it_was(
    tiny: EncoderConfig, tiny_folder: Path, damage: Callable, says: str
) -> None:
    damage(tiny_folder)
    encoder = Encoder(tiny, seed=5)
    with pytest.raises(BadInput) as error:
        load(encoder, tiny_folder)
    assert says in error.value.found
    for ours, first in zip(encoder.get_weights(), Encoder(tiny, seed=5).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, first)


def test_checking_needs_neither_tensorflow_nor_keras(tiny_folder: Path) -> None:
    program = (
        "import sys; from trainer.model.checkpoints import safetensors;"
        "safetensors.check(sys.argv[1]);"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tiny_folder)], check=True)
    assert safetensors.WEIGHTS == "model.safetensors"
