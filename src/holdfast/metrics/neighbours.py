"""Density and coverage: how a sample lies among the real texts' nearest neighbours (Naeem et al., ICML 2020).

Each real vector has a ball that reaches to its k-th nearest other real vector. Coverage is the share of balls that hold
a vector of the sample, density the mean number of balls that a vector of the sample lies in, divided by k
(arXiv:2002.09797). A sample of the real source itself has density near 1 and the coverage of `expected_coverage`, which
is below 1: read as a ratio to it, or to another real sample of equal size, never alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[Any]
Floats = NDArray[np.float64]

# Neighbours of a ball, as in the paper's experiments.
NEAREST = 5


def radii(reference: Vectors, k: int = NEAREST) -> Floats:
    """Return the squared distance from each vector to its k-th nearest other one; needs more than k vectors."""
    between = distances(reference, reference)
    np.fill_diagonal(between, np.inf)
    return np.asarray(np.partition(between, k - 1, axis=1)[:, k - 1])


def distances(first: Vectors, second: Vectors) -> Floats:
    """Return the squared Euclidean distances, shape (first, second)."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    squares = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
    return np.asarray(np.maximum(squares - 2.0 * (a @ b.T), 0.0))


def within(vectors: Vectors, reference: Vectors, k: int = NEAREST) -> NDArray[np.float32]:
    """Return 1 where a vector lies inside the ball of a reference vector, else 0, shape (vectors, reference)."""
    return (distances(vectors, reference) < radii(reference, k)).astype(np.float32)


def density(inside: NDArray[np.float32], k: int = NEAREST) -> float:
    """Return the density of a sample from its rows of `within`: about 1 for real text, more in crowded places."""
    return float(inside.sum()) / (k * len(inside))


def coverage(inside: NDArray[np.float32]) -> float:
    """Return the coverage of a sample from its rows of `within`."""
    return float(inside.any(axis=0).mean())


def expected_coverage(reference: int, sample: int, k: int = NEAREST) -> float:
    """Return the coverage expected of `sample` vectors from the source of the `reference` ones, for any source.

    1 - prod over j < k of (N - 1 - j) / (N + M - 1 - j): of the N + M - 1 other vectors, in random order by distance,
    the nearest k must all be reference ones for the ball to be missed.
    """
    steps = np.arange(k)
    return float(1.0 - np.prod((reference - 1.0 - steps) / (reference + sample - 1.0 - steps)))
