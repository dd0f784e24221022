"""The report in real Chromium, read by axe-core, and gone through by keyboard."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.report.samples import bare, full
from tests.web.reviewing import browser, press, requests_of
from tests.web.test_review_browser import axe, faults

pytestmark = pytest.mark.xdist_group("browser")


def test_everybody_can_read_the_report(tmp_path: Path) -> None:
    """With everything open axe-core finds nothing serious, light or dark, at desk and phone width; nothing is asked."""
    source = axe()
    full().to_html(tmp_path / "full.html")
    bare().to_html(tmp_path / "bare.html")
    found: list[str] = []
    with browser(logs=True) as opened:
        opened.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        for name in ("full", "bare"):
            for theme, width in (("light", 1280), ("dark", 390)):
                dark = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
                opened.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
                size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
                opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                opened.get((tmp_path / f"{name}.html").as_uri())
                opened.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
                found += [f"{name} {theme}: {fault}" for fault in faults(opened, source)]
        asked = {url for url in requests_of(opened) if not url.startswith(("data:", tmp_path.as_uri()))}
        assert (set(), []) == (asked, [entry["message"] for entry in opened.get_log("browser")])
    assert [] == found


def test_keys_open_what_is_folded(tmp_path: Path) -> None:
    """Every folded table, group and list of evidence is reached by Tab alone, and Enter opens it."""
    full().to_html(tmp_path / "full.html")
    with browser() as opened:
        opened.get((tmp_path / "full.html").as_uri())
        folded = len(opened.find_elements("css selector", "summary"))
        reached = set()
        for _ in range(6 * folded):
            press(opened, Keys.TAB)
            at = "return [...document.querySelectorAll('summary')].indexOf(document.activeElement)"
            place = opened.execute_script(at)
            if place >= 0 and place not in reached:
                reached.add(place)
                press(opened, Keys.ENTER)
            if len(reached) == folded:
                break
        assert set(range(folded)) == reached
        assert folded == len(opened.find_elements("css selector", "details[open]"))
