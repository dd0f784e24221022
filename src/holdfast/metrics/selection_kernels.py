"""Compiled part of `metrics.selection`: records in greedy order of what they cover."""

from typing import Any

import numpy as np

from holdfast.core.compiled import kernel

# A record is taken in the first round whose bar its gain reaches; bars fall by a tenth.
_STEP = 0.9


@kernel
def _gain(pairs: Any, begin: Any, end: Any, seen: Any, mark: Any) -> Any:
    """Count the pairs not seen yet, each once; `mark` is (stamp of each pair, stamp of this count)."""
    stamps, stamp = mark
    gain = 0
    for at in range(begin, end):
        pair = pairs[at]
        if not seen[pair] and stamps[pair] != stamp:
            stamps[pair] = stamp
            gain += 1
    return gain


@kernel
def choose(records: Any, sizes: Any, seen: Any, order: Any) -> None:
    """Write all records in greedy order. `records` is (numbers of pairs, offsets), `seen` all False on entry.

    A record's last known gain is at least its present one, so that a record below the bar need not be counted again.
    """
    pairs, offsets = records
    stamps = np.full(seen.size, -1, np.int64)
    gains = np.full(sizes.size, np.inf)
    stamp = written = 0
    bar = np.inf
    while bar > 0.0:
        for record in range(sizes.size):
            if gains[record] < bar:
                continue
            begin, end = offsets[record], offsets[record + 1]
            gains[record] = _gain(pairs, begin, end, seen, (stamps, stamp)) / sizes[record]
            stamp += 1
            if gains[record] >= bar:
                for at in range(begin, end):
                    seen[pairs[at]] = True
                order[written] = record
                written += 1
                gains[record] = -1.0
        bar = min(bar * _STEP, gains.max()) if sizes.size else 0.0
    for record in range(sizes.size):
        if gains[record] >= 0.0:
            order[written] = record
            written += 1
