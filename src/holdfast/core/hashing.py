"""64-bit hashing of integer sequences in numpy: mixing, and polynomial hashes of all windows of one length.

Not cryptographic: collisions are as rare as chance makes them, but can be made on purpose. Fixed constants, so that
hashes written to disk today mean the same tomorrow and on every machine.
"""

from hashlib import blake2b
from typing import cast

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

# The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); STEP is its golden-ratio increment.
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
STEP = 0x9E3779B97F4A7C15
# Odd, with bits set all over the word: the base of the polynomial and the second lane of a digest.
BASE = 0xD6E8FEB86659FD93
LANE = 0xA0761D6478BD642F

_WORD = 1 << 64


def hash64(text: str) -> int:
    """Return the first 64 bits of the BLAKE2b digest of a text: the same on every machine, and hard to meet."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def mix(values: Hashes) -> Hashes:
    """Return a new array of equal length: a bijection of 64-bit values whose every bit depends on every other."""
    out = values ^ (values >> np.uint64(30))
    out *= np.uint64(MIX_1)
    out ^= out >> np.uint64(27)
    out *= np.uint64(MIX_2)
    out ^= out >> np.uint64(31)
    return out


def polynomial(items: Hashes, n: int) -> Hashes:
    """Return for every window of `n` items the sum of item * BASE ** (n - 1 - place), modulo 2 ** 64.

    Joins windows of lengths 1, 2, 4 ... (a window of a + b items is its first part times BASE ** b plus its second),
    so the cost grows with log n. The result has len(items) - n + 1 entries, none when there are fewer items.
    """
    if items.size < n:
        return np.empty(0, np.uint64)
    block, width = items, 1
    joined: Hashes | None = None
    length = 0
    remaining = n
    while remaining:
        if remaining & 1:
            joined = block if joined is None else _join(joined, block[length:], width)
            length += width
        remaining >>= 1
        if remaining:
            block = _join(block, block[width:], width)
            width *= 2
    return cast(Hashes, joined)[: items.size - n + 1]


def _join(left: Hashes, right: Hashes, width: int) -> Hashes:
    size = min(left.size, right.size)
    out = left[:size] * np.uint64(pow(BASE, width, _WORD))
    out += right[:size]
    return out


def windows(items: Hashes, offsets: Offsets, n: int) -> tuple[Hashes, Offsets]:
    """Return (hashes, offsets): one mixed hash per window of `n` items that lies inside one sequence.

    Sequence d is items[offsets[d]:offsets[d + 1]]. One shorter than n gives a single hash of the whole, an empty
    one none. Windows come in the order of their first item.
    """
    counts = np.diff(offsets)
    hashes = np.zeros(items.size, np.uint64)
    whole = polynomial(items, n)
    hashes[: whole.size] = whole
    keep = np.ones(items.size, np.bool_)
    for back in range(1, n):
        keep[offsets[1:][counts >= back] - back] = False
    for size in range(1, n):
        first = offsets[:-1][counts == size]
        if first.size:
            hashes[first] = polynomial_at(items, first, size)
            keep[first] = True
    made = np.where(counts >= n, counts - n + 1, np.minimum(counts, 1))
    return mix(hashes[keep]), to_offsets(made)


def polynomial_at(items: Hashes | npt.NDArray[np.uint32], starts: Offsets, n: int) -> Hashes:
    """Return the polynomial hash of the `n` items that begin at each start."""
    out = np.zeros(starts.size, np.uint64)
    for place in range(n):
        out = out * np.uint64(BASE) + items[starts + place]
    return out


def to_offsets(counts: npt.NDArray[np.int64]) -> Offsets:
    """Return the n + 1 running totals that begin with 0."""
    out = np.zeros(counts.size + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out
