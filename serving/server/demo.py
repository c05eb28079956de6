"""The demo page of `serving/web` beside the REST API: same origin, so that no CORS is needed.

The page asks `/v1/models/…` like any other client. The API has no call that lists the models, so
their names are written into the page whenever it is sent.
"""

import html
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/demo/"
_WEB = Path(__file__).parents[1] / "web"
# By name of ending: what the system's table of types says of .js depends on the machine.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_NAMES = 'name="models" content="[]"'


def routes(names: Callable[[], Iterable[str]]) -> list[Route]:
    """The page and its files; `names` gives the models to choose from, asked at each load."""

    async def page(request: Request) -> Response:
        quoted = html.escape(json.dumps(list(names())))
        text = (_WEB / "index.html").read_text(encoding="utf-8")
        return _response(text.replace(_NAMES, f'name="models" content="{quoted}"', 1), ".html")

    files = [file for file in sorted(_WEB.iterdir()) if file.suffix in (".css", ".js", ".svg")]
    return [Route(PATH, page), *(Route(PATH + file.name, _sender(file)) for file in files)]


def _sender(file: Path) -> Callable[[Request], object]:
    async def send(request: Request) -> Response:
        return _response(file.read_text(encoding="utf-8"), file.suffix)

    return send


def _response(text: str, ending: str) -> Response:
    return Response(text, headers={**_HEADERS, "Content-Type": _TYPES[ending]})
