"""What near-duplicate pairs add up to: clusters, who represents them, and the curve over thresholds.

Works on pairs alone, so that another threshold costs no new comparison.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.text import Unit
from holdfast.dedup.exact import Indices, Priority

Ngram = Literal["word3", "word5", "char5"]

NGRAMS: dict[str, tuple[int, Unit]] = {"word3": (3, "word"), "word5": (5, "word"), "char5": (5, "char")}

CURVE = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True, slots=True)
class NearSpec:
    """What counts as near: the shingles that are compared and the lowest Jaccard similarity that counts."""

    ngram: Ngram = "word3"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.ngram not in NGRAMS:
            raise UsageError(f"Unknown n-gram {self.ngram!r}.", f"Known: {', '.join(NGRAMS)}.")
        if not 0.1 <= self.threshold <= 1.0:
            raise UsageError(f"A near-duplicate threshold of {self.threshold} is not between 0.1 and 1.0.")


@dataclass(frozen=True, slots=True)
class Clusters:
    """Records connected by similar pairs. All arrays have one entry per record of the data set.

    `representative` is the record kept for each (itself where alone), `medoid` the one most similar to its cluster,
    `size` the number of records in it. `chained` marks records that are in a cluster without being similar to its
    representative themselves: they are connected through others only, and a filter should look at them before it
    rejects them. `similarity` is that to the representative, for a chained record that to its nearest partner.
    """

    representative: Indices
    medoid: Indices
    chained: npt.NDArray[np.bool_]
    similarity: npt.NDArray[np.float32]
    size: Indices

    @property
    def count(self) -> int:
        """Number of clusters of two records or more."""
        return int(np.unique(self.representative[self.size > 1]).size)

    @property
    def largest(self) -> int:
        """Number of records in the largest cluster; 0 where nothing is duplicated."""
        return int(self.size.max(initial=1)) if self.count else 0

    def members(self, record: int) -> Indices:
        """Return the records of the cluster of one record, in order."""
        return np.flatnonzero(self.representative == self.representative[record])


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """All pairs of records of similarity >= `spec.threshold`: left < right, sorted.

    Records with equal shingle sets are paired with the first of them only (similarity 1). `skipped` counts the
    comparisons that the limits of `dedup.join` left out. `recall` is the expected share of pairs at the threshold that
    were found; 1, with nothing skipped, means that no pair is missing.
    """

    rows: int
    spec: NearSpec
    left: Indices
    right: Indices
    similarity: npt.NDArray[np.float32]
    skipped: int = 0
    recall: float = 1.0
    priority: Priority = None

    @property
    def beyond(self) -> int:
        """Number of records beyond the first of each cluster."""
        return self._beyond(self.spec.threshold)

    def at(self, threshold: float) -> "NearDuplicates":
        """Return the same result under a higher threshold, without comparing anything again."""
        if threshold < self.spec.threshold:
            raise UsageError(
                f"Pairs below a similarity of {self.spec.threshold} were not kept, so {threshold} cannot be judged.",
                "Search again with the lower threshold.",
            )
        keep = self._reaches(threshold)
        chosen = {name: getattr(self, name)[keep] for name in ("left", "right", "similarity")}
        return replace(self, spec=replace(self.spec, threshold=threshold), **chosen)

    def curve(self) -> list[tuple[float, int]]:
        """Return the records beyond the first of each cluster at .5, .55 ... .95, as far as they were searched."""
        return [(level, self._beyond(level)) for level in CURVE if level >= self.spec.threshold]

    def clusters(self) -> Clusters:
        """Group the records. The representative has the lowest priority number, then the lowest index."""
        component = connected(self.rows, self.left, self.right)
        ranked = np.arange(self.rows) if self.priority is None else np.lexsort((np.arange(self.rows), self.priority))
        heads = np.empty(self.rows, np.int64)
        heads[component[ranked[::-1]]] = ranked[::-1]  # the last write wins, so the best record is written last
        representative = heads[component]
        size = np.bincount(component, minlength=self.rows)[component]
        direct = self._direct(representative)
        nearest = np.where(size > 1, self._nearest(), np.float32(1.0))
        similarity = np.where(direct > 0, direct, nearest).astype(np.float32)
        return Clusters(representative, self._medoids(component), direct == 0, similarity, size)

    def _reaches(self, threshold: float) -> npt.NDArray[np.bool_]:
        return self.similarity >= np.float32(threshold)

    def _beyond(self, threshold: float) -> int:
        keep = self._reaches(threshold)
        component = connected(self.rows, self.left[keep], self.right[keep])
        return int(np.count_nonzero(component != np.arange(self.rows)))

    def _medoids(self, component: Indices) -> Indices:
        total = np.bincount(self.left, self.similarity, self.rows) + np.bincount(self.right, self.similarity, self.rows)
        worst_first = np.lexsort((-np.arange(self.rows), total))
        best = np.empty(self.rows, np.int64)
        best[component[worst_first]] = worst_first
        return best[component]

    def _nearest(self) -> npt.NDArray[np.float32]:
        """Return the highest similarity of each record to any other, 0 without a partner."""
        best = np.zeros(self.rows, np.float32)
        np.maximum.at(best, self.left, self.similarity)
        np.maximum.at(best, self.right, self.similarity)
        return best

    def _direct(self, representative: Indices) -> npt.NDArray[np.float32]:
        """Return the similarity of each record to its representative, 0 where the two are not a pair.

        Equal records are compared as one, because only the first of them takes part in pairs.
        """
        equal = np.arange(self.rows)
        same = self.similarity == 1.0
        np.minimum.at(equal, self.right[same], self.left[same])
        hub = equal[representative]
        found: npt.NDArray[np.float32] = (equal == hub).astype(np.float32)
        for one, other in ((self.left, self.right), (self.right, self.left)):
            met = equal[other] == hub[other]
            np.maximum.at(found, equal[one[met]], self.similarity[met])
        direct: npt.NDArray[np.float32] = found[equal]
        return direct


def connected(rows: int, left: Indices, right: Indices) -> Indices:
    """Return for each record the lowest index of its connected component.

    Hooking and pointer jumping (Shiloach and Vishkin, J. Algorithms 1982) in whole-array steps.
    """
    root = np.arange(rows)
    while left.size:
        low, high = np.minimum(root[left], root[right]), np.maximum(root[left], root[right])
        apart = low != high
        if not apart.any():
            break
        np.minimum.at(root, high[apart], low[apart])
        left, right = left[apart], right[apart]
        while True:
            jumped = root[root]
            if np.array_equal(jumped, root):
                break
            root = jumped
    return root
