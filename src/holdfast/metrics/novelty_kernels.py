"""Compiled part of `metrics.novelty`: which grams of each record are new, over one table of those known."""

from typing import Any

import numpy as np

from holdfast.core.compiled import kernel


@kernel
def _slot(table: Any, gram: Any) -> Any:
    """Return where `gram` stands in the table, or the free place (0) where it would."""
    mask = np.uint64(table.size - 1)
    at = (gram >> np.uint64(20)) & mask
    while table[at] != 0 and table[at] != gram:
        at = (at + np.uint64(1)) & mask
    return at


@kernel
def admit(hashes: Any, offsets: Any, table: Any, rule: Any, shares: Any) -> None:
    """Do what `novelty.Covered.admit` says. `table` is a power of two of places, 0 where free; `rule` (least, floor).

    A gram of hash 0 is taken for known: one in 2 ** 64.
    """
    least, floor = rule
    for record in range(offsets.size - 1):
        begin, end = offsets[record], offsets[record + 1]
        new = 0
        for i in range(begin, end):
            new += table[_slot(table, hashes[i])] != hashes[i]
        if end > begin:
            shares[record] = new / (end - begin)
        if max(shares[record], floor[record]) >= least:
            for i in range(begin, end):
                table[_slot(table, hashes[i])] = hashes[i]
