"""Exact duplicates: records whose normalised texts have equal digests (`core.text.digests`).

Case, white space and characters nobody sees make no difference; punctuation does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Priority = npt.NDArray[np.integer] | None


@dataclass(frozen=True, slots=True)
class ExactDuplicates:
    """Groups of equal records. `representative[i]` is the record that is kept for record i, itself where alone."""

    representative: Indices

    @property
    def beyond(self) -> int:
        """Number of records beyond the first of each group: what removing duplicates removes."""
        return int(np.count_nonzero(self.duplicates))

    @property
    def duplicates(self) -> npt.NDArray[np.bool_]:
        """True for each record that another one represents."""
        beyond: npt.NDArray[np.bool_] = self.representative != np.arange(self.representative.size)
        return beyond

    @property
    def pairs(self) -> Indices:
        """int64[beyond, 2]: (representative, duplicate), in the order of the duplicates."""
        others = np.flatnonzero(self.duplicates)
        return np.stack([self.representative[others], others], axis=1)


def exact_duplicates(digests: npt.NDArray[np.uint64], priority: Priority = None) -> ExactDuplicates:
    """Group records of equal digest, uint64[n, 2].

    The representative is the record of the lowest `priority` (none: all equal), among these the first.
    """
    return ExactDuplicates(representatives(digests, priority))


def representatives(keys: npt.NDArray[np.uint64], priority: Priority = None) -> Indices:
    """Return for every row of `keys`, uint64[n, 2], the best row of equal keys: lowest priority, then lowest index."""
    rows = keys.shape[0]
    if rows == 0:
        return np.empty(0, np.int64)
    ranked = (keys[:, 1], keys[:, 0]) if priority is None else (priority, keys[:, 1], keys[:, 0])
    order = np.lexsort(ranked)  # stable, so equal keys stay in index order
    ordered = keys[order]
    starts = np.ones(rows, np.bool_)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    best = np.empty(rows, np.int64)
    best[order] = order[starts][np.cumsum(starts) - 1]
    return best
