"""The page: what stands on it, that data stay data, and that a real browser agrees."""

import re
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import pytest

from holdfast.report import html
from tests.report.conftest import Browser
from tests.report.payloads import OWNED, payloads
from tests.report.samples import bare, full

Poison = Callable[[list[str]], dict[str, Any]]
_CSP = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


class Outline(HTMLParser):
    """Collects the elements of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_sample_says_everything_it_found() -> None:
    """Verdict, messages, advice, evidence, gaps, accepted risks, inputs and every measurement stand on the page."""
    data = full().to_dict()
    text = " ".join("".join(Outline(html.render(data)).words).split())
    said = ["Does not pass", "68.0%", "less varied than real data", "qwen3-8b wrote 71.0%", "m.okafor", "2027-03-31"]
    said += [finding[key] for finding in data["findings"] for key in ("message", "advice", "source")]
    said += [" ".join(row["excerpt"].split()) for finding in data["findings"] for row in finding["evidence"]]
    said += [gap["supply"] for gap in data["not_judged"]] + [item["path"] for item in data["inputs"]]
    said += list(data["measurements"])
    assert [] == [words for words in said if words not in text]


def test_errors_stand_before_warnings_before_notes() -> None:
    """Findings are shown worst first, whatever order the rules ran in."""
    order = re.findall(r'<article id="finding-\d+" class="finding (\w+)"', html.render(full().to_dict()))
    assert ["error"] * 4 + ["warning"] * 3 + ["note"] == order


def test_what_is_unknown_is_called_unknown() -> None:
    """A set without labels and anchor gets no number at the top, but the bounds and what to supply."""
    page = html.render(bare().to_dict())
    figures = re.findall(r'<p class="figure">([^<]*)</p>', page)
    assert ["not known", "not judged", "0 / 0"] == figures
    assert "between 0% and 100%" in page
    assert "--real FILE" in page


def test_no_text_becomes_an_element_or_an_attribute(poison: Poison) -> None:
    """Each of 60 payloads in every field of the report leaves exactly the elements a harmless word leaves."""
    harmless = Counter(Outline(html.render(poison(["word"]))).elements)
    for payload in payloads():
        outline = Outline(html.render(poison([payload])))
        assert harmless == Counter(outline.elements), payload
        assert [] == [item for item in outline.attributes if "data-owned" in item[2] or "127.0.0.1" in item[2]]


def test_the_page_asks_for_nothing() -> None:
    """No script, no style attribute; every address is an anchor on the page or the empty icon."""
    outline = Outline(html.render(full().to_dict()))
    addresses = {value for _, name, value in outline.attributes if name in ("href", "src", "srcset", "action")}
    assert {"data:,"} == {address for address in addresses if not address.startswith("#")}
    assert not {"script", "iframe", "img", "form", "object"} & {tag for tag, _ in outline.elements}
    assert [] == [item for item in outline.attributes if item[1] == "style" or item[1].startswith("on")]


def test_every_anchor_has_its_target_and_ids_are_unique() -> None:
    """Links within the page lead somewhere, and no id is given twice."""
    attributes = Outline(html.render(full().to_dict())).attributes
    ids = [value for _, name, value in attributes if name == "id"]
    targets = {value[1:] for _, name, value in attributes if name == "href" and value.startswith("#")}
    labels = {value for _, name, value in attributes if name == "aria-labelledby"}
    assert len(ids) == len(set(ids))
    assert targets | labels <= set(ids)


def test_the_policy_allows_the_one_style_sheet_only() -> None:
    """The content security policy carries the digest of exactly the style sheet in the page, and nothing broader."""
    page = html.render(bare().to_dict())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in page


def test_equal_reports_give_equal_pages() -> None:
    """The page depends on the report alone."""
    assert html.render(full().to_dict()) == html.render(full().to_dict())


def _palettes() -> list[dict[str, str]]:
    """The colours of the light and of the dark theme."""
    style = files("holdfast.report").joinpath("templates", "report.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks)
    return [light, {**light, **dark}]


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 between two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_in_both_themes() -> None:
    """Every pair of text and ground reaches the contrast of WCAG AA, 4.5 to 1, in light and in dark."""
    grounds = ("paper", "surface", "sunken")
    pairs = [(ink, ground) for ink in ("ink", "soft", "link", "good", "warning", "error", "note") for ground in grounds]
    pairs += [(name, f"{name}-wash") for name in ("good", "warning", "error", "note")]
    pairs += [(f"on-{name}", name) for name in ("real", "synthetic", "mixed", "unknown")]
    weak = [
        (a, b, round(_contrast(p[a], p[b]), 2)) for p in _palettes() for a, b in pairs if _contrast(p[a], p[b]) < 4.5
    ]
    assert [] == weak


class _Counting(BaseHTTPRequestHandler):
    """Keeps the addresses that arrive."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("guarded", [True, False], ids=["with policy", "escaping alone"])
def test_a_browser_runs_and_fetches_nothing(chromium: Browser, poison: Poison, tmp_path: Path, guarded: bool) -> None:
    """In Chromium 60 payloads in every field run nothing, fetch nothing and log nothing, also without the policy."""
    _Counting.seen.clear()
    with HTTPServer(("127.0.0.1", 0), _Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = html.render(poison(payloads(server.server_port)))
        control = f"<script>{OWNED}</script><img src=http://127.0.0.1:{server.server_port}/control>"
        texts = {"page": page if guarded else _CSP.sub("", page), "control": control}
        dom = {}
        for name, text in texts.items():
            (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
            result = chromium(tmp_path / f"{name}.html", "--dump-dom")
            dom[name] = result.stdout
            if name == "page":
                assert "CONSOLE" not in result.stderr
        server.shutdown()
    assert 'data-owned="1"' in dom["control"].split(">")[0]
    assert "data-owned" not in dom["page"].split("<head>")[0]
    assert ["/control"] == _Counting.seen


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_sticks_out_sideways(chromium: Browser, poison: Poison, tmp_path: Path, width: int) -> None:
    """At phone and at desk width nothing widens the page, all details open, even where every word is 300 letters."""
    page = _CSP.sub("", html.render(poison(["w" * 300]))).replace("<details", "<details open")
    measure = "{let e=document.documentElement;parent.postMessage(e.scrollWidth-e.clientWidth,'*')}"
    tell = f"<script>onload=()=>{measure}</script>"
    (tmp_path / "page.html").write_text(page + tell, encoding="utf-8")
    note = "<script>onmessage=m=>document.body.setAttribute('data-excess',m.data)</script>"
    frame = f"<body>{note}<iframe src=page.html width={width} height=800 style=border:0></iframe>"
    (tmp_path / "frame.html").write_text(frame, encoding="utf-8")
    dom = chromium(tmp_path / "frame.html", "--dump-dom", "--window-size=1300,900").stdout
    assert 'data-excess="0"' in dom
