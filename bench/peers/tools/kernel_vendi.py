"""vendi-score: the dual form, from the d x d matrix, of order 1 (Vendi) or 2 (RKE)."""

import numpy as np
from vendi_score import vendi

from bench.peers.tools.meter import Meter, arguments


def main() -> None:
    """Score unit vectors; with `unit` it is told not to scale them again, which it does by default."""
    path, _, options = arguments()
    vectors = np.load(path)
    meter = Meter()
    with meter.running():
        value = vendi.score_dual(vectors, q=int(options[0]), normalize="unit" not in options)
    meter.tell(value=float(value), threads=1)


if __name__ == "__main__":
    main()
