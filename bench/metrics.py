"""One metric over a whole file: its value, wall and CPU seconds as one line of JSON.

    python -m bench.metrics --data FILE --what distinct|compression|entropy|mattr|self-repetition|self-bleu|vendi|rke

FILE is JSON Lines (also gzipped) or Parquet with a column `text`, or for `vendi` and `rke` a NumPy array of vectors
(.npy, rows of length 1). Reading the file is not in the time; everything from text to number is, and, with --cold, the
import and the compilation or loading of kernels as well.
"""

import argparse
import json
import resource
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

from holdfast.core.text import word_hashes
from holdfast.metrics.bleu import self_bleu
from holdfast.metrics.compression import compressed_share
from holdfast.metrics.lexical import entropy, mattr
from holdfast.metrics.ngram import cells, grams, self_repetition
from holdfast.metrics.semantic import rke, vendi
from holdfast.metrics.sketch import ORDERS, Distinct

Texts: TypeAlias = "pa.ChunkedArray"


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--what", choices=[*TEXT, *VECTORS], required=True)
    parser.add_argument("--rows", type=int, help="only the first so many")
    parser.add_argument("--cold", action="store_true", help="do not run once on a few rows before")
    arguments = parser.parse_args()
    measure, data = (VECTORS, vectors) if arguments.what in VECTORS else (TEXT, texts)
    given = data(arguments.data)[: arguments.rows]
    work = measure[arguments.what]
    if not arguments.cold:
        work(given[:2000])
    wall, cpu = perf_counter(), process_time()
    value = work(given)
    print(
        json.dumps(
            {
                "what": arguments.what,
                "rows": len(given),
                "value": value,
                "wall_seconds": round(perf_counter() - wall, 4),
                "cpu_seconds": round(process_time() - cpu, 4),
                "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            }
        )
    )


def texts(path: Path) -> Texts:
    """Return the column `text` of a file."""
    if path.suffix == ".parquet":
        return pa.parquet.read_table(path, columns=["text"]).column("text")
    return pa.json.read_json(path).column("text")


def vectors(path: Path) -> Any:
    """Return the rows of a NumPy array."""
    return np.load(path)


def distinct(given: Texts) -> dict[str, float | None]:
    """Distinct-1 to distinct-4 by sketches, in constant memory."""
    seen = Distinct()
    seen.add_texts(given)
    return {f"distinct-{k}": seen.share(k).value for k in ORDERS}


def repetition(given: Texts) -> float:
    """Self-repetition of runs of four words."""
    runs, offsets = grams(*word_hashes(given), 4)
    numbers = np.unique(runs, return_inverse=True)[1].astype(np.int64)
    return self_repetition(cells(numbers, offsets), np.arange(len(given)))


TEXT: dict[str, Callable[[Texts], Any]] = {
    "distinct": distinct,
    "compression": lambda given: compressed_share([text.encode() for text in given.to_pylist()]),
    "entropy": lambda given: entropy(np.unique(word_hashes(given)[0], return_counts=True)[1]),
    "mattr": lambda given: mattr(*word_hashes(given)),
    "self-repetition": repetition,
    "self-bleu": lambda given: self_bleu(*word_hashes(given)),
}
VECTORS: dict[str, Callable[[Any], float]] = {"vendi": vendi, "rke": rke}


if __name__ == "__main__":
    main()
