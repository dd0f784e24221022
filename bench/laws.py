"""All laws of collapse at full size, kept, and the table of docs/laws.md: `--verify-laws` checks them at a smaller one.

python -m bench.laws checks all, keeps results/laws.json and writes the table; with --page it writes the table from what
is kept.
"""

import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

from bench.page import filled, markdown
from holdfast.lab.laws import LAWS, table, verify

RESULT = Path(__file__).resolve().parent / "results" / "laws.json"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "laws.md"


def main() -> None:
    """Check, print, keep and write."""
    if "--page" not in sys.argv[1:]:
        begin = process_time()
        checked = verify(full=True)
        for line in table(checked):
            print(line)
        kept = {
            "laws": len(checked),
            "hold": sum(one.ok for one in checked),
            "cpu_seconds": round(process_time() - begin),
            "checked": [one.to_dict() for one in checked],
        }
        RESULT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    write_page(json.loads(RESULT.read_text("utf-8")))


def write_page(kept: dict[str, Any]) -> None:
    """Write the table of the page from a kept result."""
    usual = {law.number: law.reduced or "the same" for law in LAWS}
    rows = [
        [
            str(one["number"]),
            f"{'' if one['ok'] else '**fails** '}{one['name']}",
            one["source"],
            "; ".join(map(_line, one["lines"])),
            usual[one["number"]],
        ]
        for one in kept["checked"]
    ]
    head = ["#", "law", "source", "expected: measured (tolerated)", "`--verify-laws` checks"]
    PAGE.write_text(filled(PAGE.read_text("utf-8"), {"laws": markdown([head, *rows])}), "utf-8")


def _line(line: dict[str, Any]) -> str:
    low, high = line["low"], line["high"]
    tolerated = "or less" if low is None else "or more" if high is None else f"{low:.4g} to {high:.4g}"
    return f"{line['what']} {line['expected']:.4g}: {line['measured']:.4g} ({tolerated})"


if __name__ == "__main__":
    main()
