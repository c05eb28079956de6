"""A page as one HTML file that needs nothing else: no script, no font, no address.

It is written as XML would have it, so that any strict parser can check it.
"""

import os
import re
from pathlib import Path
from typing import Any

import jinja2
import markdown_it
import markupsafe

from pipeline.page.blocks import Page, Section

# Neither HTML nor XML has these, not even escaped.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5"}


def write(page: Page, path: Path) -> Path:
    """Writes the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    half.write_text(render(page), encoding="utf-8")
    os.replace(half, path)
    return path


def render(page: Page) -> str:
    """The HTML."""
    return _template("page.html").render(page=page)


def fragment(section: Section) -> str:
    """A section without its title, as an element of somebody else's page, such as a notebook."""
    return _template("fragment.html").render(section=section)


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(svg=markupsafe.Markup, markdown=_markdown)
    return environment.get_template(name)


def _clean(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, markupsafe.Markup):
        return _NO_CHARACTER.sub("\ufffd", value)
    return value


def _markdown(text: str) -> markupsafe.Markup:
    """Tables, but no address and no raw HTML; its headings stand below the page's own."""
    parser = markdown_it.MarkdownIt("commonmark", {"html": False, "xhtmlOut": True})
    parser.enable("table").disable(["link", "image", "autolink", "reference"])
    tokens = parser.parse(_NO_CHARACTER.sub("\ufffd", text))
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    return markupsafe.Markup(parser.renderer.render(tokens, parser.options, {}))
