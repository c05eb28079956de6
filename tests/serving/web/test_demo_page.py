"""The demo page in a real browser, asking a real server over a real socket."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from chromium import WAIT_MS
from playwright.sync_api import expect

from serving.client import Client
from serving.server.main import RunningServer, start

CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
OpenPage = Callable[..., Any]


def ask(page: Any, text: str) -> None:
    """Types the text and waits for all of its answer."""
    page.get_by_label("Text", exact=True).fill(text)
    settled(page)


def settled(page: Any) -> None:
    page.wait_for_selector("#answer[aria-busy=false]")
    page.wait_for_selector("#pieces[aria-busy=false]", state="attached")


def served(demo: RunningServer, name: str, text: str, signature: str = "serving_default") -> Any:
    """What gRPC answers."""
    with Client(demo.target, name=name) as client:
        return client.predict([text], signature)[0]


def percent(share: float) -> str:
    rounded = f"{share * 100:.1f}"
    if share < 1 and rounded == "100.0":
        return "> 99.9 %"
    return "< 0.1 %" if share > 0 and rounded == "0.0" else f"{rounded} %"


TEXTS = {
    "words": "a good film!",
    "line breaks": "good\n\nbad",
    "emoji": "😀 good 👩‍👩‍👧‍👦 bad",
    "accents": "Très naïve, e\u0301te\u0301",
    "right to left": "שלום good سلام",
    "spaces": "   ",
    "quotes": """it's "so" good\\n""",
    "markup": "<b>good</b> &amp; <!-- bad -->",
    "truncated": "a good film " * 20,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_typed_text_gets_the_served_answer(
    open_page: OpenPage, demo: RunningServer, text: str
) -> None:
    page = open_page("tiny")
    ask(page, text)
    answer, read = served(demo, "tiny", text), served(demo, "tiny", text, "tokenize")
    assert page.inner_text(".headline strong") == answer["label"]
    assert page.inner_text(".headline span") == percent(answer["score"])
    assert page.locator(".bars .name").all_inner_texts() == answer["labels"]
    assert page.locator(".bars .value").all_inner_texts() == list(map(percent, answer["scores"]))
    assert page.locator(".pieces .name").all_inner_texts() == read["pieces"]
    assert page.is_visible("#cut") == (answer["dropped_tokens"] > 0)
    assert answer["label"] in page.inner_text("[role=status]")
    assert page.inner_text("#latency").endswith(" ms")


TAGGED = {
    "plain": "Ada Lovelace saw Zürich.",
    "emoji before": "👩‍👩‍👧‍👦😀 Ada Lovelace, then 𝒳 Paris",
    "no spaces": "去京都 and Иван",
    "accents apart": "u\u0308ber Mu\u0308ller in Paris",
    "right to left": "שלום Paris سلام Ada",
    "line breaks": "Ada\n\n  Paris\tNew York",
    "nobody": "nothing here",
    "markup": "<i>Ada</i> & <script>Paris</script>",
}


@pytest.mark.parametrize("text", TAGGED.values(), ids=TAGGED)
def test_marked_spans_are_the_served_entities(
    open_page: OpenPage, demo: RunningServer, text: str
) -> None:
    page = open_page("tagger")
    ask(page, text)
    answer, read = served(demo, "tagger", text), served(demo, "tagger", text, "tokenize")
    marks = page.locator(".marked mark")
    assert marks.all_text_contents() == answer["entities"]
    types = [mark.get_attribute("data-type") for mark in marks.all()]
    assert types == answer["entity_types"]
    assert page.locator(".marked").text_content() == text
    rows = [row.locator("th, td").all_text_contents() for row in page.locator("tbody tr").all()]
    assert [row[:2] for row in rows] == [
        list(pair) for pair in zip(answer["entities"], types, strict=True)
    ]
    spans = zip(read["starts"], read["ends"], strict=True)
    sources = [text.encode()[start:end].decode() for start, end in spans]
    assert page.locator(".pieces .source").all_text_contents() == sources
    assert page.locator(".pieces .id").all_text_contents() == list(map(str, read["input_word_ids"]))


def test_a_very_long_text_waits_for_the_button(open_page: OpenPage, demo: RunningServer) -> None:
    page, text = open_page("tagger"), "😀 Ada in Paris. " * 400
    page.get_by_label("Text", exact=True).fill(text)
    expect(page.locator("#hint")).to_contain_text("press Ask")
    assert not page.is_visible("#answer")
    page.get_by_role("button", name="Ask").click()
    settled(page)
    assert page.locator(".marked mark").count() == len(served(demo, "tagger", text)["entities"])


def test_markup_stays_text(open_page: OpenPage) -> None:
    page = open_page("tiny")
    text = "<img src=x onerror='window.harm = 1'><script>window.harm = 1</script>"
    ask(page, text)
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.harm") is None


def test_a_lone_surrogate_is_asked_as_a_replacement_character(open_page: OpenPage) -> None:
    page = open_page("tagger")
    page.evaluate(
        r"""() => {
            const area = document.querySelector("textarea");
            area.value = "\ud83d Ada";
            area.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }"""
    )
    settled(page)
    assert page.locator(".marked").text_content() == "\ufffd Ada"
    assert page.locator("mark").all_text_contents() == ["Ada"]


def test_an_empty_text_is_not_asked(open_page: OpenPage) -> None:
    page = open_page("tiny")
    ask(page, "good")
    page.get_by_label("Text", exact=True).fill("")
    page.wait_for_selector("#answer", state="hidden")
    assert "Type or paste" in page.inner_text("#hint")


def test_a_late_answer_to_an_older_text_is_dropped(open_page: OpenPage) -> None:
    page = open_page("odd")
    box = page.get_by_label("Text", exact=True)
    with page.expect_request(lambda sent: sent.method == "POST"):
        box.fill("slow")
    with page.expect_event("requestfailed") as dropped:
        box.fill("quick")
    settled(page)
    assert "ERR_ABORTED" in dropped.value.failure
    assert '"same": "quick"' in page.inner_text("#shown pre")


def test_many_labels_are_ranked_and_folded(open_page: OpenPage, demo: RunningServer) -> None:
    page = open_page("many")
    ask(page, "good")
    answer = served(demo, "many", "good")
    ranked = sorted(zip(answer["scores"], answer["labels"], strict=True), reverse=True)
    assert page.locator(".bars .name").all_text_contents() == [label for _, label in ranked]
    assert page.locator(".bars .name:visible").count() == 8
    page.get_by_text("4 labels more").click()
    assert page.locator(".bars .name:visible").count() == 12
    assert not page.is_visible("#pieces")


@pytest.mark.parametrize(
    ("model", "text", "says"),
    [
        ("nobody", "good", ["does not know this model (404)", "Latest(nobody)"]),
        ("numbers", "good", ["does not take raw text", "takes x (float [?, 3])"]),
        ("odd", "break it", ["refused the request (400)", "broken on purpose"]),
    ],
    ids=["unknown model", "no text", "the graph refuses"],
)
def test_errors_are_told(open_page: OpenPage, model: str, text: str, says: list[str]) -> None:
    page = open_page(model, refused=True)
    page.get_by_label("Text", exact=True).fill(text)
    alert = page.get_by_role("alert")
    alert.get_by_role("button", name="Try again").wait_for()
    assert [part for part in says if part not in alert.inner_text()] == []
    assert not page.is_visible("#answer")


def test_a_pair_of_texts_has_two_boxes(open_page: OpenPage) -> None:
    page, texts = open_page("pair"), ("é😀", "𝒳 two")
    for name, text in zip(("Text", "Text pair"), texts, strict=True):
        page.get_by_label(name, exact=True).fill(text)
    expect(page.locator(".pieces li")).to_have_count(7)
    assert page.inner_text(".headline strong") == "second"
    assert page.locator(".pieces .source").all_text_contents() == list("".join(texts))


def test_an_answer_without_picture_is_shown_as_it_came(open_page: OpenPage) -> None:
    page = open_page("odd")
    ask(page, "good")
    assert "no picture" in page.inner_text("#shown .notice")
    assert '"length": 4' in page.inner_text("#shown pre")


def test_models_are_chosen_by_any_name(
    open_page: OpenPage, demo: RunningServer, folders: dict[str, Path]
) -> None:
    page, odd = open_page("tiny"), next(name for name in folders if "<b>" in name)
    picker = page.get_by_label("Model", exact=True)
    assert picker.locator("option").all_text_contents() == sorted(folders)
    picker.select_option(odd)
    ask(page, "good")
    answer = served(demo, odd, "good")
    assert page.inner_text(".headline span") == percent(answer["score"])
    assert "version 2" in page.inner_text("#version")
    _, _, sent, url = shlex.split(page.locator("#curl").text_content().replace("\\\n", ""))
    assert json.loads(sent) == {"instances": [{"text": "good"}]}
    assert unquote(urlsplit(url).path) == f"/v1/models/{odd}:predict"
    page.reload()
    page.wait_for_selector(".examples:not([hidden])")
    assert picker.input_value() == odd


def test_keys_are_enough(open_page: OpenPage) -> None:
    page = open_page("tagger")
    keys, focused = page.keyboard, "document.activeElement"
    keys.press("Tab")
    assert page.evaluate(f"{focused}.id") == "model"
    keys.press("Tab")
    keys.type("Ada")
    keys.press("Control+Enter")
    settled(page)
    assert page.locator("mark").all_text_contents() == ["Ada"]
    keys.press("Tab")
    assert page.evaluate(f"{focused}.type") == "submit"
    keys.press("Tab")
    example = page.evaluate(f"{focused}.textContent")
    assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    keys.press("Enter")
    expect(page.locator(".marked")).to_have_text(example)
    assert page.evaluate(f"{focused}.textContent") == example


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("model", "text"),
    [("tagger", "Ada in " + "Paris" * 60), ("tiny", "good " * 60), ("odd", "break")],
    ids=["tagger", "classifier", "error"],
)
def test_a_phone_and_contrast(open_page: OpenPage, scheme: str, model: str, text: str) -> None:
    size = {"width": 390, "height": 844}
    page = open_page(model, refused=True, viewport=size, color_scheme=scheme, has_touch=True)
    page.get_by_label("Text", exact=True).fill(text)
    page.wait_for_selector("#error h2, #pieces[aria-busy=false]")
    page.emulate_media(reduced_motion="reduce")
    for folded in page.locator("summary:visible").all():
        folded.click()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_server_that_goes_and_comes_back(open_page: OpenPage, exported: Path) -> None:
    command = [sys.executable, "-c", "from pipeline.cli.main import main; main()", "serve"]
    options = ["--demo", "--engine=embedded", "--port=0", "--rest-port=0", "--name=tiny"]
    with subprocess.Popen(
        [*command, str(exported / "1"), *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("demo  ")).split()[1]
        page = open_page("tiny", refused=True, url=url)
        ask(page, "good")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    page.get_by_label("Text", exact=True).fill("bad")
    page.get_by_role("alert").get_by_role("heading").wait_for()
    assert "The server is not there" in page.inner_text("#error")
    port = urlsplit(url).port
    patient = {"rest_timeout_seconds": WAIT_MS / 1000}
    with start(exported / "1", name="tiny", port=0, rest_port=port, demo=True, **patient):
        page.get_by_role("button", name="Try again").click()
        settled(page)
        assert page.inner_text(".pieces .name") == "bad"
