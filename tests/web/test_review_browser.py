"""The review page in real Chromium: by keyboard alone, through deaths, against payloads, and read by axe-core."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from holdfast.core.labels import Label, append, read_labels
from tests.conftest import missing
from tests.report.payloads import payloads
from tests.web.reviewing import browser, kill, press, requests_of, served, until, write

pytestmark = pytest.mark.xdist_group("browser")
PAIRS = 30


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Thirty pairs of answers to one prompt each."""
    rows = [
        {"id": f"r{n}", "prompt": f"Question {n}?", "chosen": f"Yes, {n}. " * 400, "rejected": f"No, {n}."}
        for n in range(PAIRS)
    ]
    return write(tmp_path / "pairs.jsonl", rows)


def keys_of(rater: str) -> str:
    """The thirty keys a rater presses, one per question."""
    return ("120" * PAIRS)[:PAIRS] if rater == "ann" else ("1102s" * PAIRS)[:PAIRS]


def answer(opened: Chrome, keys: str, first: int) -> None:
    """Press one key per question, each when its question is there."""
    for at, key in enumerate(keys, first):
        until(opened, f"{at} of {PAIRS}")
        press(opened, key)


def enter(opened: Chrome, address: str, rater: str) -> None:
    """Open the printed address and type a name."""
    opened.get(address)
    until(opened, "Holdfast review")
    press(opened, rater + Keys.ENTER)


def said(path: Path, rater: str) -> list[str]:
    """What a rater's lines say, as the keys that were pressed, in their order; every line stands once."""
    lines = [label for label in read_labels(path) if label.rater == rater]
    assert {1} == set(Counter(label.id for label in lines).values())
    keys = []
    for label in lines:
        turned = label.side_order == "ba"
        keys.append(
            "s" if label.kind == "skip" else "0" if not label.value else "1" if (label.value == 1) != turned else "2"
        )
    return keys


def test_two_raters_by_keyboard_through_two_deaths(pairs: Path) -> None:
    """Two raters label 30 pairs without a mouse; one's browser and the other's server are killed half-way.

    Whoever comes back goes on at the first open question; every answer is in the file once, as it was pressed.
    """
    folder, labels = pairs.parent, pairs.parent / "labels.jsonl"
    ann, bob, half = keys_of("ann"), keys_of("bob"), PAIRS // 2
    with served(folder, pairs.name, "--pairs") as server:
        with browser() as first:
            enter(first, server.address, "ann")
            answer(first, ann[:half], 1)
            until(first, f"{half + 1} of {PAIRS}")
            kill(first)
        with browser() as second:
            enter(second, server.address, "ann")
            answer(second, ann[half:], half + 1)
            until(second, "Done")
            second.get(f"{server.origin}/rater")
            until(second, "Holdfast review")
            press(second, "bob" + Keys.ENTER)
            answer(second, bob[:half], 1)
            server.kill()
            given = len(said(labels, "bob"))
            assert given in (half - 1, half)
            with served(folder, pairs.name, "--pairs") as again:
                enter(second, again.address, "bob")
                answer(second, bob[given:], given + 1)
                until(second, "Done")
    assert (list(ann), list(bob)) == (said(labels, "ann"), said(labels, "bob"))
    assert len({label.id for label in read_labels(labels)}) == PAIRS


def test_keys_move_undo_and_note(pairs: Path) -> None:
    """Space reads on in a long answer, j and k walk, u takes an answer back, ? shows the keys, r the rubric.

    n writes a note, and while it is written keys are letters and no answers.
    """
    labels = pairs.parent / "labels.jsonl"
    with served(pairs.parent, pairs.name, "--pairs", "--rater", "ann") as server, browser() as opened:
        opened.get(server.address)
        until(opened, "1 of")
        read = "return Math.max(...[...document.querySelectorAll('.answer')].map((box) => box.scrollTop))"
        assert 0 == opened.execute_script(read)
        press(opened, " ")
        assert 0 < opened.execute_script(read)
        press(opened, "j")
        until(opened, "2 of")
        press(opened, "j")
        until(opened, "3 of")
        press(opened, "k")
        until(opened, "2 of")
        press(opened, "n")
        press(opened, "both 1 and 2" + Keys.ESCAPE)
        press(opened, "0")
        until(opened, "3 of")
        assert ["both 1 and 2"] == [label.note for label in read_labels(labels)]
        assert "Saved: Tie." in opened.page_source
        press(opened, "u")
        until(opened, "2 of")
        assert "0 of 30" in opened.page_source
        assert opened.execute_script("return document.getElementById('rubric').open")
        press(opened, "r")
        assert not opened.execute_script("return document.getElementById('rubric').open")
        press(opened, "?")
        assert opened.execute_script("return document.getElementById('help').open")
        press(opened, "1")
        press(opened, Keys.ESCAPE)
        assert not opened.execute_script("return document.getElementById('help').open")
    assert 2 == len(read_labels(labels))


class _Counting(BaseHTTPRequestHandler):
    """Keeps the addresses that arrive."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a server that payloads try to reach."""
    _Counting.seen.clear()
    with HTTPServer(("127.0.0.1", 0), _Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def hostile(folder: Path, port: int) -> None:
    """Write pairs whose every shown text is a payload, a rubric of all of them, and raters who differ, with notes."""
    texts = [text.encode("utf-8", "replace").decode() for text in payloads(port)]
    rows = [
        {
            "id": f"{n}",
            "prompt": [{"role": text, "content": text}, {"role": "user", "content": text}],
            "chosen": [{"role": "assistant", "content": f"{text} 1"}],
            "rejected": [{"role": "assistant", "content": f"{text} 2"}],
        }
        for n, text in enumerate(texts)
    ]
    write(folder / "hostile.jsonl", rows)
    (folder / "rubric.md").write_text("\n".join(texts))
    append(
        folder / "labels.jsonl",
        [
            Label(f"{n}", f"{rater} {text}", "choice", value, other=f"{n}#rejected", note=text)
            for n, text in enumerate(texts)
            for rater, value in (("x", 1), ("y", 2))
        ],
    )


def test_payloads_run_nothing_and_fetch_nothing(tmp_path: Path, elsewhere: int) -> None:
    """60 payloads in every shown text: 0 executed, 0 requests but our own, even where the policy is switched off."""
    hostile(tmp_path, elsewhere)
    arguments = ("hostile.jsonl", "--pairs", "--adjudicate", "--rubric", "rubric.md", "--rater", "<script>x</script>")
    with served(tmp_path, *arguments) as server, browser(logs=True) as opened:
        opened.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        opened.get(server.address)
        until(opened, "1 of 60")
        shown = []
        for at in range(1, 61):
            until(opened, f"{at} of 60")
            shown.append(opened.execute_script("return document.querySelectorAll('.text').length"))
            assert opened.execute_script("return document.documentElement.getAttribute('data-owned')") is None
            assert 1 == opened.execute_script("return document.scripts.length")
            press(opened, "j" if at < 60 else "0")
        until(opened, "1 of 60")
        foreign = [url for url in requests_of(opened) if not url.startswith((f"{server.origin}/", "data:,"))]
    assert ([4] * 60, [], []) == (shown, foreign, _Counting.seen)


def axe() -> str:
    """The text of axe-core, which ships as data in a wheel of the development environment."""
    found = find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        missing("axe-core (pip install --no-deps axe-playwright-python)")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text("utf-8")


def faults(opened: Chrome, source: str) -> list[str]:
    """Return what axe-core finds serious or critical on the page that is open."""
    opened.execute_script(source)
    run = "const done = arguments[0]; axe.run().then((found) => done(JSON.stringify(found.violations)))"
    found: list[dict[str, Any]] = json.loads(opened.execute_async_script(run))
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def test_everybody_can_read_and_use_it(pairs: Path) -> None:
    """axe-core finds nothing serious on any page, in light, in dark, at a phone's width, with the help open.

    At a phone's width nothing sticks out sideways.
    """
    source = axe()
    with served(pairs.parent, pairs.name, "--pairs", "--sample", "2") as server, browser() as opened:
        opened.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        opened.get(server.address)
        until(opened, "Holdfast review")
        found = faults(opened, source)
        press(opened, "ann" + Keys.ENTER)
        until(opened, "1 of 2")
        found += faults(opened, source)
        press(opened, "?")
        found += faults(opened, source)
        press(opened, Keys.ESCAPE + "n")
        press(opened, "w" * 300 + Keys.ESCAPE)
        press(opened, "1")
        until(opened, "2 of 2")
        phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        press(opened, "k")
        until(opened, "1 of 2")
        found += faults(opened, source)
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert 0 == opened.execute_script(wide)
        press(opened, "j")
        until(opened, "2 of 2")
        press(opened, "s")
        until(opened, "Done")
        found += faults(opened, source)
    assert [] == found
