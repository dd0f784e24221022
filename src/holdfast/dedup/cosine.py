"""Cosine join: the pairs of unit vectors whose inner product is at or above a threshold.

Up to `MOST_EXACT` vectors all pairs are found. Not by comparing whole vectors: rotated so that few of their dimensions
hold most of their length, two vectors x and y with heads x', y' and tails of lengths a, b have

    x . y  =  x' . y' + tails  <=  x' . y' + a b          (Cauchy-Schwarz on the tails)

so that the heads, each with its tail's length as one more number, give an upper bound by a product of a quarter of
the size. A pair whose bound is below the threshold is none; every other one is compared in full. How many dimensions a
head has is chosen on a sample by cost alone: the answer never depends on it. Half of the products fall away because a
pair is looked at once. Beyond `MOST_EXACT` vectors `dedup.partition` says which blocks are compared, and what it
misses is measured.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.dedup.exact import Indices

Vectors = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]

# Vectors compared with each other in full: 31 billion products of heads, some minutes of two cores.
MOST_EXACT = 250_000
# A block of scores is 2,048 x 2,048 float32 = 16 MB. Smaller ones stay in the cache, but BLAS threads wait for each
# other after every block, which costs more where other programs want the cores too.
BLOCK = 2_048
# Fewer vectors than this are compared whole.
FEWEST = 1_024
# Partners kept per vector with a later index. Beyond it a record is long known to be a duplicate (as `dedup.join`).
MOST_PARTNERS = 256
# Where more of a block than this must be compared in full, one whole product is cheaper than picking rows.
DENSE = 0.01
# float32 products of unit vectors of d dimensions are off by at most d * 2^-24, so by less than this up to 1,600.
SLACK = 1e-4
# The square of a tail's length is a difference of two sums near 1, off by less than this: it is rounded up.
TAIL = 1e-6
HEADS = (16, 32, 48, 64, 96, 128, 192, 256)
# Full comparison of one picked pair, in multiply-adds of a block product: it fetches two rows from memory.
PICKED = 20_000
SAMPLE = 4_096
_CHUNK = 1 << 15


class Pairs(NamedTuple):
    """Similar pairs, left < right, sorted, and how many beyond `MOST_PARTNERS` of one vector were left out."""

    left: Indices
    right: Indices
    similarity: Scores
    skipped: int
    recall: float = 1.0


class Blocks:
    """Vectors made ready for blocks of comparisons: what is compared first, and what decides."""

    def __init__(self, vectors: Vectors, threshold: float, seed: int = 0) -> None:
        self.vectors, self.threshold = vectors, np.float32(threshold)
        self.heads = heads(vectors, threshold, seed)

    def compare(self, rows: Indices | slice, columns: Indices | slice) -> tuple[Indices, Indices, Scores]:
        """Return (row places, column places, similarity) of the similar pairs of two sets of vectors."""
        if self.heads is None:
            return self._whole(rows, columns)
        bound = self.heads[rows] @ self.heads[columns].T
        found = np.flatnonzero(bound >= self.threshold - np.float32(SLACK))
        if len(found) > DENSE * bound.size:
            return self._whole(rows, columns)
        left, right = np.divmod(found, bound.shape[1])
        return self._picked(rows, columns, left, right)

    def _whole(self, rows: Indices | slice, columns: Indices | slice) -> tuple[Indices, Indices, Scores]:
        """Compare in full by one product, which is off by its rounding: what is near the threshold is done again."""
        scores = self.vectors[rows] @ self.vectors[columns].T
        left, right = np.divmod(np.flatnonzero(scores >= self.threshold - np.float32(SLACK)), scores.shape[1])
        sure = scores[left, right] >= self.threshold + np.float32(SLACK)
        again = self._picked(rows, columns, left[~sure], right[~sure])
        picked = (left[sure], right[sure], scores[left[sure], right[sure]])
        return (
            np.concatenate([picked[0], again[0]]),
            np.concatenate([picked[1], again[1]]),
            np.concatenate([picked[2], again[2]]),
        )

    def _picked(
        self, rows: Indices | slice, columns: Indices | slice, left: Indices, right: Indices
    ) -> tuple[Indices, Indices, Scores]:
        """Compare chosen pairs in full."""
        mine, theirs = self.vectors[rows], self.vectors[columns]
        scores = np.empty(len(left), np.float32)
        for first in range(0, len(left), _CHUNK):
            part = slice(first, first + _CHUNK)
            scores[part] = np.einsum("ij,ij->i", mine[left[part]], theirs[right[part]])
        similar = scores >= self.threshold
        return left[similar], right[similar], scores[similar]


def similar_pairs(vectors: Vectors, threshold: float) -> Pairs:
    """Return every pair of unit vectors with inner product >= `threshold`; vectors of length zero have no partner."""
    blocks = Blocks(vectors, threshold)
    starts = range(0, len(vectors), BLOCK)
    return joined(limited(_row_of_blocks(blocks, start, len(vectors))) for start in starts)


def _row_of_blocks(blocks: Blocks, start: int, rows: int) -> Iterator[tuple[Indices, Indices, Scores]]:
    """Yield the pairs (i < j) of the vectors from `start` on, one block of them, with all that follow."""
    mine = slice(start, min(start + BLOCK, rows))
    for other in range(start, rows, BLOCK):
        left, right, scores = blocks.compare(mine, slice(other, min(other + BLOCK, rows)))
        left, right = left + start, right + other
        later = left < right
        yield left[later], right[later], scores[later]


def limited(parts: Iterable[tuple[Indices, Indices, Scores]]) -> Pairs:
    """Join the parts of one row of blocks; each vector keeps its first `MOST_PARTNERS` later partners."""
    met = [Pairs(*part, skipped=0) for part in parts]
    left, right, scores = (np.concatenate([part[column] for part in met]) for column in range(3))
    order = np.lexsort((right, left))
    left, right, scores = left[order], right[order], scores[order]
    rank = np.arange(len(left)) - np.searchsorted(left, left)
    kept = rank < MOST_PARTNERS
    return Pairs(left[kept], right[kept], scores[kept], int(np.count_nonzero(~kept)))


def joined(parts: Iterable[Pairs]) -> Pairs:
    """Return all parts as one."""
    all_parts = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), 0), *parts]
    left, right, scores = (np.concatenate([part[column] for part in all_parts]) for column in range(3))
    return Pairs(left, right, scores, sum(part.skipped for part in all_parts))


def heads(vectors: Vectors, threshold: float, seed: int) -> Vectors | None:
    """Return the heads of the vectors with the length of their tails, or None where whole vectors are cheaper.

    Shape (vectors, k + 1). The rotation is that of the principal axes of a sample, without centring.
    """
    sample = _sampled(vectors, seed)
    if len(sample) < FEWEST:
        return None
    _, axes = np.linalg.eigh(sample.T.astype(np.float64) @ sample)
    turned = sample @ axes[:, ::-1].astype(np.float32)
    sizes = [size for size in HEADS if size < vectors.shape[1]]
    costs = {size: size + 1 + PICKED * _passing(_head(turned, size), threshold) for size in sizes}
    best = min(costs, key=lambda size: costs[size], default=0)
    if not costs or costs[best] > vectors.shape[1]:
        return None
    turn = np.ascontiguousarray(axes[:, ::-1][:, :best].astype(np.float32))
    parts = [_headed(vectors[first : first + _CHUNK], turn) for first in range(0, len(vectors), _CHUNK)]
    return np.concatenate(parts)


def _sampled(vectors: Vectors, seed: int) -> Vectors:
    if len(vectors) <= SAMPLE:
        return vectors
    return vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), SAMPLE, replace=False))]


def _head(turned: Vectors, size: int) -> Vectors:
    tail = np.linalg.norm(turned[:, size:], axis=1, keepdims=True)
    return np.concatenate([turned[:, :size], tail], axis=1)


def _headed(vectors: Vectors, turn: Vectors) -> Vectors:
    """The same for any vectors: the tail's length is what the head leaves of the whole, by Pythagoras, rounded up."""
    head = vectors @ turn
    left = np.einsum("ij,ij->i", vectors, vectors) - np.einsum("ij,ij->i", head, head)
    return np.concatenate([head, np.sqrt(np.maximum(left, 0.0) + TAIL)[:, None]], axis=1)


def _passing(head: Vectors, threshold: float) -> float:
    """Return the share of the pairs of a sample that its heads cannot tell apart from similar ones."""
    half = len(head) // 2
    return float(np.mean(head[:half] @ head[half:].T >= threshold - SLACK))
