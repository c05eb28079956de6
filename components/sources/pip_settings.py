"""Which package index, certificates and proxy the user gave pip: ours are the same."""

import ast
import functools
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

# pip's own order: what a later section says wins.
_SECTIONS = ("global", "download", ":env:")
_NO = {"", "0", "false", "no", "off", "n", "f"}


@dataclass(frozen=True)
class PipSettings:
    """What `pip download` would use. Addresses are never written in this project."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    timeout: float = 15.0
    trusted_hosts: tuple[str, ...] = ()


@functools.cache
def listed() -> str:
    """What `pip config list` prints: files and PIP_* variables, merged by pip itself."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise OSError(f"`{' '.join(command)}` failed: {run.stderr.strip()} Is pip installed here?")
    return run.stdout


def read_settings(text: str | None = None) -> PipSettings:
    """Reads pip's configuration.

    Args:
        text: what `pip config list` prints; asked of pip when absent.
    """
    values = _merged(listed() if text is None else text)
    own = [values["index-url"]] if "index-url" in values else [_default_index()]
    indexes = own + values.get("extra-index-url", "").split()
    return PipSettings(
        indexes=() if values.get("no-index", "").lower() not in _NO else tuple(indexes),
        find_links=tuple(values.get("find-links", "").split()),
        cert=values.get("cert", ""),
        client_cert=values.get("client-cert", ""),
        proxy=values.get("proxy", ""),
        timeout=float(values.get("default-timeout", values.get("timeout", 15))),
        trusted_hosts=tuple(values.get("trusted-host", "").split()),
    )


def _merged(text: str) -> dict[str, str]:
    """Lines such as `global.index-url='…'`, the sections laid over one another."""
    sections: dict[str, dict[str, str]] = {name: {} for name in _SECTIONS}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in sections and value:
            sections[section][option] = str(ast.literal_eval(value))
    return {k: v for name in _SECTIONS for k, v in sections[name].items()}


@functools.cache
def _default_index() -> str:
    """Asked of pip in a process of its own.

    Whoever imports pip switches off setuptools' distutils: TFX, which imports setuptools, dies.
    """
    ask = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    run = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    if run.returncode:
        raise OSError(f"pip does not tell its index: {run.stderr.strip()} Set `pip config`'s.")
    return run.stdout.strip()


class Session(requests.Session):
    """HTTP with the user's certificates, proxy, timeout and trusted hosts, as pip has them."""

    def __init__(self, settings: PipSettings) -> None:
        super().__init__()
        self.settings = settings
        self.cert = settings.client_cert or None
        if settings.proxy:
            self.proxies = {"http": settings.proxy, "https": settings.proxy}

    def request(  # type: ignore[override]
        self, method: str | bytes, url: str | bytes, **options: Any
    ) -> requests.Response:
        """As requests', with pip's settings; they are given here since REQUESTS_CA_BUNDLE would
        win over an attribute of the session.
        """
        host = urlsplit(str(url)).hostname or ""
        if any(
            host == urlsplit(f"//{trusted}").hostname for trusted in self.settings.trusted_hosts
        ):
            options["verify"] = False
        elif self.settings.cert:
            options["verify"] = self.settings.cert
        if credentials := _credentials(self.settings.indexes, host):
            options.setdefault("auth", credentials)
        options.setdefault("timeout", self.settings.timeout)
        return super().request(method, url, **options)


def _credentials(indexes: tuple[str, ...], host: str) -> tuple[str, str] | None:
    """An index's `user:password@` is meant for its files too, whose addresses lack it."""
    for index in map(urlsplit, indexes):
        if index.username and index.hostname == host:
            return unquote(index.username), unquote(index.password or "")
    return None
