"""What near-duplicate pairs add up to: clusters, who is kept for whom, and the curve over thresholds.

Works on pairs alone, so that another threshold costs no new comparison.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.text import Unit
from holdfast.dedup.exact import Indices, Priority

Ngram = Literal["word3", "word5", "char5", "symbol3"]

NGRAMS: dict[str, tuple[int, Unit]] = {
    "word3": (3, "word"),
    "word5": (5, "word"),
    "char5": (5, "char"),
    "symbol3": (3, "symbol"),
}

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
class SemanticSpec:
    """What counts as semantic: the name of the encoder whose vectors are compared, and the lowest cosine."""

    encoder: str
    threshold: float

    def __post_init__(self) -> None:
        if not 0.1 <= self.threshold <= 1.0:
            raise UsageError(f"A semantic threshold of {self.threshold} is not between 0.1 and 1.0.")


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
class Keepers:
    """Which record is kept for each, and how similar the two are. Both arrays have one entry per record.

    A kept record is its own keeper. No two kept records are a pair, and every other record is a pair with its keeper
    (or equal to it): a cluster that hangs together through a chain keeps several.
    """

    keeper: Indices
    similarity: npt.NDArray[np.float32]

    @property
    def rejected(self) -> Indices:
        """The records that another one is kept for, in order."""
        return np.flatnonzero(self.keeper != np.arange(self.keeper.size))


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """All pairs of records of similarity >= `spec.threshold`: left < right, sorted.

    Records with equal shingle sets are paired with the first of them only (similarity 1). `skipped` counts the
    comparisons that the limits of `dedup.join` left out. `recall` is the expected share of pairs at the threshold that
    were found; 1, with nothing skipped, means that no pair is missing. `stays` marks pairs that count at any
    threshold, because another definition already made them one.
    """

    rows: int
    spec: NearSpec | SemanticSpec
    left: Indices
    right: Indices
    similarity: npt.NDArray[np.float32]
    skipped: int = 0
    recall: float = 1.0
    priority: Priority = None
    stays: npt.NDArray[np.bool_] | None = None

    @property
    def beyond(self) -> int:
        """Number of records that another one is kept for."""
        return int(self.keepers().rejected.size)

    def at(self, threshold: float) -> "NearDuplicates":
        """Return the same result under a higher threshold, without comparing anything again."""
        if threshold < self.spec.threshold:
            raise UsageError(
                f"Pairs below a similarity of {self.spec.threshold} were not kept, so {threshold} cannot be judged.",
                "Search again with the lower threshold.",
            )
        keep = self._reaches(threshold)
        columns = ("left", "right", "similarity", *(() if self.stays is None else ("stays",)))
        chosen = {name: getattr(self, name)[keep] for name in columns}
        return replace(self, spec=replace(self.spec, threshold=threshold), **chosen)

    def curve(self) -> list[tuple[float, int]]:
        """Return how many records another one is kept for at .5, .55 ... .95, as far as they were searched."""
        return [(level, self.at(level).beyond) for level in CURVE if level >= self.spec.threshold]

    def keepers(self, gone: npt.NDArray[np.bool_] | None = None) -> Keepers:
        """Choose who is kept: in order of priority, then index, whoever is similar to nobody kept before.

        Everybody else goes to the most similar of the kept. Records marked as `gone` take no part: nobody is given up
        for them, and they are their own keepers.
        """
        ranked = self._ranked(gone)
        rank = np.empty_like(ranked)
        rank[ranked] = np.arange(self.rows)
        # Only the first of equal records takes part in pairs. All of them go by the rank of the best.
        hub = self._hubs()
        best = np.full(self.rows, self.rows)
        np.minimum.at(best, hub, rank)
        best = best[hub]
        target, similarity = self._settled(best, self.rows if gone is None else int(np.count_nonzero(~gone)))
        keeper, alike = ranked[target[best]], similarity[best]
        if gone is not None:
            keeper[gone], alike[gone] = np.flatnonzero(gone), 1.0
        return Keepers(keeper, alike)

    def with_pairs(self, left: Indices, right: Indices, similarity: npt.NDArray[np.float32]) -> "NearDuplicates":
        """Return the same result with more pairs, left < right, none of them known."""
        one, other = np.concatenate([self.left, left]), np.concatenate([self.right, right])
        order = np.lexsort((other, one))
        alike = np.concatenate([self.similarity, similarity])[order]
        return replace(self, left=one[order], right=other[order], similarity=alike)

    def kept_of_clusters(self, least: int) -> Indices:
        """Return the records that `keepers` keeps in clusters of more than `least` records."""
        component = connected(self.rows, self.left, self.right)
        size = np.bincount(component, minlength=self.rows)[component]
        return np.flatnonzero((self.keepers().keeper == np.arange(self.rows)) & (size > least))

    def clusters(self) -> Clusters:
        """Group the records. The representative has the lowest priority number, then the lowest index."""
        component = connected(self.rows, self.left, self.right)
        ranked = self._ranked(None)
        heads = np.empty(self.rows, np.int64)
        heads[component[ranked[::-1]]] = ranked[::-1]  # the last write wins, so the best record is written last
        representative = heads[component]
        size = np.bincount(component, minlength=self.rows)[component]
        direct = self._direct(representative)
        nearest = np.where(size > 1, self._nearest(), np.float32(1.0))
        similarity = np.where(direct > 0, direct, nearest).astype(np.float32)
        return Clusters(representative, self._medoids(component), direct == 0, similarity, size)

    def _ranked(self, gone: npt.NDArray[np.bool_] | None) -> Indices:
        """Return the records, the best first; those that are gone come last."""
        keys = [key for key in (self.priority, gone) if key is not None]
        return np.lexsort(keys) if keys else np.arange(self.rows)

    def _reaches(self, threshold: float) -> npt.NDArray[np.bool_]:
        reached: npt.NDArray[np.bool_] = self.similarity >= np.float32(threshold)
        return reached if self.stays is None else reached | self.stays

    def _hubs(self) -> Indices:
        """Return for each record the first of those equal to it."""
        hub = np.arange(self.rows)
        same = self.similarity == 1.0
        np.minimum.at(hub, self.right[same], self.left[same])
        return hub

    def _settled(self, best: Indices, alive: int) -> tuple[Indices, npt.NDArray[np.float32]]:
        """Return for each rank the rank that is kept for it, and the similarity of the two.

        `best` is the rank that each record goes by; ranks from `alive` on take no part.
        """
        one, other = best[self.left], best[self.right]
        pairs = (one != other) & (np.maximum(one, other) < alive)
        one, other = one[pairs], other[pairs]
        kept = independent(self.rows, np.minimum(one, other), np.maximum(one, other))
        one, other = np.concatenate([one, other]), np.concatenate([other, one])
        similarity = np.tile(self.similarity[pairs], 2)
        chosen = np.flatnonzero(kept[one] & ~kept[other])
        chosen = chosen[np.lexsort((-one[chosen], similarity[chosen], other[chosen]))]
        target, alike = np.arange(self.rows), np.ones(self.rows, np.float32)
        target[other[chosen]] = one[chosen]  # the last write wins: of the most similar the best
        alike[other[chosen]] = similarity[chosen]
        return target, alike

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
        equal = self._hubs()
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


def independent(rows: int, low: Indices, high: Indices) -> npt.NDArray[np.bool_]:
    """Return which of 0 ... rows - 1 are kept when, going up, everyone is kept that has no edge to one kept before.

    `low` and `high` are the ends of the edges, low < high. Each step settles all that wait for nobody any more
    (Blelloch, Fineman and Shun, SPAA 2012), so that their number is the longest chain of waiting.
    """
    kept = np.ones(rows, np.bool_)
    while low.size:
        waiting = np.zeros(rows, np.bool_)
        waiting[high] = True
        settled = ~waiting[low]
        kept[high[settled]] = False
        open_still = kept[low] & kept[high]
        low, high = low[open_still], high[open_still]
    return kept
