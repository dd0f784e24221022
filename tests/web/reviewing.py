"""A real `holdfast review` in a process of its own, and a real Chromium to look at it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from tests.conftest import missing

MAIN = "import sys; from holdfast.cli.app import main; sys.exit(main())"
# How long a page may take on a machine that does much else; nobody waits that long when all is well.
PATIENCE = 20


@dataclass
class Server:
    """A running server: its process and the address it printed."""

    process: subprocess.Popen[str]
    address: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def kill(self) -> None:
        """End it as a power cut would: no handler runs."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(verb: str, folder: Path, *arguments: str) -> Iterator[Server]:
    """Run `holdfast VERB ARGUMENTS` in a folder and give it when it has printed its address."""
    command = [sys.executable, "-c", MAIN, verb, *arguments, "--no-browser"]
    with (folder / "stderr.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, (folder / "stderr.txt").read_text()
            yield Server(process, address)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            process.stdout.close()


def served(folder: Path, *arguments: str) -> AbstractContextManager[Server]:
    """Run `holdfast review`."""
    return serving("review", folder, *arguments)


@contextmanager
def browser(*, logs: bool = False) -> Iterator[Chrome]:
    """Give a headless Chromium; skips where there is none. With `logs` every request it makes is kept."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing("chromium with chromedriver")
    options = ChromeOptions()
    options.binary_location = str(chromium)
    for each in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    ):
        options.add_argument(each)
    options.add_argument("--window-size=1280,900")
    if logs:
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    opened = Chrome(options=options, service=Service(str(driver)))
    try:
        yield opened
    finally:
        with suppress(Exception):
            opened.quit()
        opened.service.stop()


def kill(opened: Chrome) -> None:
    """End a browser as a crash would: every process below its driver, at once."""
    process = opened.service.process
    assert process is not None
    for pid in reversed(_below(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _below(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(each) for each in path.read_text().split()] if path.exists() else []
    return [pid, *(one for child in children for one in _below(child))]


def press(opened: Chrome, keys: str) -> None:
    """Press keys, as a person without a mouse does: they go wherever the focus is."""
    ActionChains(opened).send_keys(keys).perform()


def until(opened: Chrome, title: str) -> None:
    """Wait for the page whose title begins so."""
    WebDriverWait(opened, PATIENCE, 0.02).until(lambda driver: driver.title.startswith(title))


def requests_of(opened: Chrome) -> list[str]:
    """Return the addresses that the browser asked for, pages and their parts."""
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def write(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
