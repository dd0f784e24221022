"""Mixture: which records are taken so that every cap holds and every stratum has its weight. Whole numbers only.

Records come in the order in which they would be taken. What is taken never exceeds a cap by a single record or token,
and with weights each stratum has its share of the records to within one. Where both cannot be had at the size asked,
the mixture is smaller. Without a size all real records are taken; with one, synthetic records up to the cap and real
ones for the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Groups = npt.NDArray[np.int32] | npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Caps are read to so many parts, rounded down, so that shares of 10 ** 12 tokens are compared exactly in 64 bits.
PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records in taking order, one entry each: units a machine made, units that are real, and their groups.

    `generator` and `stratum` are numbers from 0; the generator of a real record means nothing. Units are 64 bits wide.
    """

    made: Numbers
    real: Numbers
    synthetic: Mask
    generator: Groups
    stratum: Groups


@dataclass(frozen=True, slots=True)
class Rules:
    """The caps on the synthetic share of the units, overall and in each stratum, and on each generator's share of it.

    `weights` has a number per stratum, or is empty where their shares do not matter. `size` counts records. With
    `by_records` a unit is a record.
    """

    cap: float
    generators: Sequence[float] = ()
    stratum_cap: float = 1.0
    weights: Sequence[float] = ()
    size: int | None = None
    by_records: bool = True


class _Dealt(NamedTuple):
    """How many real and how many synthetic records each stratum gives."""

    real: list[int]
    made: list[int]


def chosen(candidates: Candidates, rules: Rules) -> Mask:
    """Return which candidates are taken, bool[n].

    Records are dealt out by size and weights. What then breaks the cap of a generator or stratum is withdrawn, the last
    in order first; what breaks the overall cap lowers the number of synthetic records; and all is dealt out again,
    until nothing is broken.
    """
    pool = _within_generators(candidates, rules)
    budget = _budget(candidates, rules, pool)
    while True:
        taken = _take(candidates, _deal(candidates, rules, pool, budget), pool, bool(rules.weights))
        kept = taken & _under_generators(candidates, rules, taken) & _under_strata(candidates, rules, taken)
        if not np.array_equal(kept, taken):
            pool &= kept | ~taken
            continue
        kept = _under_cap(candidates, rules.cap, taken, np.zeros_like(candidates.stratum))
        if np.array_equal(kept, taken):
            return taken
        budget = int(np.count_nonzero(kept & candidates.synthetic))


def _budget(candidates: Candidates, rules: Rules, pool: Mask) -> int:
    """Return how many synthetic records may be dealt at first: by tokens and size, the most that keep the cap."""
    low, high = 0, len(candidates.made)
    if rules.by_records or rules.size is None:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        taken = _take(candidates, _deal(candidates, rules, pool, middle), pool, bool(rules.weights))
        kept = _under_cap(candidates, rules.cap, taken, np.zeros_like(candidates.stratum))
        low, high = (middle, high) if np.array_equal(kept, taken) and taken.any() else (low, middle - 1)
    return low


def parts_of(cap: float) -> int:
    """Return a cap as a number of PARTS, rounded down."""
    return floor(Fraction(str(cap)) * PARTS)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole numbers that sum to `total`, each within one of its share: Hamilton's largest remainders.

    Weights are whole numbers; of equal remainders the first comes first.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [divmod(total * weight, whole) for weight in weights]
    counts = [share for share, _ in shares]
    order = sorted(range(len(weights)), key=lambda at: -shares[at][1])
    for at in order[: total - sum(counts)]:
        counts[at] += 1
    return counts


def _whole(weights: Sequence[float]) -> list[int]:
    exact = [Fraction(str(weight)) for weight in weights]
    scale = np.lcm.reduce([each.denominator for each in exact], dtype=object) if exact else 1
    return [int(each * scale) for each in exact]


def _deal(candidates: Candidates, rules: Rules, pool: Mask, budget: int) -> _Dealt:
    """Return the largest deal of at most `size` records that the records in the pool can fill."""
    weights = _whole(rules.weights) or [1]
    strata = candidates.stratum if rules.weights else np.zeros_like(candidates.stratum)
    real, made = (
        np.bincount(strata[pool & kind], minlength=len(weights)).tolist()
        for kind in (~candidates.synthetic, candidates.synthetic)
    )
    there = (real, made)
    most = sum(real) + sum(made)
    most = most if rules.size is None else min(most, rules.size)
    low = 0
    while low < most:
        size = (low + most + 1) // 2
        low, most = (size, most) if _may_fit(size, there, weights, _most(rules, size, budget)) else (low, size - 1)
    # What fits in fractions may miss by the rounding of a share; a few records less then fit in whole numbers.
    for size in range(most, -1, -1):
        dealt = _of_size(size, there, weights, _most(rules, size, budget))
        if dealt is not None:
            return dealt
    return _Dealt([0] * len(weights), [0] * len(weights))


def _may_fit(size: int, there: tuple[list[int], list[int]], weights: list[int], most: int) -> bool:
    """Return False where no mixture of `size` or more records fits; true of every size below one that may fit."""
    whole = sum(weights)
    if not whole:
        return size == 0
    least = 0
    for real, made, weight in zip(*there, weights, strict=True):
        target = size * weight // whole
        if target > real + made:
            return False
        least += max(0, target - real)
    return least <= most + len(weights) + 1


def _most(rules: Rules, size: int, budget: int) -> int:
    """Return how many synthetic records a mixture of `size` records may have."""
    if not rules.by_records:
        return budget
    return min(budget, parts_of(rules.cap) * size // PARTS)


def _of_size(size: int, there: tuple[list[int], list[int]], weights: list[int], most: int) -> _Dealt | None:
    """Deal out `size` records with at most `most` synthetic ones, as many as there are; None where it cannot be."""
    targets = apportion(size, weights)
    least = [max(0, target - real) for target, real in zip(targets, there[0], strict=True)]
    room = [min(target, made) - low for target, made, low in zip(targets, there[1], least, strict=True)]
    if min(room) < 0 or sum(least) > most:
        return None
    more = apportion(min(most - sum(least), sum(room)), room)
    made = [low + extra for low, extra in zip(least, more, strict=True)]
    return _Dealt([target - count for target, count in zip(targets, made, strict=True)], made)


def _take(candidates: Candidates, dealt: _Dealt, pool: Mask, by_stratum: bool) -> Mask:
    """Take from the pool the first records of each stratum, real and synthetic, as dealt."""
    taken = np.zeros(len(pool), np.bool_)
    for kind, quota in ((~candidates.synthetic, dealt.real), (candidates.synthetic, dealt.made)):
        rows = np.flatnonzero(pool & kind)
        groups = candidates.stratum[rows] if by_stratum else np.zeros(len(rows), np.int64)
        taken[rows[rank_within(groups) < np.asarray(quota, np.int64)[groups]]] = True
    return taken


def rank_within(groups: Groups) -> Numbers:
    """Return for each entry how many entries of its group stand before it."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, np.diff(np.append(starts, len(groups))))
    return ranks


def _running(groups: Groups, values: Numbers) -> Numbers:
    """Return the running total of the values within each group, each entry's own included."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    sums = np.cumsum(values[order])
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    before = np.concatenate([[0], sums])[starts]
    totals = np.empty(len(groups), np.int64)
    totals[order] = sums - np.repeat(before, np.diff(np.append(starts, len(groups))))
    return totals


def _within_generators(candidates: Candidates, rules: Rules) -> Mask:
    """Leave in the pool what each generator can give at most when all give what they can."""
    return _under_generators(candidates, rules, np.ones(len(candidates.made), np.bool_))


def _under_generators(candidates: Candidates, rules: Rules, taken: Mask) -> Mask:
    """Return `taken` without the last records of generators that exceed their share of the synthetic units."""
    if not any(parts_of(cap) < PARTS for cap in rules.generators):
        return taken
    rows = np.flatnonzero(taken & candidates.synthetic)
    groups, made = candidates.generator[rows], candidates.made[rows]
    caps = [parts_of(cap) for cap in rules.generators]
    units = np.bincount(groups, made, minlength=len(caps)).astype(np.int64).tolist()
    total = reachable(units, caps)
    bounds = np.asarray([cap * total // PARTS for cap in caps], np.int64)
    kept = taken.copy()
    kept[rows[_running(groups, made) > bounds[groups]]] = False
    return kept


def reachable(units: Sequence[int], caps: Sequence[int]) -> int:
    """Return the largest total of which no group has more than its cap in PARTS: a fixed point from above."""
    total = sum(units)
    while True:
        reached = sum(min(count, cap * total // PARTS) for count, cap in zip(units, caps, strict=True))
        if reached == total:
            return total
        total = reached


def _under_strata(candidates: Candidates, rules: Rules, taken: Mask) -> Mask:
    return taken if rules.stratum_cap >= 1 else _under_cap(candidates, rules.stratum_cap, taken, candidates.stratum)


def _under_cap(candidates: Candidates, cap: float, taken: Mask, groups: Groups) -> Mask:
    """Return `taken` without the last synthetic records of groups whose synthetic share of units exceeds the cap.

    Real units count whatever their place; those of a mixed record count with it.
    """
    real = np.bincount(groups[taken & ~candidates.synthetic], candidates.real[taken & ~candidates.synthetic])
    rows = np.flatnonzero(taken & candidates.synthetic)
    own = groups[rows]
    base = np.concatenate([real, np.zeros(int(own.max(initial=0)) + 1)]).astype(np.int64)[own]
    made, beside = _running(own, candidates.made[rows]), _running(own, candidates.real[rows])
    lawful = PARTS * made <= parts_of(cap) * (made + beside + base)
    last = np.full(int(own.max(initial=0)) + 1, -1, np.int64)
    ranks = rank_within(own)
    np.maximum.at(last, own[lawful], ranks[lawful])
    kept = taken.copy()
    kept[rows[ranks > last[own]]] = False
    return kept
