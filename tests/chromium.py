"""The system's Chromium, driven by Playwright, which brings no browser of its own here."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "no Chromium: apt-get install chromium, or name one in RAWBERT_CHROMIUM"
WAIT_MS = 120_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str:
    """The browser to start; a test without one is skipped, in CI it fails."""
    found = os.environ.get("RAWBERT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    return pytest.fail(INSTALL) if os.environ.get("CI") == "true" else pytest.skip(INSTALL)


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """A Playwright browser."""
    path = program()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)  # of 5 s by default: too short for a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=WAIT_MS)
        yield browser
        browser.close()
