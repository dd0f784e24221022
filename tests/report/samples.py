"""Two reports, inputs of the report tests: one says everything, one hardly anything.

`full.json` is a poor set with labels, an anchor and a held-out set; `bare.json` a plain text file without either.
`python -m tests.report.samples FOLDER` writes both as HTML, JSON and SARIF, for looking at them.
"""

import json
import sys
from pathlib import Path

from holdfast.report.report import Report

HERE = Path(__file__).parent


def full() -> Report:
    """A report with findings of each severity, evidence of each kind, and data for every picture."""
    return Report.from_dict(json.loads((HERE / "full.json").read_text(encoding="utf-8")))


def bare() -> Report:
    """A report of unlabelled text with no anchor and no held-out set."""
    return Report.from_dict(json.loads((HERE / "bare.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, report in (("full", full()), ("bare", bare())):
        report.to_html(folder / f"{name}.html")
        report.to_sarif(folder / f"{name}.sarif")
        (folder / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
