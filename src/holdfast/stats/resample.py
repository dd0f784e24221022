"""Resampling of documents: subsampling intervals, permutation p-values, Holm's correction.

There is no bootstrap here on purpose: a document drawn twice adds no new type, so a bootstrap sample of
documents has fewer distinct types than any real sample, and its interval misses the truth by many standard
deviations. Everything draws without replacement.

What is drawn is a unit: the coarsest group of documents that came about together (near-duplicates, one conversation,
children of one parent). Documents of one unit say little more than one of them, and drawn one by one they make every
interval too narrow. A sample is filled unit by unit up to its number of documents, so that budgets stay equal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError
from holdfast.stats.proportion import normal_quantile

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the interval around it. `half` is half its width."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2.0


def units(groups: Sequence[int] | Rows, most: int) -> Rows:
    """Return a unit number per row, 0, 1, ...: the groups, those of more than `most` rows cut into pieces of that size.

    Without a limit one large group would be one observation, fill whole samples and decide by its luck alone; its
    pieces are still drawn as wholes.
    """
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    piece = group * (len(group) + 1) + place // max(1, most)
    return np.asarray(np.unique(piece, return_inverse=True)[1], dtype=np.int64)


def draw(rng: np.random.Generator, n: int, m: int, unit: "Rows | None" = None) -> Rows:
    """Return m of the n row numbers without replacement, in random order.

    With `unit` (a unit number per row) whole units are taken in random order; the last one may be cut.
    """
    rows = rng.permutation(n)
    if unit is None:
        return rows[:m]
    rank = rng.permutation(int(unit.max(initial=-1)) + 1)
    return np.asarray(rows[np.argsort(rank[unit[rows]], kind="stable")][:m])


def interval(values: Sequence[float] | Floats, n: int, m: int, confidence: float = 0.95) -> Interval:
    """Turn a statistic seen on subsamples of m of n documents into its mean at size m, with an interval.

    Half width = z * sd * sqrt(m/(n - m) + 1/B) for B subsamples. sqrt(m/(n - m)) is the rescaling sqrt(m/n) of
    subsampling, corrected for drawing from n documents only (delete-d jackknife: Shao and Wu, Annals of
    Statistics 17, 1989; Politis, Romano and Wolf, Subsampling, 1999); 1/B is the noise of B itself.
    The interval is for the expected value at m documents, not at n. Raises UsageError unless 0 < m < n and B >= 2.
    """
    seen = np.asarray(values, dtype=np.float64)
    if not 0 < m < n or len(seen) < 2:
        raise UsageError(f"No interval from {len(seen)} subsamples of {m} of {n}.", "Give 0 < m < n and at least two.")
    scale = sqrt(m / (n - m) + 1.0 / len(seen))
    half = normal_quantile(0.5 + confidence / 2.0) * float(seen.std(ddof=1)) * scale
    centre = float(seen.mean())
    return Interval(centre, centre - half, centre + half)


def subsampled(
    statistic: Callable[[Rows], float], n: int, m: int, *, seed: int, repeats: int = 100, unit: "Rows | None" = None
) -> Interval:
    """Return the mean of `statistic` over subsamples of m of n documents, drawn by unit, with its interval."""
    rng = np.random.default_rng(seed)
    return interval([statistic(draw(rng, n, m, unit)) for _ in range(repeats)], n, m)


def permutation_p(observed: float, null: Sequence[float] | Floats) -> float:
    """Return (1 + #{null >= observed}) / (B + 1): valid at every level, never 0.

    Phipson and Smyth, Permutation p-values should never be zero, 2010.
    """
    seen = np.asarray(null, dtype=np.float64)
    return (1.0 + float(np.count_nonzero(seen >= observed))) / (len(seen) + 1.0)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return p-values adjusted for the family, in the order given; below alpha = rejected with family error alpha.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    adjusted: dict[str, float] = {}
    worst = 0.0
    for rank, name in enumerate(sorted(p, key=lambda key: (p[key], key))):
        worst = max(worst, min(1.0, (len(p) - rank) * p[name]))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p}
