"""Compiled parts of the set-similarity join of `dedup.join`; imported only for inputs large enough to repay it."""

from typing import Any

import numba
import numpy as np


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


@numba.njit(cache=True, nogil=True, inline="always")
def _overlap(shingles: Any, i: Any, stop_i: Any, j: Any, stop_j: Any, needed: Any) -> Any:
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
                shared = _overlap(shingles, begin, begin + size, other, other + other_size, needed)
                if shared >= needed:
                    out[0][written] = y
                    out[1][written] = x
                    out[2][written] = shared / (size + other_size - shared)
                    written += 1
                    found += 1
    return written, skipped
