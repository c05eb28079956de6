"""The demo page's files beside the REST API, which stays as it is."""

import http.client
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from serving.server.demo import routes
from serving.server.main import RunningServer, start

WEB = Path(routes.__code__.co_filename).parents[1] / "web"


@pytest.fixture(scope="module")
def demo(exported: Path) -> Iterator[RunningServer]:
    with start(exported / "1", name='t"<&>', port=0, rest_port=0, demo=True) as running:
        yield running


def get(server: RunningServer, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    connection.request(method, path)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return response.status, headers, response.read().decode()


class Names(HTMLParser):
    """What the page's meta element `models` holds."""

    found: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "meta" and about.get("name") == "models":
            self.found = about["content"] or ""


def test_the_models_names_are_in_the_page(demo: RunningServer) -> None:
    names = Names()
    names.feed(get(demo, "/demo/")[2])
    assert json.loads(names.found) == ['t"<&>']


@pytest.mark.parametrize("file", sorted(WEB.iterdir()), ids=lambda file: file.name)
def test_each_file_is_sent_as_what_it_is(demo: RunningServer, file: Path) -> None:
    name = "" if file.name == "index.html" else file.name
    status, headers, text = get(demo, f"/demo/{name}")
    types = {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg",
    }
    assert status == 200
    assert headers["content-type"].startswith(types[file.suffix])
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert name == "" or text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(WEB.iterdir()), ids=lambda file: file.name)
def test_no_file_names_another_host(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "://" not in text
    assert "innerHTML" not in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/demo", 307),
        ("POST", "/demo/", 405),
        ("GET", "/demo/../demo.py", 404),
        ("GET", "/demo/no.js", 404),
        ("GET", "/", 404),
        ("GET", "/v1/models/none", 404),
        ("GET", "/v1/models/t%22%3C&%3E", 200),
    ],
)
def test_what_else_is_asked(demo: RunningServer, method: str, path: str, status: int) -> None:
    assert get(demo, path, method)[0] == status


def test_without_the_flag_there_is_no_page(server: RunningServer) -> None:
    status, _, text = get(server, "/demo/")
    assert (status, json.loads(text)) == (404, {"error": "Malformed request: GET /demo/"})
    assert server.demo_url is None
