"""Compiled parts of the set-similarity join of `dedup.join`; imported only for inputs large enough to repay it."""

from typing import Any

import numba
import numpy as np

from holdfast.core.hashing import BASE, STEP
from holdfast.core.kernels import mix

_BASE = np.uint64(BASE)
_STEP = np.uint64(STEP)


@numba.njit(cache=True, nogil=True)
def _sorted_distinct(hashes: Any, size: int, starts: Any, used: Any, out: Any) -> Any:
    """Move `size` 52-bit hashes to `out`, sorted within one bucket each, and return how many are distinct.

    Hashes are uniform, so a bucket for each keeps buckets short; repeated hashes are dropped on insertion.
    """
    starts[: size + 1] = 0
    used[:size] = 0
    for i in range(size):
        starts[((hashes[i] >> np.uint64(20)) * np.uint64(size) >> np.uint64(32)) + np.uint64(1)] += 1
    for i in range(size):
        starts[i + 1] += starts[i]
    for i in range(size):
        value = hashes[i]
        bucket = (value >> np.uint64(20)) * np.uint64(size) >> np.uint64(32)
        begin = starts[bucket]
        at = begin + used[bucket]
        while at > begin and out[at - 1] > value:
            at -= 1
        if at > begin and out[at - 1] == value:
            continue
        for k in range(begin + used[bucket], at, -1):
            out[k] = out[k - 1]
        out[at] = value
        used[bucket] += 1
    kept = 0
    for bucket in range(size):
        for k in range(starts[bucket], starts[bucket] + used[bucket]):
            out[kept] = out[k]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def distinct(items: Any, offsets: Any, n: int, values: Any, counts: Any, identity: Any) -> int:
    """Write each record's sorted distinct shingles (32 bits), their number and the set's identity; return the total.

    Equals `hashing.windows` followed by sorting, without an array of all shingles.
    """
    power = np.uint64(1)
    for _ in range(n):
        power *= _BASE
    longest = np.int64(1)
    for text in range(offsets.size - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    hashes, out = np.empty(longest, np.uint64), np.empty(longest, np.uint64)
    starts, used = np.empty(longest + 1, np.int64), np.empty(longest, np.int64)
    written = 0
    for text in range(offsets.size - 1):
        begin = offsets[text]
        size = offsets[text + 1] - begin
        value = np.uint64(0)
        made = 0
        for i in range(begin, begin + size):
            value = value * _BASE + items[i]
            if i >= begin + n:
                value -= items[i - n] * power
            if i >= begin + n - 1 or i == begin + size - 1:
                hashes[made] = mix(value) >> np.uint64(12)
                made += 1
        kept = _sorted_distinct(hashes, made, starts, used, out)
        low, high = np.uint64(0), np.uint64(0)
        for k in range(kept):
            values[written + k] = out[k] >> np.uint64(20)
            low += mix(out[k])
            high += mix(out[k] + _STEP)
        written += kept
        counts[text] = kept
        identity[text, 0] = mix(low + np.uint64(kept))
        identity[text, 1] = mix(high + np.uint64(kept))
    return written


@numba.njit(cache=True, nogil=True)
def count(shingles: Any, offsets: Any, active: Any, counts: Any, shift: Any) -> None:
    """Count how many active records hold each shingle, by its leading bits, up to 255."""
    for k in range(active.size):
        for i in range(offsets[active[k]], offsets[active[k] + 1]):
            slot = shingles[i] >> shift
            if counts[slot] < 255:
                counts[slot] += np.uint8(1)


@numba.njit(cache=True, nogil=True)
def postings(shingles: Any, offsets: Any, active: Any, counter: Any, threshold: float, out: Any) -> int:
    """Write the prefix postings of `active` and return how many there are.

    `counter` is (number of the first record, counts, shift of a shingle to its count). A posting is
    shingle << 32 | record << 8 | place of the shingle among its record's, rarest first, in 255ths. Shingles seen in
    one record only are passed over: they cannot join anything.
    """
    first, counts, shift = counter
    written = 0
    starts = np.empty(257, np.int64)
    for k in range(active.size):
        begin = offsets[active[k]]
        size = offsets[active[k] + 1] - begin
        prefix = size - np.int64(np.ceil(threshold * size - 1e-9)) + 1
        starts[:] = 0
        for i in range(begin, begin + size):
            starts[np.int64(counts[shingles[i] >> shift]) + 1] += 1
        for c in range(256):
            starts[c + 1] += starts[c]
        for i in range(begin, begin + size):
            seen = np.int64(counts[shingles[i] >> shift])
            place = starts[seen]
            starts[seen] += 1
            if seen > 1 and place < prefix:
                record = np.uint64(first + k) << np.uint64(8)
                out[written] = (np.uint64(shingles[i]) << np.uint64(32)) | record | np.uint64(place * 255 // size)
                written += 1
    return written


@numba.njit(cache=True, nogil=True)
def overlap(shingles: Any, i: Any, stop_i: Any, j: Any, stop_j: Any, needed: Any) -> Any:
    """Return the number of shared shingles of two sorted runs, or a smaller number once `needed` is out of reach."""
    shared = 0
    while i < stop_i and j < stop_j:
        left, right = shingles[i], shingles[j]
        if left == right:
            shared += 1
            i += 1
            j += 1
        elif left < right:
            i += 1
            if shared + stop_i - i < needed:
                break
        else:
            j += 1
            if shared + stop_j - j < needed:
                break
    return shared


@numba.njit(cache=True, nogil=True)
def join(sets: Any, index: Any, span: Any, limits: Any, seen: Any, out: Any) -> Any:
    """Find the earlier partners of the records span[0] <= x < span[1]; return (pairs written, comparisons not made).

    `sets` is (shingles, offsets, active records). `index` is (sorted postings, start of each posting's run, posting
    numbers by record, their offsets). `limits` is (threshold, longest run looked through, most partners kept). `out`
    is (earlier, later, similarity).
    """
    shingles, offsets, active = sets
    keys, run_start, by_record, record_offsets = index
    threshold, longest, partners = limits
    low32 = np.uint64(0xFFFFFF)
    written = 0
    skipped = 0
    for x in range(span[0], span[1]):
        begin = offsets[active[x]]
        size = offsets[active[x] + 1] - begin
        found = 0
        for p in range(record_offsets[x], record_offsets[x + 1]):
            at = by_record[p]
            left_x = size - np.int64(keys[at] & np.uint64(255)) * size / 255.0
            low = max(np.int64(run_start[at]), at - longest)
            skipped += low - run_start[at]
            for q in range(at - 1, low - 1, -1):
                y = np.int64((keys[q] >> np.uint64(8)) & low32)
                if seen[y] == x:
                    continue
                other = offsets[active[y]]
                other_size = offsets[active[y] + 1] - other
                needed = np.int64(np.ceil(threshold / (1.0 + threshold) * (size + other_size) - 1e-9))
                left_y = other_size - np.int64(keys[q] & np.uint64(255)) * other_size / 255.0
                if min(size, other_size) < needed or min(left_x, left_y) + 1e-6 < needed:
                    continue
                seen[y] = x
                if found >= partners:
                    skipped += 1
                    continue
                shared = overlap(shingles, begin, begin + size, other, other + other_size, needed)
                if shared >= needed:
                    out[0][written] = y
                    out[1][written] = x
                    out[2][written] = shared / (size + other_size - shared)
                    written += 1
                    found += 1
    return written, skipped
