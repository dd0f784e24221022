"""Diversity of vectors: RKE and Vendi scores, clusters of the anchor and how many of them a sample reaches.

Vectors are unit rows, shape (texts, dimensions); the kernel is their inner product. What "semantic" means depends
wholly on the encoder, which is why every number names it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.covariance import Covariance

Vectors = NDArray[Any]
Labels = NDArray[np.int64]

# A cluster needs this many anchor documents on average, or its share is noise: plug-in bias ~ (k - 1) / 2n.
PER_CLUSTER = 20
ROUNDS = 25


def rke(vectors: Vectors) -> float:
    """Return the order-2 Renyi kernel entropy score n^2 / ||K||_F^2: the effective number of different texts, 1 to n.

    ||K||_F = ||X'X||_F = ||XX'||_F, so whichever of the two is smaller is made. 0 without vectors. Formula and source:
    `metrics.covariance`, which also streams. Products are taken in the precision of the vectors.
    """
    return _smaller(vectors).rke()


def rke_of_samples(vectors: Vectors, samples: Labels) -> NDArray[np.float64]:
    """Return `rke` of each sample of rows, shape (samples,), with one product for all: ||K_S||^2 = 1_S' (K o K) 1_S.

    `samples` has shape (samples, rows); a row may occur once per sample. Memory: one square matrix of the vectors.
    """
    chosen = np.zeros((len(samples), len(vectors)), dtype=vectors.dtype)
    np.put_along_axis(chosen, samples, 1.0, axis=1)
    squares = np.square(vectors @ vectors.T)
    norms = ((chosen @ squares) * chosen).sum(axis=1, dtype=np.float64)
    return np.asarray(samples.shape[1] ** 2 / norms)


def vendi(vectors: Vectors, order: float = 1.0) -> float:
    """Return exp of the order-q Renyi entropy of the eigenvalues of K/n, from X'X or XX', whichever is smaller.

    Order 2 equals `rke`; order 1 does not converge below about 20 000 texts, so it is read only at equal numbers of
    texts. 0 without vectors.
    """
    return _smaller(vectors).vendi(order)


def _smaller(vectors: Vectors) -> Covariance:
    """Return what carries the non-zero eigenvalues of the kernel, at most as large as texts or dimensions."""
    if vectors.shape[1] <= len(vectors):
        return Covariance.of(vectors)
    return Covariance((vectors @ vectors.T).astype(np.float64), len(vectors))


def clusters(vectors: Vectors, k: int, seed: int) -> Vectors:
    """Return k centres of the anchor's vectors, shape (k, dimensions): k-means++ start, then at most 25 Lloyd rounds.

    Arthur and Vassilvitskii, k-means++, SODA 2007. A cluster that empties keeps its centre. Fit on the anchor only,
    never on what is compared with it.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    centres = _spread(rows, k, np.random.default_rng(seed))
    labels = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(ROUNDS):
        nearest = assign(rows, centres)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        sizes = np.bincount(labels, minlength=k)
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, rows)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    return centres


def assign(vectors: Vectors, centres: Vectors) -> Labels:
    """Return the nearest centre of each vector (Euclidean; the lowest number on a tie)."""
    rows = np.asarray(vectors, dtype=np.float64)
    nearest: Labels = np.argmin((centres * centres).sum(axis=1) - 2.0 * rows @ centres.T, axis=1)
    return nearest


def cluster_coverage(labels: Labels, k: int) -> float:
    """Return the share of the k anchor clusters that hold at least one of the sample's texts."""
    return float(np.count_nonzero(np.bincount(labels, minlength=k))) / k


def _spread(rows: Vectors, k: int, rng: np.random.Generator) -> Vectors:
    """Choose k starting rows, each with chance proportional to its squared distance from those chosen."""
    chosen = [int(rng.integers(len(rows)))]
    distance = ((rows - rows[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(k - 1):
        total = distance.sum()
        pick = rng.choice(len(rows), p=distance / total) if total > 0 else rng.integers(len(rows))
        chosen.append(int(pick))
        distance = np.minimum(distance, ((rows - rows[pick]) ** 2).sum(axis=1))
    return rows[chosen].copy()
