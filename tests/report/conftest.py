"""A real browser for the tests that need one, and a report in which every text is hostile."""

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import missing
from tests.report.samples import full

_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=3000"),
)
# Texts whose meaning the page depends on; everything else is replaced.
_KEPT = {"severity", "unit", "verdict", "version"}

Browser = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Run headless Chromium on a page and return its output; skips where there is none."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        missing("a chromium binary")
    profile = tmp_path_factory.mktemp("profile")

    def run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [str(binary), *_QUIET, f"--user-data-dir={profile}", *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


def poisoned(texts: Iterator[str]) -> dict[str, Any]:
    """The full report with every text that comes from data replaced by the next of `texts`."""

    def swap(value: Any, key: str = "") -> Any:
        match value:
            case str():
                return value if key in _KEPT else next(texts)
            case dict() if key in ("shares", "counts_by_name", "rows", "checks"):
                return {f"{next(texts)}{place}": amount for place, amount in enumerate(value.values())}
            case dict():
                return {name: swap(item, name) for name, item in value.items()}
            case list():
                return [swap(item, key) for item in value]
        return value

    data = full().to_dict()
    extra = {next(texts): dict(data["measurements"]["rke"])}
    swapped: dict[str, Any] = swap({**data, "measurements": {**data["measurements"], **extra}})
    swapped["manifest"] = {next(texts): next(texts)}
    return swapped


@pytest.fixture
def poison() -> Callable[[list[str]], dict[str, Any]]:
    """Return `poisoned` over texts taken in turn, again and again."""
    return lambda texts: poisoned(itertools.cycle(texts))
