"""Compiled parts of the set-similarity join of `dedup.join`; imported only for inputs large enough to repay it."""

from typing import Any

import numpy as np

from holdfast.core.compiled import kernel
from holdfast.core.hashing import BASE, LANE
from holdfast.core.kernels import mix

_BASE = np.uint64(BASE)
_LANE = np.uint64(LANE)


@kernel
def _sorted_distinct(hashes: Any, size: int, ends: Any, out: Any) -> Any:
    """Move `size` 52-bit hashes to `out`, sorted, and return how many are distinct.

    Hashes are uniform, so that a bucket for each puts them nearly in order; what is left is few steps of insertion.
    """
    for bucket in range(size + 1):
        ends[bucket] = 0
    for i in range(size):
        ends[((hashes[i] >> np.uint64(20)) * np.uint64(size) >> np.uint64(32)) + np.uint64(1)] += 1
    for bucket in range(size):
        ends[bucket + 1] += ends[bucket]
    for i in range(size):
        bucket = (hashes[i] >> np.uint64(20)) * np.uint64(size) >> np.uint64(32)
        out[ends[bucket]] = hashes[i]
        ends[bucket] += 1
    kept = 0
    for i in range(size):
        value = out[i]
        at = kept
        while at > 0 and out[at - 1] > value:
            out[at] = out[at - 1]
            at -= 1
        if at > 0 and out[at - 1] == value:
            # Seen before: close the gap again.
            for k in range(at, kept):
                out[k] = out[k + 1]
            continue
        out[at] = value
        kept += 1
    return kept


@kernel
def distinct(block: Any, n: int, room: Any, values: Any, counts: Any, identity: Any) -> int:
    """Write each record's sorted distinct shingles (32 bits), their number and the set's identity; return the total.

    `block` is (items, offsets of the records), `room` is (hashes, sorted hashes, ends of buckets) for the longest
    record and one more. Equals `hashing.windows` followed by sorting, without an array of all shingles.
    """
    items, offsets = block
    power = np.uint64(1)
    for _ in range(n):
        power *= _BASE
    hashes, out, ends = room
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
        kept = _sorted_distinct(hashes, made, ends, out)
        low, high = np.uint64(0), np.uint64(0)
        for k in range(kept):
            values[written + k] = out[k] >> np.uint64(20)
            mixed = mix(out[k])
            low += mixed
            high += (mixed ^ (mixed >> np.uint64(29))) * _LANE
        written += kept
        counts[text] = kept
        identity[text, 0] = mix(low + np.uint64(kept))
        identity[text, 1] = mix(high + np.uint64(kept))
    return written


@kernel
def count(shingles: Any, offsets: Any, active: Any, counts: Any, shift: Any) -> None:
    """Count how many active records hold each shingle, by its leading bits, up to 255."""
    for k in range(active.size):
        for i in range(offsets[active[k]], offsets[active[k] + 1]):
            slot = shingles[i] >> shift
            if counts[slot] < 255:
                counts[slot] += np.uint8(1)


@kernel
def postings(sets: Any, some: Any, counter: Any, prefixes: Any, out: Any) -> int:
    """Write the prefix postings of some records and return how many there are.

    `sets` is (shingles, offsets). `some` is (records, the number of each by size). `counter` is (counts, shift of a
    shingle to its count, 257 numbers to count in).
    `prefixes` are the shares of its shingles that a record must have in common with any larger partner and with any
    smaller one. A posting is shingle << 32 | number << 10 | place << 1, and 1 where larger records need to look it
    up; the place among the record's shingles, rarest first, is in 511ths. Shingles seen in one record only come first
    and are passed over: they cannot join anything.
    """
    shingles, offsets = sets
    records, numbers = some
    counts, shift, starts = counter
    larger, smaller = prefixes
    written = 0
    for k in range(records.size):
        begin = offsets[records[k]]
        size = offsets[records[k] + 1] - begin
        prefix = size - np.int64(np.ceil(smaller * size - 1e-9)) + 1
        indexed = size - np.int64(np.ceil(larger * size - 1e-9)) + 1
        # The common shingles are set down first and get their place, the least significant bits, afterwards.
        common = written
        for i in range(begin, begin + size):
            seen = np.uint64(counts[shingles[i] >> shift])
            if seen > 1:
                out[common] = (np.uint64(shingles[i]) << np.uint64(32)) | seen
                common += 1
        rare = size - (common - written)
        if rare >= prefix:
            continue
        for i in range(257):
            starts[i] = 0
        for i in range(written, common):
            starts[(out[i] & np.uint64(255)) + np.uint64(1)] += 1
        starts[0] = rare
        for c in range(256):
            starts[c + 1] += starts[c]
        number = np.uint64(numbers[k]) << np.uint64(10)
        for i in range(written, common):
            seen = out[i] & np.uint64(255)
            place = starts[seen]
            starts[seen] += 1
            if place < prefix:
                low = (np.uint64(place * 511 // size) << np.uint64(1)) | np.uint64(place < indexed)
                out[written] = (out[i] >> np.uint64(32) << np.uint64(32)) | number | low
                written += 1
    return written


@kernel
def overlap(shingles: Any, i: Any, stop_i: Any, j: Any, stop_j: Any, needed: Any) -> Any:
    """Return the number of shared shingles of two sorted runs, or a smaller number once `needed` is out of reach."""
    # Which of two hashes is larger cannot be foreseen, so nothing branches on it.
    shared = 0
    while i < stop_i and j < stop_j and shared + stop_i - i >= needed and shared + stop_j - j >= needed:
        left, right = shingles[i], shingles[j]
        shared += left == right
        i += left <= right
        j += right <= left
    return shared


@kernel
def join(sets: Any, index: Any, span: Any, limits: Any, seen: Any, out: Any) -> Any:
    """Find the earlier partners of the records span[0] <= x < span[1]; return (pairs written, comparisons not made).

    `sets` is (shingles, offsets, records in ascending order of size). `index` is (indexed postings, sorted; the
    postings of each record, their offsets by record; the indexed postings of the same shingle and an earlier record
    as begin and end). `limits` is (threshold, longest run looked through, most partners kept). `out` is (earlier,
    later, similarity).
    """
    shingles, offsets, active = sets
    known, own, own_offsets, run_begin, run_end = index
    threshold, longest, partners = limits
    written = 0
    skipped = 0
    for x in range(span[0], span[1]):
        begin = offsets[active[x]]
        size = offsets[active[x] + 1] - begin
        smallest = np.int64(np.ceil(threshold * size - 1e-9))
        found = 0
        for p in range(own_offsets[x], own_offsets[x + 1]):
            left_x = size - np.int64((own[p] >> np.uint64(1)) & np.uint64(511)) * size / 511.0
            low = max(run_end[p] - longest, run_begin[p])
            skipped += low - run_begin[p]
            for q in range(run_end[p] - 1, low - 1, -1):
                y = np.int64((known[q] >> np.uint64(10)) & np.uint64(0x3FFFFF))
                if seen[y] == x:
                    continue
                other = offsets[active[y]]
                other_size = offsets[active[y] + 1] - other
                if other_size < smallest:
                    break
                needed = np.int64(np.ceil(threshold / (1.0 + threshold) * (size + other_size) - 1e-9))
                left_y = other_size - np.int64((known[q] >> np.uint64(1)) & np.uint64(511)) * other_size / 511.0
                if left_x + 1e-6 < needed or left_y + 1e-6 < needed:
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
