"""Cosine join of very many vectors: only vectors that are near the same centre are compared, and the loss is measured.

Spherical k-means on a sample gives centres (Dhillon and Modha, Machine Learning 2001; for duplicates: SemDeDup, Abbas
et al., arXiv 2303.09540). SemDeDup compares within a cluster, and misses the pairs that a border divides. Here a
vector is compared with every vector that has its nearest centre among their `PROBES` nearest ones, so that a border
must pass `PROBES` centres to divide a pair. Each run measures its recall: some vectors are compared with all others as
well. Below the promised recall the number of probes is doubled and the search is done again.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from holdfast.dedup.cosine import BLOCK, Blocks, Pairs, Scores, Vectors, joined, limited
from holdfast.dedup.exact import Indices

# The share of pairs at the threshold that is promised to be found.
PROMISED = 0.98
PROBES = 3
MOST_PROBES = 24
# Vectors per cluster: assignment costs n * n / SIZE, comparison n * SIZE * probes.
SIZE = 2_000
# Sample of k-means per centre, and its rounds: centres need not be good, only the same for both of a pair.
PER_CENTRE = 64
ROUNDS = 6
# Vectors compared with all others to measure the recall.
MEASURED = 2_048

Labels = npt.NDArray[np.int32]


def partitioned_pairs(vectors: Vectors, threshold: float, seed: int = 0) -> Pairs:
    """Return the pairs found, and as `recall` the share of those of `MEASURED` random vectors that is among them.

    A recall that rests on no pair at all is 1: there was nothing to miss.
    """
    blocks = Blocks(vectors, threshold, seed)
    centre = centres(vectors, max(2, len(vectors) // SIZE), seed)
    truth = _truth(blocks, len(vectors), seed)
    probes = PROBES
    while True:
        found = _within(blocks, nearest(vectors, centre, probes), len(centre))
        recall = _recall(found, truth, len(vectors))
        if recall >= PROMISED or probes >= min(MOST_PROBES, len(centre)):
            return found._replace(recall=recall)
        probes *= 2


def centres(vectors: Vectors, count: int, seed: int) -> Vectors:
    """Return `count` unit centres of a sample of the vectors, shape (count, dimensions)."""
    rng = np.random.default_rng(seed)
    size = min(len(vectors), PER_CENTRE * count)
    sample = vectors[np.sort(rng.choice(len(vectors), size, replace=False))]
    centre = sample[rng.choice(size, min(count, size), replace=False)]
    for _ in range(ROUNDS):
        label = nearest(sample, centre, 1)[:, 0]
        order = np.argsort(label, kind="stable")
        filled, start = np.unique(label[order], return_index=True)
        sums = np.add.reduceat(sample[order], start, axis=0)
        centre[filled] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return centre


def nearest(vectors: Vectors, centre: Vectors, probes: int) -> Labels:
    """Return the `probes` nearest centres of each vector, the nearest first, shape (vectors, probes)."""
    probes = min(probes, len(centre))
    label = np.empty((len(vectors), probes), np.int32)
    for first in range(0, len(vectors), BLOCK):
        scores = vectors[first : first + BLOCK] @ centre.T
        some = np.argpartition(-scores, probes - 1, axis=1)[:, :probes]
        rank = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
        label[first : first + BLOCK] = np.take_along_axis(some, rank, axis=1)
    return label


def _within(blocks: Blocks, label: Labels, count: int) -> Pairs:
    """Compare the vectors of every centre with those that have it among their nearest."""
    owner = np.argsort(label[:, 0], kind="stable")
    owned = np.searchsorted(label[owner, 0], np.arange(count + 1))
    flat = np.argsort(label.ravel(), kind="stable")
    seen = np.searchsorted(label.ravel()[flat], np.arange(count + 1))
    met = joined(
        limited(_blocks(blocks, owner[owned[c] : owned[c + 1]], flat[seen[c] : seen[c + 1]] // label.shape[1]))
        for c in range(count)
    )
    codes, first = np.unique(met.left * len(label) + met.right, return_index=True)
    return Pairs(codes // len(label), codes % len(label), met.similarity[first], met.skipped)


def _blocks(blocks: Blocks, mine: Indices, others: Indices) -> Iterator[tuple[Indices, Indices, Scores]]:
    """Yield the pairs (i < j) between two lists of vectors."""
    for start in range(0, len(mine), BLOCK):
        for first in range(0, len(others), BLOCK):
            rows, columns = mine[start : start + BLOCK], others[first : first + BLOCK]
            left, right, scores = blocks.compare(rows, columns)
            one, other = rows[left], columns[right]
            apart = one != other
            yield np.minimum(one, other)[apart], np.maximum(one, other)[apart], scores[apart]


def _truth(blocks: Blocks, rows: int, seed: int) -> Indices:
    """Return the codes of all pairs of some random vectors, compared with every vector."""
    chosen = np.sort(np.random.default_rng(seed + 1).choice(rows, min(MEASURED, rows), replace=False))
    parts = [np.empty(0, np.int64)]
    for left, right, _ in _blocks(blocks, chosen, np.arange(rows)):
        parts.append(left * rows + right)
    return np.unique(np.concatenate(parts))


def _recall(found: Pairs, truth: Indices, rows: int) -> float:
    if not len(truth):
        return 1.0
    return float(np.isin(truth, found.left * rows + found.right).mean())
