"""How time and memory of `holdfast mix` grow with the records: short records, strata, caps by tokens, under 2 GiB."""

import argparse
import json
import math
import sys
import tempfile
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Cost, measure

ROOT = Path(__file__).parent
RESULT = ROOT / "results" / "mixing.json"
HOLDFAST = Path(sys.executable).with_name("holdfast")
CAP = 2 << 30
SIZES = (100_000, 1_000_000, 10_000_000)
WORDS = [f"word{number}" for number in range(5_000)]
LENGTH = 20
BLOCK = 50_000
REAL_SHARE = 0.4
TOPICS = ("ratios", "rates", "sums", "areas")


def write(folder: Path, records: int, seed: int = 7) -> tuple[Path, Path]:
    """Write real and synthetic records of LENGTH words as JSON Lines; return both files."""
    random = np.random.default_rng(seed)
    paths = folder / f"real-{records}.jsonl", folder / f"synthetic-{records}.jsonl"
    with paths[0].open("w") as real, paths[1].open("w") as synthetic:
        for first in range(0, records, BLOCK):
            count = min(BLOCK, records - first)
            chosen = random.integers(0, len(WORDS), (count, LENGTH)).tolist()
            is_real = (random.random(count) < REAL_SHARE).tolist()
            for number, row in enumerate(chosen, first):
                text = " ".join([WORDS[word] for word in row])
                topic = TOPICS[number % len(TOPICS)]
                if is_real[number - first]:
                    real.write(f'{{"id":"r{number}","text":"{text}","topic":"{topic}"}}\n')
                else:
                    maker = f"g{number % 3}"
                    synthetic.write(f'{{"id":"s{number}","text":"{text}","topic":"{topic}","generator":"{maker}"}}\n')
    return paths


def run(records: int, folder: Path) -> Cost:
    """Mix so many records and return what it cost."""
    real, synthetic = write(folder, records)
    command = [str(HOLDFAST), "mix", "--real", str(real), "--synthetic", str(synthetic)]
    command += ["--by", "tokens", "--per-generator", "0.4", "--strata", "topic", "--weight", "topic=rates=2"]
    return measure([*command, "--out", str(folder / f"out-{records}"), "--json"], CAP, folder)


def row(records: int, cost: Cost) -> dict[str, Any]:
    """Return the figures of one run."""
    counts = json.loads(cost.output)["counts"] if cost.ended == "exit 0" else {}
    kept = {name: counts.get(name) for name in ("in", "kept", "rejected")}
    figures = {key: value for key, value in asdict(cost).items() if key not in ("output", "messages")}
    return {"records": records, **figures, **kept, "records_per_second": round(records / cost.wall_seconds)}


def main() -> None:
    """Measure all sizes, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    given = parser.parse_args()
    rows = []
    for records in given.sizes:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            cost = run(records, Path(folder))
        rows.append(row(records, cost))
        print(json.dumps(rows[-1]), cost.messages[-500:])
    for earlier, later in pairwise(rows):
        size = math.log(later["records"] / earlier["records"])
        growth = math.log(later["cpu_seconds"] / earlier["cpu_seconds"]) / size
        print(f"{earlier['records']:,} to {later['records']:,}: CPU time ~ records ** {growth:.2f}")
    if given.write:
        RESULT.write_text(json.dumps({"cap_bytes": CAP, "runs": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
