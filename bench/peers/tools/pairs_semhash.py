"""semhash, given the vectors: its default index (usearch), self-deduplication at a cosine."""

import numpy as np
from semhash import SemHash

from bench.peers.tools.meter import Meter, arguments


def main() -> None:
    """Count the records it removes."""
    path, _, options = arguments()
    vectors, threshold = np.load(path), float(options[0])
    records = [f"record {number}" for number in range(len(vectors))]
    meter = Meter()
    with meter.running():
        found = SemHash.from_embeddings(vectors, records, model=None).self_deduplicate(threshold=threshold)
    meter.tell(removed=len(found.filtered), threads="all cores")


if __name__ == "__main__":
    main()
