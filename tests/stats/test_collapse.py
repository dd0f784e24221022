"""Closed forms of collapse have their printed values and limits; tests/lab/test_laws.py simulates them."""

from math import inf, log, pi

import numpy as np
import pytest

from holdfast.stats import collapse


def test_printed_values() -> None:
    """Each law gives the number that is printed for it."""
    assert (0.6050, 0.3660) == pytest.approx([collapse.gaussian_replace(100, t) for t in (50, 100)], abs=5e-5)
    assert 0.3629 == pytest.approx(collapse.gaussian_median(100, 100), abs=5e-5)
    assert (0.84343, 0.98364) == pytest.approx([collapse.gaussian_accumulate(n) for n in (10, 100)], abs=1e-5)
    assert 1.1236 == pytest.approx(collapse.regression_replace(10, 100, 10), abs=5e-5)
    assert 0.1741 == pytest.approx(collapse.regression_accumulate(10, 100, 10), abs=5e-5)
    assert 0.1848 == pytest.approx(collapse.regression_accumulate(10, 100), abs=5e-5)
    assert 138.6 == pytest.approx(collapse.fixation(0.5, 100), abs=0.05)
    assert (0.150, 1.10) == pytest.approx((collapse.wasserstein_squared(100, 10), collapse.sample_variance(100, 10)))
    assert 0.09 == pytest.approx(collapse.bias_floor(0.3, 1.0))


def test_digamma() -> None:
    """psi(1) is minus Euler's constant, psi(1/2) that less 2 ln 2, and psi(x + 1) = psi(x) + 1/x."""
    euler = 0.5772156649015329
    assert -euler == pytest.approx(collapse.digamma(1.0), abs=1e-12)
    assert -euler - 2 * log(2) == pytest.approx(collapse.digamma(0.5), abs=1e-12)
    assert collapse.digamma(7.3) + 1 / 7.3 == pytest.approx(collapse.digamma(8.3), abs=1e-12)


def test_accumulation_goes_to_its_limit() -> None:
    """The product falls to sin(x)/x, and the sum rises to pi^2/6, without passing them."""
    assert collapse.gaussian_accumulate(10, 10_000) == pytest.approx(collapse.gaussian_accumulate(10, inf), rel=2e-5)
    assert collapse.gaussian_accumulate(10, 5) > collapse.gaussian_accumulate(10)
    assert pi**2 / 6 > collapse.regression_accumulate(1, 3, 1000) > pi**2 / 6 - 1.1e-3


def test_unseen_mass() -> None:
    """It is the chance that the next sample is of a new type, as drawing shows."""
    truth = collapse.zipf(50, 1.2)
    rng = np.random.default_rng(0)
    drawn = [truth[rng.multinomial(40, truth) == 0].sum() for _ in range(4000)]
    assert collapse.unseen_mass(truth, 40) == pytest.approx(np.mean(drawn), abs=0.003)
