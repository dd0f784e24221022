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
# More rows make fewer false candidates and need more values: five rows cost half of what six do at 0.7, and twice as
# many candidates are still cheaper to compare than values are to make.
MOST_ROWS = 5
MOST_BANDS = 60
# Band keys that are held at once. With all of a record's keys at hand a pair is compared in the first band in which
# it meets, and in no other.
KEYS_BYTES = 128 << 20
# Earlier members of a bucket that each is compared with, and pairs kept per record.
MOST_NEAREST = MOST_PARTNERS = 256
# What is left of both where a band would make more comparisons than this, or so many pairs are known (200 MB). Members
# of buckets too large for it are ordered by the keys of another band, so that those which agree there too come
# together. What is left out is counted.
LEAST_NEAREST = LEAST_PARTNERS = 8
MOST_COMPARISONS = MOST_PAIRS = 8_000_000
KERNELS = "holdfast.dedup.minhash_kernels"
_CHUNK = 1 << 14
# Comparisons before the pages that they touched in the mapped file, 64 kB at each end, are given back.
_COMPARED = 1 << 11
_LOW = np.uint64(0xFFFFFFFF)


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


class _Buckets(NamedTuple):
    """The records of buckets of two or more, bucket by bucket, and the place where the bucket of each begins.

    Each is compared with the `nearest` before it; `crowded` are the records of buckets larger than that.
    """

    members: npt.NDArray[np.int32]
    first: Offsets
    nearest: int
    crowded: npt.NDArray[np.int32]


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
    partners = np.zeros(active.size, np.int64)
    at_once = max(1, KEYS_BYTES // (4 * max(active.size, 1)))
    with ThreadPoolExecutor(workers) as pool:
        for begin in range(0, chosen.bands, at_once):
            keys = _keys(sets, (begin, min(begin + at_once, chosen.bands)), chosen.rows, pool.map)
            parts = [(known, similarity)]
            for band in range(keys.shape[1]):
                buckets = _buckets(keys, band)
                pairs, scores, left_out = _compared(sets, (keys, band, buckets, partners), threshold, pool.map)
                # That these agree does not say that they were compared: from here on they are unlike any other.
                keys[buckets.crowded, band] = mix(buckets.crowded.astype(np.uint64)) >> np.uint64(32)
                partners += np.bincount((pairs & _LOW).astype(np.int64), minlength=active.size)
                parts.append((pairs, scores))
                skipped += left_out
            known, at = np.unique(np.concatenate([pairs for pairs, _ in parts]), return_index=True)
            similarity = np.concatenate([scores for _, scores in parts])[at]
    left, right = known >> np.uint64(32), known & _LOW
    return Found(left.astype(np.int64), right.astype(np.int64), similarity, skipped)


_Map = Callable[..., Iterable[Any]]


def _keys(sets: _Sets, bands: tuple[int, int], rows: int, run: _Map) -> npt.NDArray[np.uint32]:
    """Return uint32[records, bands], the keys of the bands from bands[0] up to bands[1]."""
    kernels = import_module(KERNELS)
    out = np.empty((sets.active.size, bands[1] - bands[0]), np.uint32)
    # Two salts for each value, see `minhash_kernels`; those of other bands are others.
    salts = mix(np.arange(2 * rows * bands[0], 2 * rows * bands[1], dtype=np.uint64) * np.uint64(STEP))

    def sketch(start: int) -> None:
        stop = min(start + _CHUNK, sets.active.size)
        kernels.keys(sets.of(start, stop), salts, rows, out[start:stop])
        forget(sets.shingles)

    for _ in run(sketch, range(0, sets.active.size, _CHUNK)):
        pass
    return out


def _buckets(keys: npt.NDArray[np.uint32], band: int) -> _Buckets:
    """Group the records by their key of one band."""
    codes: Hashes = (keys[:, band].astype(np.uint64) << np.uint64(32)) | np.arange(len(keys), dtype=np.uint64)
    codes.sort()
    sorted_keys = codes >> np.uint64(32)
    starts = np.flatnonzero(np.concatenate([[True], sorted_keys[1:] != sorted_keys[:-1]]))
    sizes = np.diff(np.append(starts, len(keys)))
    members = (codes[np.repeat(sizes > 1, sizes)] & _LOW).astype(np.int32)
    sizes = sizes[sizes > 1]
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    nearest = _nearest(np.arange(members.size) - first)
    hot = np.flatnonzero(np.repeat(sizes > nearest, sizes))
    other = keys[members[hot], band - 1]
    members[hot] = members[hot[np.lexsort((members[hot], other, first[hot]))]]
    return _Buckets(members, first, nearest, members[hot])


def _nearest(before: Offsets) -> int:
    """Return with how many of the `before` earlier members of its bucket each can be compared."""
    nearest = MOST_NEAREST
    while nearest > LEAST_NEAREST and np.minimum(before, nearest).sum() > MOST_COMPARISONS:
        nearest //= 2
    return nearest


def _compared(
    sets: _Sets, met: tuple[npt.NDArray[np.uint32], int, _Buckets, npt.NDArray[np.int64]], threshold: float, run: _Map
) -> tuple[Hashes, Any, int]:
    """Return the similar pairs as left << 32 | right, their similarities, and how many comparisons were left out.

    `met` is (keys, number of the band, its buckets, partners that each record has already).
    """
    kernels = import_module(KERNELS)
    keys, band, buckets, partners = met
    before = np.minimum(np.arange(buckets.members.size) - buckets.first, buckets.nearest)
    total = np.cumsum(before)
    cuts = np.searchsorted(total, np.arange(_COMPARED, (total[-1] if total.size else 0) + 1, _COMPARED))
    bounds = np.unique(np.concatenate([[0], cuts, [buckets.members.size]]))
    limits = (threshold, buckets.nearest, MOST_PARTNERS if partners.sum() < MOST_PAIRS else LEAST_PARTNERS)

    def check(start: int, stop: int) -> tuple[Hashes, Any, int]:
        room = int(np.minimum(before[start:stop], limits[2]).sum())
        out = (np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.float32))
        whole = (sets.shingles, sets.offsets, sets.active)
        places = (buckets.members, buckets.first, partners, keys, band)
        written, skipped = kernels.compare(whole, places, (start, stop), limits, out)
        forget(sets.shingles)
        left, right = (column[:written].astype(np.uint64) for column in out[:2])
        return (left << np.uint64(32)) | right, out[2][:written].copy(), skipped

    parts = list(run(check, bounds[:-1].tolist(), bounds[1:].tolist()))
    pairs = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in parts)])
    scores = np.concatenate([np.empty(0, np.float32), *(part[1] for part in parts)])
    return pairs, scores, sum(part[2] for part in parts)
