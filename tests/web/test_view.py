"""The view's pages as a handler, and in real Chromium: data stay data, nothing is asked for, keys are enough."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from selenium.webdriver.common.keys import Keys

from holdfast.web.security import Asked, Gate
from holdfast.web.view import ROUTES, Pages
from holdfast.workflows.view import view
from tests.report.payloads import OWNED, payloads
from tests.report.test_html import Outline
from tests.web.reviewing import browser, press, requests_of, until, write
from tests.web.test_review_browser import axe, faults
from tests.web.viewing import viewed

pytestmark = pytest.mark.xdist_group("browser")
TEXTS = ("id", "prompt", "response", "source", "licence", "generator", "family", "own column")


# The elements of a list of records, whatever the records are.
LIST = {
    *("html", "head", "meta", "title", "link", "body", "a", "header", "p", "span", "nav", "main", "h1", "form"),
    *("input", "label", "select", "option", "button", "ol", "li", "code"),
}


def hostile(texts: list[str]) -> list[dict[str, object]]:
    """A row for each text, with that text in every field, and a second like it, so that it has a neighbour."""
    rows: list[dict[str, object]] = []
    for number, text in enumerate(texts):
        row: dict[str, object] = dict.fromkeys(TEXTS, text) | {"origin": "synthetic", "cell": {text: text}}
        rows += [{**row, "id": f"{number} {text}"}, {**row, "id": f"{number} again {text}", "messages": None}]
    return rows


class Listener(BaseHTTPRequestHandler):
    """Keeps the paths that anybody asks for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server that notes every request."""
    Listener.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def page_of(pages: Pages, path: str, **query: str) -> str:
    return pages(Asked("GET", path, query)).body


def test_no_text_becomes_an_element_or_an_attribute(tmp_path: Path) -> None:
    """Each of 60 payloads in every field leaves on its page the elements that a harmless word leaves."""
    texts = ["word " * 8, *payloads()]
    data = write(tmp_path / "rows.jsonl", hostile(texts))
    with view([data]) as shelf:
        pages = Pages(shelf, Gate(1, ROUTES))
        names = {"mark", "article"}  # how many differ depends on the words of a payload
        harmless = Counter(tag for tag, _ in Outline(page_of(pages, "/record", run="0", n="0")).elements)
        for number, text in enumerate(texts):
            outline = Outline(page_of(pages, "/record", run="0", n=str(2 * number)))
            found = Counter(tag for tag, _ in outline.elements)
            extra = {tag for tag in found if tag not in harmless} - names
            assert set() == extra, text
            assert [] == [name for _, attributes in outline.elements for name in attributes if name.startswith("on")]
        for text in payloads():
            outline = Outline(page_of(pages, "/records", run="0", q=text, state=text, rule=text))
            assert set() == {tag for tag, _ in outline.elements} - LIST, text
            assert [] == [name for _, attributes in outline.elements for name in attributes if name.startswith("on")]


def test_odd_requests_get_a_page(tmp_path: Path) -> None:
    """Numbers that are none, runs and records that are not there, unknown facets: a page, never an error of ours."""
    data = write(tmp_path / "rows.jsonl", [{"text": "one record"}])
    with view([data]) as shelf:
        pages = Pages(shelf, Gate(1, ROUTES))
        odd = [
            ("/records", {"run": "x"}, 200),
            ("/records", {"run": "7"}, 400),
            ("/records", {"page": "999999", "state": "' OR 1=1"}, 200),
            ("/record", {"n": "17"}, 404),
            ("/compare", {"new": "0", "old": "0"}, 200),
            ("/progress", {"run": "0"}, 404),
        ]
        assert [code for *_, code in odd] == [pages(Asked("GET", path, query)).status for path, query, _ in odd]


@pytest.mark.usefixtures("listener")
def test_nothing_runs_and_nothing_is_asked_for(tmp_path: Path, listener: int) -> None:
    """In Chromium no payload runs or reaches out from the list, a search, or its record; the console is silent."""
    texts = [text.replace("{port}", str(listener)).replace("{o}", OWNED) for text in payloads()]
    write(tmp_path / "rows.jsonl", hostile(texts))
    with viewed(tmp_path, "rows.jsonl") as server, browser(logs=True) as opened:
        opened.get(server.address)
        until(opened, "Runs")
        for path in ["/records?run=0", "/records?run=0&page=2", *(f"/record?run=0&n={n}" for n in range(0, 120, 12))]:
            opened.get(server.origin + path)
            assert opened.execute_script("return document.documentElement.dataset.owned") is None, path
        own = {server.origin}
        asked = {url for url in requests_of(opened) if not url.startswith("data:")}
        assert set() == {url for url in asked if not any(url.startswith(each) for each in own)}
        assert [] == [entry["message"] for entry in opened.get_log("browser")]
    assert [] == Listener.asked


def test_everybody_can_read_it_and_get_about_by_keys(tmp_path: Path) -> None:
    """axe-core finds nothing serious, light or dark, nothing sticks out at a phone's width, and keys reach all."""
    source = axe()
    rows = [{"id": f"r{n}", "text": f"Record {n} is one of many. {'w' * 300 if n == 1 else ''}"} for n in range(70)]
    write(tmp_path / "rows.jsonl", rows)
    write(tmp_path / "more.jsonl", rows[:5])
    with viewed(tmp_path, "rows.jsonl") as server, browser() as opened:
        opened.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        opened.get(server.address)
        until(opened, "Runs")
        found: list[str] = []
        for theme, width in (("light", 1280), ("dark", 390)):
            dark = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
            opened.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
            size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
            opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            for path in ("/runs", "/records?run=0", "/record?run=0&n=1", "/compare?new=0&old=0", "/progress?run=0"):
                opened.get(server.origin + path)
                found += [f"{path} {fault}" for fault in faults(opened, source)]
                wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert 0 == opened.execute_script(wide), path
        assert [] == found
        opened.get(server.origin + "/runs")
        press(opened, Keys.TAB * 4 + Keys.ENTER)
        until(opened, "rows.jsonl")
        opened.find_element("css selector", "input[name=q]").send_keys("Record 69" + Keys.ENTER)
        until(opened, "rows.jsonl")
        assert "1 of 70 records" == opened.find_element("css selector", ".status").text
        opened.find_element("css selector", ".records a").send_keys(Keys.ENTER)
        until(opened, "r69")


def test_the_first_line_is_the_address_and_json_has_it_too(tmp_path: Path) -> None:
    """Standard output begins with the address and its token; with --json it is one object."""
    write(tmp_path / "rows.jsonl", [{"text": "a record"}])
    with viewed(tmp_path, "rows.jsonl") as server:
        assert server.address.startswith(f"http://127.0.0.1:{server.port}/?token=")
    with viewed(tmp_path, "rows.jsonl", "--json") as server:
        told = json.loads(server.address)
        assert ["rows.jsonl"] == told["runs"]
