"""rensa: R-MinHash of 128 values, LSH of 16 bands, fed in three ways.

`python`: shingles made in Python, as its users feed it, candidates joined to clusters. `rho`: the same shingles into
its fastest batch pipeline, which answers flags and no clusters. `flat`: flags from 64-bit shingle hashes that somebody
else has made and laid into one buffer; making them is not counted.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rensa

from bench.peers.tools.meter import Meter, arguments, components, keep, shingles, texts

PERMUTATIONS, BANDS, SEED = 128, 16, 42
BATCH = 10_000


def main() -> None:
    """Find the near-duplicates in the way the options say."""
    path, folder, options = arguments()
    threshold = float(options[1])
    {"python": from_python, "rho": by_rho, "flat": from_buffer}[options[0]](path, folder, threshold)


def from_python(path: Path, folder: Path, threshold: float) -> None:
    """Shingle, sketch and look up; candidates of each document make its cluster."""
    documents = texts(path)
    index = rensa.RMinHashLSH(threshold, PERMUTATIONS, BANDS)
    sketches: list[Any] = []
    meter = Meter()
    for start in range(0, len(documents), BATCH):
        with meter.running("shingle"):
            tokens = [shingles(text, 5) for text in documents[start : start + BATCH]]
        with meter.running("sketch"):
            sketches += rensa.RMinHash.from_token_sets(tokens, PERMUTATIONS, SEED)
    with meter.running("cluster"):
        index.insert_many(sketches)
        labels = components(groups(index, sketches), len(documents))
    meter.tell(beyond=keep(labels, folder), threads="rayon, all cores")


def groups(index: Any, sketches: list[Any]) -> Iterator[list[int]]:
    """Yield the candidates of each document that has any beside itself."""
    for start in range(0, len(sketches), BATCH):
        yield from (found for found in index.query_all(sketches[start : start + BATCH]) if len(found) > 1)


def by_rho(path: Path, _: Path, threshold: float) -> None:
    """Shingle in Python, sketch and flag in one batch."""
    documents = texts(path)
    meter = Meter()
    with meter.running("shingle"):
        tokens = [shingles(text, 5) for text in documents]
    with meter.running("sketch and flag"):
        matrix = rensa.RMinHash.digest_matrix_from_token_sets_rho(tokens, PERMUTATIONS, SEED)
        index = rensa.RMinHashLSH(threshold, PERMUTATIONS, BANDS)
        flags = index.query_duplicate_flags_matrix_one_shot(matrix)
    meter.tell(flagged=sum(flags), threads="rayon, all cores")


def from_buffer(path: Path, _: Path, threshold: float) -> None:
    """Flag from the buffer of shingle hashes beside the corpus."""
    hashes = np.load(path.with_suffix(".hashes.npy"))
    offsets = np.load(path.with_suffix(".offsets.npy"))
    meter = Meter()
    with meter.running("sketch and flag"):
        rows = array("Q", offsets.tolist())
        matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashes, rows, PERMUTATIONS, SEED)
        index = rensa.RMinHashLSH(threshold, PERMUTATIONS, BANDS)
        flags = index.query_duplicate_flags_matrix_one_shot(matrix)
    meter.tell(flagged=sum(flags), threads="rayon, all cores")


if __name__ == "__main__":
    main()
