"""Plain data as YAML that people read: keys in the order given, long texts in blocks."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(*documents: Any) -> str:
    """One YAML stream."""
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000, indent=2
    )
