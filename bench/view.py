"""What looking costs: opening 100,000 records, and loading each page of the view and a report in real Chromium.

    python -m bench.view --write

Times of pages are the browser's own: from the start of navigation to the load event. One run each, on this machine.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from bench.corpus import write

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT.parent / "shared" / "data" / "text"
RESULT = ROOT / "bench" / "results" / "view.json"
RECORDS = 100_000
MAIN = "import sys; from holdfast.cli.app import main; sys.exit(main())"
PAGES = {
    "runs": "/runs",
    "records": "/records?run=0",
    "last page": "/records?run=0&page=2000",
    "search": "/records?run=0&q=harbour",
    "filter by generator": "/records?run=0&origin=synthetic",
    "a record": "/record?run=0&n=500",
    "another record": "/record?run=0&n=90000",
    "progress of files (a message)": "/progress?run=0",
}
LOAD = "const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd - t.startTime"


def browser() -> Chrome:
    """Return a headless Chromium."""
    options = ChromeOptions()
    for each in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(each)
    return Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def milliseconds(opened: Chrome, address: str) -> float:
    """Open an address; return the milliseconds until its load event has ended."""
    opened.get(address)
    while not (taken := opened.execute_script(LOAD)) or taken < 0:
        time.sleep(0.01)
    return round(float(taken), 1)


def measured(data: Path) -> dict[str, Any]:
    """Serve the file, open every page once; return seconds until the address was printed and ms of each page."""
    begin = time.monotonic()
    command = [sys.executable, "-c", MAIN, "view", str(data), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("no output")
    opened = browser()
    try:
        address = process.stdout.readline().strip()
        ready = time.monotonic() - begin
        opened.get(address)
        time.sleep(1)
        origin = address.partition("/?")[0]
        return {
            "seconds_until_the_address": round(ready, 2),
            "page_ms": {name: milliseconds(opened, origin + path) for name, path in PAGES.items()},
        }
    finally:
        opened.quit()
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stdout.close()


def reported(data: Path, folder: Path) -> dict[str, Any]:
    """Audit the file and open its report; return its size and the milliseconds until it was loaded."""
    page = folder / "report.html"
    real = folder / "real.jsonl"
    with data.open() as lines:
        real.write_text("".join(next(lines) for _ in range(2_000)))
    command = [sys.executable, "-c", MAIN, "audit", str(data), "--real", str(real), "--html", str(page), "--json"]
    with (folder / "report.json").open("w") as out:
        subprocess.run(command, stdout=out, check=False)
    opened = browser()
    try:
        return {
            "html_bytes": page.stat().st_size,
            "json_bytes": (folder / "report.json").stat().st_size,
            "page_ms": milliseconds(opened, page.as_uri()),
        }
    finally:
        opened.quit()


def main() -> None:
    """Measure both, print them, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    given = parser.parse_args()
    data = ROOT / ".bench" / f"corpus-{RECORDS}.jsonl"
    write(data, RECORDS, TEXTS)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        found: dict[str, Any] = {"records": RECORDS}
        for name in ("view", "report"):
            found[name] = measured(data) if name == "view" else reported(data, Path(folder))
            print(json.dumps({name: found[name]}), flush=True)
            if given.write:
                RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
