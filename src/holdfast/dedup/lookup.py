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
        positions, places = self.places(wanted, flags)
        rows, each = self.expanded(places)
        return positions[each], self.values[rows]

    def places(self, wanted: Hashes, flags: Flags | None = None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (positions in `wanted`, first place in `keys`) of every known key."""
        if not self.keys.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        maybe = np.flatnonzero((self.flags() if flags is None else flags)[wanted >> self.shift])
        places = np.searchsorted(self.keys, wanted[maybe], "left")
        known = self.keys[np.minimum(places, self.keys.size - 1)] == wanted[maybe]
        return maybe[known], places[known]

    def expanded(self, places: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (rows, which): every row of the key at each of the first `places`, and which of these it is for."""
        counts = np.searchsorted(self.keys, self.keys[places], "right") - places
        which = np.repeat(np.arange(places.size), counts)
        return places[which] + np.arange(which.size) - to_offsets(counts)[which], which

    @property
    def shift(self) -> np.uint64:
        """How far a hash is shifted to give the place of its flag."""
        bits = (_FLAGS_PER_KEY * self.keys.size).bit_length() - 1
        return np.uint64(64 - max(_FEWEST_BITS, min(bits, _MOST_BITS)))

    def flags(self) -> Flags:
        """Return which leading bits any key has: one look rules out most unknown hashes. Cheaper made than carried."""
        flags = np.zeros(1 << (64 - int(self.shift)), np.bool_)
        flags[self.keys >> self.shift] = True
        return flags
