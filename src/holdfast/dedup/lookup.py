"""Lookup: which of many hashes are among known ones, and what they stand for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.core.hashing import Hashes, to_offsets

# Flags per key: one unknown hash in sixteen is looked up. 4 MB of them stay in the cache of a core and serve 250,000
# keys; more than 256 MB are never made.
_FLAGS_PER_KEY = 16
_FEWEST_BITS, _MOST_BITS = 22, 28

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Sorted keys with one value each; a key may occur several times."""

    keys: Hashes
    values: npt.NDArray[np.int64]

    @classmethod
    def of(cls, keys: Hashes, values: npt.NDArray[np.int64], most: int) -> "Lookup":
        """Index distinct (key, value) pairs, keeping the `most` lowest values of each key."""
        order = np.lexsort((values, keys))
        keys, values = keys[order], values[order]
        del order
        new = np.ones(keys.size, np.bool_)
        new[1:] = keys[1:] != keys[:-1]
        keep = new.copy()
        keep[1:] |= values[1:] != values[:-1]
        if not keep.all():
            keys, values, new = keys[keep], values[keep], new[keep]
        starts = np.flatnonzero(new)
        counts = np.diff(np.append(starts, keys.size))
        if counts.max(initial=0) > most:
            chosen = np.arange(keys.size) - np.repeat(starts, counts) < most
            keys, values = keys[chosen], values[chosen]
        return cls(keys, values)

    def find(self, wanted: Hashes, flags: Flags | None = None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (positions in `wanted`, values) of every known key, position by position.

        Who looks up many small arrays makes `flags()` once.
        """
        if not self.keys.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        maybe = np.flatnonzero((self.flags() if flags is None else flags)[wanted >> self._shift])
        low = np.searchsorted(self.keys, wanted[maybe], "left")
        counts = np.searchsorted(self.keys, wanted[maybe], "right") - low
        found = np.repeat(low - to_offsets(counts)[:-1], counts) + np.arange(counts.sum())
        return np.repeat(maybe, counts), self.values[found]

    @property
    def _shift(self) -> np.uint64:
        bits = (_FLAGS_PER_KEY * self.keys.size).bit_length() - 1
        return np.uint64(64 - max(_FEWEST_BITS, min(bits, _MOST_BITS)))

    def flags(self) -> Flags:
        """Return which leading bits any key has: one look rules out most unknown hashes. Cheaper made than carried."""
        flags = np.zeros(1 << (64 - int(self._shift)), np.bool_)
        flags[self.keys >> self._shift] = True
        return flags
