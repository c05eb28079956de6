"""JSON as the standard has it, which is what clients in other languages read."""

import json
from typing import Any


def strict(text: bytes) -> Any:
    """Parses UTF-8 JSON without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text.decode("utf-8"), parse_constant=refuse)
