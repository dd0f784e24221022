"""The median with an interval that assumes nothing about the distribution, and the mean with Student's.

The median's bounds are order statistics: an observation lies below it with probability 1/2, whatever the shape.
"""

from collections.abc import Sequence
from math import comb

import numpy as np

from holdfast.stats.resample import Interval
from holdfast.stats.student import quantile


def lower_bound(values: Sequence[float], confidence: float = 0.95) -> float | None:
    """Return the largest order statistic that lies at or below the median with this confidence, or None if none does.

    The r-th smallest of n lies above the median with probability P(Bin(n, 1/2) <= r - 1); the smallest needs n >= 5 at
    95 %. W. J. Conover, Practical Nonparametric Statistics, 3rd ed. (1999), section 3.2.
    """
    ranked = sorted(values)
    chance, rank = 0.0, 0
    while rank < len(ranked):
        chance += comb(len(ranked), rank) / 2 ** len(ranked)
        if chance > 1.0 - confidence:
            break
        rank += 1
    return ranked[rank - 1] if rank else None


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return the median and its two-sided interval by `lower_bound` from both ends; None for fewer than 6 at 95 %."""
    one_sided = 0.5 + confidence / 2.0
    low = lower_bound(values, one_sided)
    high = lower_bound([-value for value in values], one_sided)
    if low is None or high is None:
        return None
    return Interval(float(np.median(np.asarray(values))), low, -high)


def mean_interval(values: Sequence[float], confidence: float = 0.90) -> Interval:
    """Return the mean and its two-sided Student interval; each end alone holds with confidence (1 + confidence) / 2.

    One value has a mean and no spread: its interval is unbounded.
    """
    seen = np.asarray(values, np.float64)
    centre = float(seen.mean())
    if len(seen) < 2:
        return Interval(centre, -np.inf, np.inf)
    half = quantile(0.5 + confidence / 2.0, len(seen) - 1) * float(seen.std(ddof=1)) / len(seen) ** 0.5
    return Interval(centre, centre - half, centre + half)
