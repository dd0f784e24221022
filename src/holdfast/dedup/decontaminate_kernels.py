"""Compiled pass of decontamination: rolling hashes of several lengths, held against one table. Plain form beside it.

`known_numpy` is the same in numpy, equal to the last hit; it ends sooner on small inputs, where numba's import counts.
"""

from typing import Any

import numba
import numpy as np

from holdfast.core.hashing import BASE, STEP

_BASE = np.uint64(BASE)
_STEP = np.uint64(STEP)


@numba.njit(cache=True, nogil=True)
def _place(keys: Any, key: Any) -> Any:
    """Return the first place in the sorted keys that is not below `key`."""
    low, high = 0, keys.size
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(cache=True, nogil=True)
def scan_grams(words: Any, offsets: Any, n: Any, table: Any, out: Any) -> Any:
    """Write (position, text, place in the keys) of every known n-gram inside one text; return how many there are.

    `table` is (keys, flags, shift): bit i of `flags` says that some key has the leading bits i. Of more hits than
    `out` has rows the first are written; the caller asks again with more room.
    """
    keys, flags, shift = table
    top = np.uint64(1)
    for _ in range(n):
        top *= _BASE
    length = np.uint64(n) * _STEP
    found = 0
    for text in range(offsets.size - 1):
        start, stop = offsets[text], offsets[text + 1]
        value = np.uint64(0)
        for i in range(start, stop):
            value = value * _BASE + words[i]
            if i - start >= n:
                value -= words[i - n] * top
            if i - start + 1 < n:
                continue
            key = value + length
            bit = key >> shift
            if (flags[bit >> np.uint64(3)] >> (bit & np.uint64(7))) & 1:
                place = _place(keys, key)
                if place < keys.size and keys[place] == key:
                    if found < out.shape[0]:
                        out[found, 0] = i - n + 1
                        out[found, 1] = text
                        out[found, 2] = place
                    found += 1
    return found
