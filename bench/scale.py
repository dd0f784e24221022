"""How an audit grows with the data: whole processes on 10 k, 100 k and 1 M records under a memory cap.

    python -m bench.scale --sizes 10000 100000 1000000

Prints a table and writes bench/results/scale.json. `audit` is the default audit, every rule that needs no second
file. What was planted is counted against what was found, so that a fast wrong answer is seen.
"""

import argparse
import json
import math
import os
import platform
import sys
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.corpus import Planted, write
from bench.measure import Cost, measure

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT.parent / "shared" / "data" / "text"
HOLDFAST = Path(sys.executable).with_name("holdfast")
CAP = 2 << 30
RULES = ("synthetic-ratio", "exact-duplicates", "near-duplicates", "anchor-diversity", "personal-data")


@dataclass(frozen=True, slots=True)
class Row:
    """One size: the cost of the run, what was planted and what the audit measured."""

    records: int
    megabytes: float
    ended: str
    wall_seconds: float
    cpu_seconds: float
    peak_mebibytes: int
    processes: int
    records_per_second: int
    planted: dict[str, int]
    measured: dict[str, float | None]


def main() -> None:
    """Measure every size and keep the result."""
    arguments = parse()
    rows = [run(size, arguments) for size in sorted(arguments.sizes)]
    result = {
        "command": shown(arguments.options),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()},
        "cap_mebibytes": arguments.cap >> 20,
        "rows": [asdict(row) for row in rows],
        "exponents": exponents(rows),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print_table(rows, result["exponents"])
    if any(not row.ended.startswith("exit") or row.ended not in ("exit 0", "exit 1") for row in rows):
        sys.exit(1)


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--cap", type=int, default=CAP, help="bytes of memory for the process tree")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench", help="where the corpora lie")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "scale.json")
    parser.add_argument("options", nargs="*", help="more options for the audit, after --")
    return parser.parse_args()


def shown(options: list[str]) -> str:
    """Return the measured command as a reader would type it."""
    return " ".join(["holdfast audit corpus.jsonl --json", *options])


def run(size: int, arguments: argparse.Namespace) -> Row:
    """Write the corpus of one size, audit it and return the row."""
    path = arguments.work / f"corpus-{size}.jsonl"
    planted = write(path, size, TEXTS)
    print(f"auditing {size:,} records ({planted.bytes / 1e6:.0f} MB) ...", file=sys.stderr, flush=True)
    cost = measure([str(HOLDFAST), "audit", str(path), "--json", *arguments.options], arguments.cap, arguments.work)
    if not cost.output:
        print(cost.messages[-2000:], file=sys.stderr)
    return row_of(planted, cost)


def row_of(planted: Planted, cost: Cost) -> Row:
    """Join what was planted, what was measured and what it cost."""
    report: dict[str, Any] = json.loads(cost.output) if cost.ended in ("exit 0", "exit 1") else {}
    measured = report.get("measurements", {})
    return Row(
        records=planted.records,
        megabytes=round(planted.bytes / 1e6, 1),
        ended=cost.ended,
        wall_seconds=cost.wall_seconds,
        cpu_seconds=cost.cpu_seconds,
        peak_mebibytes=cost.peak_bytes >> 20,
        processes=cost.processes,
        records_per_second=round(planted.records / cost.wall_seconds),
        planted={"synthetic": planted.synthetic, "exact": planted.exact, "near": planted.near},
        measured={rule: measured[rule]["value"] for rule in RULES if rule in measured},
    )


def exponents(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Return, for each step up in size, the exponent of wall and CPU time (1 is linear)."""
    return {
        f"{small.records}-{large.records}": {
            name: round(
                math.log(getattr(large, name) / getattr(small, name)) / math.log(large.records / small.records), 3
            )
            for name in ("wall_seconds", "cpu_seconds")
        }
        for small, large in pairwise(rows)
    }


def print_table(rows: list[Row], steps: dict[str, dict[str, float]]) -> None:
    """Print the rows and the growth between them."""
    print(f"{'records':>9} {'MB':>7} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9} {'records/s':>10}  ended")
    for row in rows:
        print(
            f"{row.records:>9,} {row.megabytes:>7,.0f} {row.wall_seconds:>8.1f} {row.cpu_seconds:>8.1f} "
            f"{row.peak_mebibytes:>9,} {row.records_per_second:>10,}  {row.ended}"
        )
        synthetic = row.planted["synthetic"] / row.records
        print(f"{'':>9} planted {row.planted} (ratio {synthetic:.4f}), measured {row.measured}")
    for step, values in steps.items():
        print(f"exponent {step}: wall {values['wall_seconds']}, CPU {values['cpu_seconds']}")


if __name__ == "__main__":
    main()
