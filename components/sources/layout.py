"""What a folder must hold to be an encoder: Hugging Face's layout of a BERT checkpoint."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainer.errors import BadInput

WEIGHTS, VOCABULARY = "model.safetensors", "vocab.txt"
NEEDED = ("config.json", WEIGHTS)
FILES = (*NEEDED, VOCABULARY, "tokenizer_config.json", "tokenizer.json")
_SWITCHES = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")
_CONVERT = (
    "From weights in another format transformers' AutoModel.from_pretrained(…) and "
    "save_pretrained(FOLDER) make model.safetensors: then name FOLDER."
)


def find_encoders(names: Iterable[str]) -> list[str]:
    """The folders of an archive that hold an encoder, shallowest first; "" is the top."""
    folders: dict[str, set[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder, set()).add(file)
    found = [folder for folder, files in folders.items() if files.issuperset(NEEDED)]
    return sorted(found, key=lambda folder: (folder.count("/"), folder))


def check_layout(folder: Path, source: str) -> None:
    """Raises BadInput if `folder` lacks what a BERT encoder needs, or holds another family's.

    Args:
        folder: where the files lie.
        source: what the user wrote, for the message.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not has_vocabulary(folder):
        missing.append(VOCABULARY)
    if missing:
        raise BadInput(
            f"the encoder's folder lacks {', '.join(missing)}; {_holds(folder)}.",
            where=source,
            fix="An encoder is a folder with config.json, model.safetensors and vocab.txt."
            + (f" {_CONVERT}" if WEIGHTS in missing else ""),
        )
    _check_family(read_json(folder / "config.json", source), source)


def _holds(folder: Path) -> str:
    files = sorted(path.name for path in folder.iterdir())
    return (
        f"it holds {', '.join(files[:8])}{' …' if len(files) > 8 else ''}"
        if files
        else "it is empty"
    )


def _check_family(config: dict[str, Any], source: str) -> None:
    """Other families have other layers, other positions, other vocabularies."""
    family = config.get("model_type", "bert")
    if family != "bert":
        raise BadInput(
            f'config.json says model_type "{family}".',
            where=source,
            fix='Choose an encoder of the BERT family (model_type "bert").',
        )


def has_vocabulary(folder: Path) -> bool:
    """Whether there is a vocab.txt, or a tokenizer.json that it can be written from."""
    return (folder / VOCABULARY).is_file() or (folder / "tokenizer.json").is_file()


def vocabulary(folder: Path, source: str) -> bytes:
    """vocab.txt's bytes, or what they would be by tokenizer.json: a piece a line, in id order."""
    if (folder / VOCABULARY).is_file():
        return (folder / VOCABULARY).read_bytes()
    parsed = read_json(folder / "tokenizer.json", source)
    model = parsed.get("model", {})
    ids = {piece["content"]: piece["id"] for piece in parsed.get("added_tokens", [])}
    ids |= model.get("vocab", {}) if model.get("type") == "WordPiece" else {}
    if sorted(ids.values()) != list(range(len(ids))) or not model.get("vocab"):
        raise BadInput(
            "there is no vocab.txt, and tokenizer.json holds no WordPiece vocabulary "
            f"(its model is {model.get('type')}).",
            where=source,
            fix="Choose an encoder with a WordPiece vocabulary (BERT).",
        )
    return "".join(f"{piece}\n" for piece in sorted(ids, key=ids.__getitem__)).encode()


def lower_case(folder: Path, source: str) -> bool:
    """Whether texts are lower-cased and stripped of accents before they are cut into pieces.

    tokenizer_config.json's do_lower_case says so, else tokenizer.json's normalizer.

    Raises:
        BadInput: neither says it, or they ask for what our normalisation cannot do.
    """
    said = _normalization(folder, source)
    lower = said.get("do_lower_case")
    if lower is None:
        raise BadInput(
            "neither tokenizer_config.json (do_lower_case) nor tokenizer.json (normalizer) says "
            "whether the encoder is cased.",
            where=source,
            fix='Write {"do_lower_case": true} for an uncased encoder, or false for a cased '
            "one, into its tokenizer_config.json.",
        )
    strip = said.get("strip_accents")
    if strip is not None and strip != lower:
        raise BadInput(
            f"its tokenizer has do_lower_case {lower} with strip_accents {strip}.",
            where=source,
            fix="Here accents go exactly when letters are lower-cased: choose an encoder that "
            "was trained so.",
        )
    if said.get("tokenize_chinese_chars") is False:
        raise BadInput(
            "its tokenizer does not set CJK characters apart (tokenize_chinese_chars false).",
            where=source,
            fix="Here a CJK character is a word: choose an encoder that was trained so.",
        )
    return bool(lower)


def _normalization(folder: Path, source: str) -> dict[str, Any]:
    """The three switches of BERT's normalisation, under tokenizer_config.json's names."""
    said: dict[str, Any] = {}
    if (folder / "tokenizer.json").is_file():
        normalizer = read_json(folder / "tokenizer.json", source).get("normalizer") or {}
        if normalizer.get("type") == "BertNormalizer":
            said = {
                "do_lower_case": normalizer.get("lowercase"),
                "strip_accents": normalizer.get("strip_accents"),
                "tokenize_chinese_chars": normalizer.get("handle_chinese_chars"),
            }
    if (folder / "tokenizer_config.json").is_file():
        config = read_json(folder / "tokenizer_config.json", source)
        said |= {key: config[key] for key in _SWITCHES if key in config}
    return said


def read_json(path: Path, source: str) -> dict[str, Any]:
    """A JSON object; BadInput naming file and line otherwise."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        line = getattr(error, "lineno", 1)
        raise BadInput(
            f"it is not JSON ({error}).",
            where=f"{source}: {path.name}:{line}",
            fix="Fetch it anew.",
        ) from error
    if not isinstance(parsed, dict):
        raise BadInput(
            "it is no JSON object.", where=f"{source}: {path.name}", fix="Fetch it anew."
        )
    return parsed
