"""The mean of a few repeats with its interval: Student's t.

Student, The probable error of a mean, Biometrika 6 (1908). The repeats must be independent and roughly normal: the
runs of one experiment under different seeds, not the documents of one run.
"""

from collections.abc import Sequence
from functools import cache
from math import exp, lgamma, pi, sqrt

import numpy as np

from holdfast.core.errors import UsageError
from holdfast.stats.resample import Interval

# Steps of Simpson's rule between 0 and t, and halvings: t is right to six digits and more.
STEPS = 2000
HALVINGS = 60
# t of the widest case, one degree of freedom, is 12.7 at 95 %, 636 at 99.9 %.
LARGEST = 1e4


@cache
def quantile(probability: float, freedom: int) -> float:
    """Return t with P(T <= t) = `probability` (.5 to .9999) for Student's T of that many degrees of freedom."""
    if freedom < 1 or not 0.5 <= probability <= 0.9999:
        raise UsageError(f"No t for {probability} at {freedom} degrees of freedom.", "Give .5 to .9999 and at least 1.")
    low, high = 0.0, LARGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _below(middle, freedom) < probability else (low, middle)
    return low


def _below(t: float, freedom: int) -> float:
    """P(T <= t) for t >= 0, in the angle whose tangent is t/sqrt(freedom), where the density is a power of a cosine."""
    angle = np.linspace(0.0, float(np.arctan(t / sqrt(freedom))), STEPS + 1)
    weight = np.where(np.arange(STEPS + 1) % 2 == 1, 4.0, 2.0)
    weight[[0, -1]] = 1.0
    area = float((weight * np.cos(angle) ** (freedom - 1)).sum() * angle[1] / 3.0)
    return 0.5 + area * exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(pi)


def mean(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return the mean of independent repeats with its interval; None for fewer than two."""
    if len(values) < 2:
        return None
    seen = np.asarray(values, dtype=np.float64)
    centre = float(seen.mean())
    half = quantile(0.5 + confidence / 2.0, len(seen) - 1) * float(seen.std(ddof=1)) / sqrt(len(seen))
    return Interval(centre, centre - half, centre + half)
