"""Bounds of a median without assumptions, and Student's interval of a mean."""

import numpy as np
import pytest

from holdfast.stats.median import lower_bound, mean_interval, median_interval


def test_the_bound_is_an_order_statistic() -> None:
    """Of ten values the second smallest bounds the median at 95 %; of four none does."""
    assert 1 == lower_bound([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    assert 0 == lower_bound([4, 3, 2, 1, 0])
    assert lower_bound([1, 2, 3, 4]) is None


def test_the_bound_covers() -> None:
    """For skewed values the bound lies at or below the true median in at least 95 % of samples."""
    rng = np.random.default_rng(1)
    bounds = [lower_bound(rng.exponential(size=10).tolist()) for _ in range(4_000)]
    assert 0.95 <= float(np.mean([bound is not None and bound <= np.log(2.0) for bound in bounds]))


def test_the_interval_has_both_ends() -> None:
    """The two-sided interval is symmetric in rank, and absent where no order statistic is sure enough."""
    seen = median_interval(list(range(10)))
    assert seen is not None
    assert (4.5, 1, 8) == (seen.value, seen.low, seen.high)
    assert median_interval([1, 2, 3]) is None


def test_the_mean_covers() -> None:
    """The 90 % interval of the mean of ten normal values covers in 90 % of samples; one value has no interval."""
    rng = np.random.default_rng(2)
    seen = [mean_interval(rng.normal(size=10).tolist()) for _ in range(4_000)]
    assert float(np.mean([one.low <= 0 <= one.high for one in seen])) == pytest.approx(0.9, abs=0.015)
    assert np.inf == mean_interval([3.0]).high
