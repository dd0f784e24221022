"""faiss: every vector against all in a flat inner-product index, pairs at or above a cosine; exact."""

import faiss
import numpy as np

from bench.peers.tools.meter import Meter, arguments

BATCH = 8_192


def main() -> None:
    """Count the pairs."""
    path, _, options = arguments()
    vectors, threshold = np.load(path), float(options[0])
    meter = Meter()
    with meter.running():
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        found = 0
        for start in range(0, len(vectors), BATCH):
            limits, _, neighbours = index.range_search(vectors[start : start + BATCH], threshold)
            own = np.repeat(np.arange(start, start + len(limits) - 1), np.diff(limits.astype(np.int64)))
            found += int((neighbours > own).sum())
    meter.tell(pairs=found, threads=faiss.omp_get_max_threads())


if __name__ == "__main__":
    main()
