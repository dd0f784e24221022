"""Compiled parts of `dedup.minhash`: band keys of shingle sets, and the full comparison of candidates."""

from typing import Any

import numpy as np

from holdfast.core.compiled import kernel
from holdfast.core.hashing import BASE
from holdfast.core.kernels import mix
from holdfast.dedup.join_kernels import overlap

_BASE = np.uint64(BASE)
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@kernel
def _fill(shingles: Any, span: Any, salts: Any, bins: Any) -> None:
    """Fill `bins` with one MinHash value each of shingles[span[0]:span[1]], in rounds until none is empty.

    Dahlgaard, Knudsen and Thorup, Fast Similarity Sketching (FOCS 2017): a round throws every shingle into one bin by
    its hash, the smallest value stays, earlier rounds before later ones. Rounds from bins.size on fill one bin each.
    """
    for empty in range(bins.size):
        bins[empty] = _EMPTY
    size = np.uint64(bins.size)
    left = bins.size
    turn = 0
    while left > 0:
        for i in range(span[0], span[1]):
            hashed = mix(np.uint64(shingles[i]) ^ salts[turn])
            place = (hashed >> _HALF) * size >> _HALF
            if turn >= bins.size:
                place = np.uint64(turn - bins.size)
            value = (np.uint64(turn) << _HALF) | (hashed & _LOW)
            if value < bins[place]:
                if bins[place] == _EMPTY:
                    left -= 1
                bins[place] = value
        turn += 1


@kernel
def keys(sets: Any, salts: Any, rows: Any, out: Any) -> None:
    """Write uint32 band keys out[k, band] of the records active[k]: equal where all `rows` values of the band are.

    `sets` is (shingles, offsets, active), `salts` has two entries for each of the bands * rows values.
    """
    shingles, offsets, active = sets
    bands = out.shape[1]
    bins = np.empty(bands * rows, np.uint64)
    for k in range(active.size):
        _fill(shingles, (offsets[active[k]], offsets[active[k] + 1]), salts, bins)
        for band in range(bands):
            key = np.uint64(0)
            for row in range(rows):
                key = mix(key * _BASE + bins[band * rows + row])
            out[k, band] = np.uint32(key >> _HALF)


@kernel
def _agree(keys: Any, bands: Any, x: Any, y: Any) -> Any:
    """Return whether two records share a key of the first `bands` bands."""
    band = 0
    while band < bands and keys[x, band] != keys[y, band]:
        band += 1
    return band < bands


@kernel
def compare(sets: Any, buckets: Any, span: Any, limits: Any, out: Any) -> Any:
    """Compare the members span[0] <= p < span[1] with those before them; return (pairs written, comparisons not made).

    `buckets` is (members, first place of each member's bucket, partners that each record has already, band keys, in how
    many bands it was compared before). `limits` is (threshold, members before that are compared, most partners of
    the later record). `out` is (earlier, later, similarity). Every pair written has been compared shingle by shingle.
    """
    shingles, offsets, active = sets
    members, first, partners, band_keys, bands = buckets
    threshold, nearest, most = limits
    written = 0
    skipped = 0
    for p in range(span[0], span[1]):
        low = max(p - nearest, first[p])
        skipped += low - first[p]
        found = 0
        for q in range(low, p):
            x, y = members[p], members[q]
            if x < y:
                x, y = y, x
            begin, stop = offsets[active[x]], offsets[active[x] + 1]
            other, other_stop = offsets[active[y]], offsets[active[y] + 1]
            total = stop - begin + other_stop - other
            needed = np.int64(np.ceil(threshold / (1.0 + threshold) * total - 1e-9))
            if stop - begin < needed or other_stop - other < needed or _agree(band_keys, bands, x, y):
                continue
            if partners[x] + found >= most:
                skipped += 1
                continue
            shared = overlap(shingles, begin, stop, other, other_stop, needed)
            if shared >= needed:
                out[0][written] = y
                out[1][written] = x
                out[2][written] = shared / (total - shared)
                written += 1
                found += 1
    return written, skipped
