"""What first use costs: an audit with an empty cache of compiled kernels against the same one with a full cache.

    python -m bench.first_use --write

A set of 1,000 records takes the plain paths; one of 20,000 needs every kernel of exact and near-duplicates and of
decontamination, so that the difference between its first and its second run is what compiling them costs.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.corpus import write
from bench.measure import measure

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT.parent / "shared" / "data" / "text"
HOLDFAST = Path(sys.executable).with_name("holdfast")
RESULT = ROOT / "bench" / "results" / "first_use.json"
SIZES = (1_000, 20_000)
CAP = 4 << 30


def run(path: Path, folder: Path) -> dict[str, float]:
    """Audit a file against its own first records as the held-out set; return wall and CPU seconds."""
    held_out = folder / "eval.jsonl"
    with path.open() as lines:
        held_out.write_text("".join(next(lines) for _ in range(100)))
    cost = measure([str(HOLDFAST), "audit", str(path), "--eval", str(held_out), "--json"], CAP, folder)
    return {"wall_seconds": cost.wall_seconds, "cpu_seconds": cost.cpu_seconds}


def main() -> None:
    """Measure both sizes cold and warm, print them and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        path = ROOT / ".bench" / f"corpus-{size}.jsonl"
        write(path, size, TEXTS)
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            os.environ["NUMBA_CACHE_DIR"] = str(Path(folder) / "kernels")
            first, again = (run(path, Path(folder)) for _ in range(2))
        rows.append({"records": size, "first": first, "again": again})
        print(json.dumps(rows[-1]))
    if given.write:
        RESULT.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
