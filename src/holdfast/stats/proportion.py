"""Shares with their interval, and how small a drop an evaluation set of a given size can notice.

Binomial sampling of independent items is assumed. Clustered items (several per prompt) make intervals too narrow.
"""

from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Measurement


def normal_quantile(probability: float) -> float:
    """Return z with P(Z <= z) = `probability` for a standard normal Z."""
    return NormalDist().inv_cdf(probability)


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of hits/n; (0, 1) for n = 0. Both may be fractions: an effective sample.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not 0 <= hits <= n:
        raise UsageError(f"{hits} of {n} is not a share.", "Give 0 <= hits <= n.")
    if n == 0:
        return 0.0, 1.0
    z = normal_quantile(0.5 + confidence / 2.0)
    share = hits / n
    scale = 1.0 + z * z / n
    centre = (share + z * z / (2.0 * n)) / scale
    half = z * sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n)) / scale
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    return low, 1.0 if hits == n else min(1.0, centre + half)


def share(hits: int, n: int, unit: str = "share", confidence: float = 0.95) -> Measurement:
    """Return hits/n with its Wilson interval; the value is None and the interval (0, 1) when n is 0.

    For a sample. A share counted over everything is `Measurement.census`.
    """
    low, high = wilson(hits, n, confidence)
    return Measurement(hits / n if n else None, low, high, n, unit)


def effective_n(weights: NDArray[np.int64]) -> float:
    """Return how many equally weighted items say as much as these: (sum w)^2 / sum w^2; 0 for no weight.

    L. Kish, Survey Sampling (1965), section 11.7. The weight of a record in a share of tokens is its length.
    """
    squares = float(np.square(weights, dtype=np.float64).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def smallest_drop(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest drop in accuracy (0-1) that an evaluation of n items notices with chance `power`.

    The test meant: one-sided z test of two proportions at level `alpha`, two models each scored on n items,
    taken as independent samples, at the worst case of accuracy near one half:
    d = (z_{1-alpha} + z_{power}) sqrt(2 * 1/4 / n). Never above 1. Scoring both models on the same items
    and testing the pairs notices smaller drops. Fleiss, Levin and Paik, Statistical Methods for Rates and
    Proportions, 3rd ed. (2003), chapter 4, with both variances at their maximum of 1/4.
    """
    if n < 1:
        return 1.0
    return min(1.0, (normal_quantile(1.0 - alpha) + normal_quantile(power)) * sqrt(0.5 / n))


def size_to_notice(drop: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the fewest items whose `smallest_drop` is at most `drop`: n = (z_{1-alpha} + z_{power})^2 / (2 d^2).

    Raises UsageError unless 0 < drop <= 1 and 0 < power < 1.
    """
    if not (0 < drop <= 1 and 0 < power < 1):
        raise UsageError(f"No set notices a drop of {drop} with power {power}.", "Give shares, as 0.02 and 0.9.")
    quantiles = normal_quantile(1.0 - alpha) + normal_quantile(power)
    return max(1, ceil(0.5 * (quantiles / drop) ** 2 - 1e-9))
