"""Compiled part of `metrics.sketch`: one pass over word hashes; imported only for inputs large enough to repay it."""

from typing import Any

import numpy as np

from holdfast.core.compiled import kernel
from holdfast.core.hashing import BASE
from holdfast.core.kernels import mix

_BASE = np.uint64(BASE)


@kernel
def _put(registers: Any, value: Any, bits: Any) -> None:
    """Raise the register of one hash to its rank, where that is higher.

    A rank above the register means that so many leading bits of the rest are zero, which one shift and one comparison
    tell; the rank itself is counted only in that case, which becomes rare at once.
    """
    value = mix(value)
    bucket = value >> (np.uint64(64) - bits)
    rest = (value << bits) | (np.uint64(1) << (bits - np.uint64(1)))
    seen = np.uint64(registers[bucket])
    if (rest >> np.uint64(1)) >> (np.uint64(63) - seen) == 0:
        rank = seen + np.uint64(1)
        while (rest >> np.uint64(1)) >> (np.uint64(63) - rank) == 0:
            rank += np.uint64(1)
        registers[bucket] = rank


@kernel
def add(ids: Any, offsets: Any, registers: Any, bits: Any) -> None:
    """Do what `sketch.Distinct.add` says to the registers of runs of 1, 2, 3 and 4 words, shape (4, 2 ** bits).

    The hash of a run is that of the run one word shorter and one word earlier times BASE, plus the word.
    """
    for text in range(offsets.size - 1):
        one, two, three = np.uint64(0), np.uint64(0), np.uint64(0)
        for i in range(offsets[text], offsets[text + 1]):
            word, place = ids[i], i - offsets[text]
            four = three * _BASE + word
            three = two * _BASE + word
            two = one * _BASE + word
            one = word
            _put(registers[0], one, bits)
            if place > 0:
                _put(registers[1], two, bits)
            if place > 1:
                _put(registers[2], three, bits)
            if place > 2:
                _put(registers[3], four, bits)
