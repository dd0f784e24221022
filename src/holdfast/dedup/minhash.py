"""MinHash join: similar pairs of many records, found by sketches and then compared exactly.

Records that agree in all `rows` MinHash values of one of `bands` bands are candidates (Broder, SEQUENCES 1997;
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3). Every candidate is compared shingle by shingle,
so that no pair is invented and no similarity is an estimate; a pair of similarity J is missed with probability
(1 - J ** rows) ** bands, at the threshold 0.004, 0.1 above it less than 0.0001. For 0.5 that takes 42 bands of 3.

A few bands are worked on at a time, so that memory is 50 bytes a record and the shingles may lie in a mapped file.
"""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.core.hashing import STEP, Hashes, Offsets, mix
from holdfast.dedup.spill import forget

# Expected recall of pairs at the threshold itself; more similar ones are found more often.
RECALL = 0.996
# More rows make fewer false candidates and need more bands. Beyond these, sketching costs more than it saves.
MOST_ROWS = 8
MOST_BANDS = 60
# Bands sketched in one pass over the shingles: 4 bytes a record and band are held at once.
_AT_ONCE = 7
# Members of one bucket that each is compared with. In a larger bucket they are ordered by the keys of another band, so
# that those which agree there too come together. What is left out is counted.
NEAREST = 32
# Pairs kept in all, so many per record: between these bounds, what fits into about 200 MB.
MOST_PAIRS = 8_000_000
MOST_PARTNERS = 256
LEAST_PARTNERS = 8
KERNELS = "holdfast.dedup.minhash_kernels"
_CHUNK = 1 << 14
# Comparisons before the pages that they touched in the mapped file, 64 kB at each end, are given back.
_COMPARED = 1 << 9


class Banding(NamedTuple):
    """How values are grouped, and the expected share of pairs at the threshold that are found."""

    bands: int
    rows: int
    recall: float


class Found(NamedTuple):
    """Similar pairs, left < right as positions among the active records, sorted; comparisons left out by limits."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    skipped: int


@dataclass(frozen=True, slots=True)
class _Sets:
    """Record active[k] has the sorted distinct shingles[offsets[active[k]]:offsets[active[k] + 1]], never none."""

    shingles: Any
    offsets: Offsets
    active: Offsets

    def of(self, start: int, stop: int) -> tuple[Any, Offsets, Offsets]:
        return self.shingles, self.offsets, self.active[start:stop]


def recall(similarity: float, bands: int, rows: int) -> float:
    """Return the probability that a pair of this similarity becomes a candidate: 1 - (1 - J ** rows) ** bands."""
    return float(1.0 - (1.0 - similarity**rows) ** bands)


def banding(threshold: float) -> Banding:
    """Return the most rows whose bands reach `RECALL` at the threshold; one row where none do in `MOST_BANDS`."""
    for rows in range(MOST_ROWS, 0, -1):
        missed = 1.0 - threshold**rows
        bands = math.ceil(math.log(1.0 - RECALL) / math.log(missed)) if missed > 0 else 1
        if bands <= MOST_BANDS:
            break
    bands = min(bands, MOST_BANDS)
    return Banding(bands, rows, recall(threshold, bands, rows))


def find(shingles: Any, offsets: Offsets, active: Offsets, threshold: float, workers: int = 1) -> Found:
    """Return pairs of the records `active` with Jaccard similarity >= `threshold`, each with its exact similarity.

    Record r has the sorted distinct shingles[offsets[r]:offsets[r + 1]]; active records are not empty and their sets
    differ from each other. The result does not depend on `workers`.
    """
    sets = _Sets(shingles, offsets, active)
    chosen = banding(threshold)
    known, similarity, skipped = np.empty(0, np.uint64), np.empty(0, np.float32), 0
    with ThreadPoolExecutor(workers) as pool:
        for begin in range(0, chosen.bands, _AT_ONCE):
            keys = _keys(sets, (begin, min(begin + _AT_ONCE, chosen.bands)), chosen.rows, pool.map)
            for band in range(len(keys)):
                partners = np.bincount((known & np.uint64(0xFFFFFFFF)).astype(np.int64), minlength=active.size)
                buckets = (*_buckets(keys[band], keys[band - 1]), partners)
                pairs, scores, left_out = _compared(sets, buckets, threshold, pool.map)
                skipped += left_out
                if pairs.size:
                    known, at = np.unique(np.concatenate([known, pairs]), return_index=True)
                    similarity = np.concatenate([similarity, scores])[at]
    left, right = known >> np.uint64(32), known & np.uint64(0xFFFFFFFF)
    return Found(left.astype(np.int64), right.astype(np.int64), similarity, skipped)


def most_partners(records: int) -> int:
    """Return how many earlier partners are kept per record."""
    return max(LEAST_PARTNERS, min(MOST_PARTNERS, MOST_PAIRS // max(records, 1)))


_Map = Callable[..., Iterable[Any]]


def _keys(sets: _Sets, bands: tuple[int, int], rows: int, run: _Map) -> npt.NDArray[np.uint32]:
    """Return uint32[bands, records], the keys of the bands from bands[0] up to bands[1]."""
    kernels = import_module(KERNELS)
    out = np.empty((bands[1] - bands[0], sets.active.size), np.uint32)
    # Two salts for each value, see `minhash_kernels`; those of other bands are others.
    salts = mix(np.arange(2 * rows * bands[0], 2 * rows * bands[1], dtype=np.uint64) * np.uint64(STEP))

    def sketch(start: int) -> None:
        stop = min(start + _CHUNK, sets.active.size)
        kernels.keys(sets.of(start, stop), salts, rows, out[:, start:stop])
        forget(sets.shingles)

    for _ in run(sketch, range(0, sets.active.size, _CHUNK)):
        pass
    return out


def _buckets(keys: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int32], Offsets]:
    """Return the records of buckets of two or more, bucket by bucket, and the place where the bucket of each begins."""
    codes: Hashes = (keys.astype(np.uint64) << np.uint64(32)) | np.arange(keys.size, dtype=np.uint64)
    codes.sort()
    sorted_keys = codes >> np.uint64(32)
    starts = np.flatnonzero(np.concatenate([[True], sorted_keys[1:] != sorted_keys[:-1]]))
    sizes = np.diff(np.append(starts, keys.size))
    chosen = np.repeat(sizes > 1, sizes)
    members = (codes[chosen] & np.uint64(0xFFFFFFFF)).astype(np.int32)
    sizes = sizes[sizes > 1]
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    hot = np.flatnonzero(np.repeat(sizes > NEAREST, sizes))
    members[hot] = members[hot[np.lexsort((members[hot], other[members[hot]], first[hot]))]]
    return members, first


def _compared(sets: _Sets, buckets: tuple[Any, Any, Any], threshold: float, run: _Map) -> tuple[Hashes, Any, int]:
    """Return the similar pairs as left << 32 | right, their similarities, and how many comparisons were left out."""
    kernels = import_module(KERNELS)
    members, first, _ = buckets
    before = np.minimum(np.arange(members.size) - first, NEAREST)
    total = np.cumsum(before)
    cuts = np.searchsorted(total, np.arange(_COMPARED, (total[-1] if total.size else 0) + 1, _COMPARED))
    bounds = np.unique(np.concatenate([[0], cuts, [members.size]]))
    limits = (threshold, NEAREST, most_partners(sets.active.size))

    def check(start: int, stop: int) -> tuple[Hashes, Any, int]:
        room = int(np.minimum(before[start:stop], limits[2]).sum())
        out = (np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.float32))
        whole = (sets.shingles, sets.offsets, sets.active)
        written, skipped = kernels.compare(whole, buckets, (start, stop), limits, out)
        forget(sets.shingles)
        left, right = (column[:written].astype(np.uint64) for column in out[:2])
        return (left << np.uint64(32)) | right, out[2][:written].copy(), skipped

    parts = list(run(check, bounds[:-1].tolist(), bounds[1:].tolist()))
    pairs = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in parts)])
    scores = np.concatenate([np.empty(0, np.float32), *(part[1] for part in parts)])
    return pairs, scores, sum(part[2] for part in parts)
