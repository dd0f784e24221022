"""e-values are evidence that may be looked at after every check."""

from math import comb, exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.stats import evalue

BLOCKS = st.integers(1, 40)


def by_quadrature(below: int, blocks: int) -> float:
    """The integral of the definition, by the midpoint rule."""
    theta = 0.5 + (np.arange(200_000) + 0.5) / 400_000
    return float((2.0 * 2.0**blocks * theta**below * (1 - theta) ** (blocks - below)).mean() / 2)


@pytest.mark.parametrize(("below", "blocks"), [(0, 1), (1, 1), (0, 10), (5, 10), (9, 10), (10, 10), (30, 40)])
def test_the_closed_form_is_the_integral(below: int, blocks: int) -> None:
    """The sum of binomials equals the integral that defines the e-value."""
    assert exp(evalue.log_sign_block(below, blocks)) == pytest.approx(by_quadrature(below, blocks), rel=1e-6)


@given(BLOCKS)
def test_the_mean_under_the_null_is_one(blocks: int) -> None:
    """At P = 1/2 the mean of e over all outcomes is exactly 1: the e-process is a martingale."""
    mean = sum(comb(blocks, s) / 2**blocks * exp(evalue.log_sign_block(s, blocks)) for s in range(blocks + 1))
    assert mean == pytest.approx(1.0, rel=1e-9)


@given(BLOCKS, st.floats(0.0, 0.5))
def test_the_mean_below_the_null_is_less(blocks: int, p: float) -> None:
    """Under every P <= 1/2 the mean is at most 1: a supermartingale."""
    chances = [comb(blocks, s) * p**s * (1 - p) ** (blocks - s) for s in range(blocks + 1)]
    mean = sum(chance * exp(evalue.log_sign_block(s, blocks)) for s, chance in enumerate(chances))
    assert mean <= 1.0 + 1e-9


@given(BLOCKS)
def test_more_blocks_below_are_more_evidence(blocks: int) -> None:
    """The e-value grows with every block that lies below."""
    logs = [evalue.log_sign_block(s, blocks) for s in range(blocks + 1)]
    assert sorted(logs) == logs


def test_huge_counts_stay_finite() -> None:
    """Ten thousand documents that agree are a large logarithm, not an overflow; half of them are none."""
    assert log(2.0) * 9_900 < evalue.log_sign_block(10_000, 10_000) < inf
    assert evalue.log_sign_block(5_000, 10_000) < 0


def test_impossible_counts_are_refused() -> None:
    """More blocks below than there are is an error that says so."""
    with pytest.raises(UsageError, match="11 of 10"):
        evalue.log_sign_block(11, 10)


def test_calibrated_p_values_have_mean_one() -> None:
    """The calibrator's mean over uniform p is 1, and p = 1 is weak evidence for the null."""
    # By u = ln p the mean is the integral of e(p) p, which is 1/u^2 up to p: 1/60 lies beyond u = -60.
    p = np.exp(np.linspace(-60, -1e-6, 40_001))
    inside = np.array([exp(evalue.log_calibrated(float(one))) for one in p]) * p
    assert float((inside[1:] + inside[:-1]).mean() / 2 * 60) + 1 / 60 == pytest.approx(1.0, abs=1e-4)
    assert exp(evalue.log_calibrated(1.0)) == pytest.approx(0.5)


def test_the_mean_of_e_values_is_one_of_them() -> None:
    """Combining is averaging, in logarithms; nothing to combine is no evidence."""
    assert evalue.log_mean([log(1.0), log(3.0)]) == pytest.approx(log(2.0))
    assert 0.0 == evalue.log_mean([])


def test_esr_counts_every_start() -> None:
    """M_t = e_t (1 + M_{t-1}): with e = 1 it is the number of checks."""
    log_m = evalue.NOTHING
    for _ in range(5):
        log_m = evalue.shiryaev_roberts(log_m, 0.0)
    assert exp(log_m) == pytest.approx(5.0)


def test_onset_is_where_the_change_began() -> None:
    """The e-CUSUM starts anew while evidence is below 1, and names the first check after that."""
    assert 3 == evalue.onset([log(0.5), log(1.2), log(0.3), log(4.0), log(9.0), log(20.0)])
    assert 0 == evalue.onset([log(4.0)])
    with pytest.raises(UsageError):
        evalue.onset([])


def test_naive_peeking_inflates() -> None:
    """Check 5 of the acceptance table: a 5 % test looked at 20 times false-alarms in .6415 of null runs."""
    looks = np.random.default_rng(5).random((20_000, 20))
    assert 0.6415 == pytest.approx(evalue.peeking(0.05, 20), abs=5e-5)
    assert float((looks < 0.05).any(axis=1).mean()) == pytest.approx(0.6415, abs=0.01)


def test_the_e_process_does_not() -> None:
    """Check 6: the product of e-values ever reaches 20 in at most 5 % of null runs, by p-values and by blocks."""
    rng = np.random.default_rng(6)
    p = rng.random((4_000, 20))
    spread = np.log(p)
    calibrated = np.log(1 - p + p * spread) - spread - 2 * np.log(-spread)
    assert calibrated[0, 0] == pytest.approx(evalue.log_calibrated(float(p[0, 0])))
    table = np.array([evalue.log_sign_block(s, 10) for s in range(11)])
    signs = table[rng.binomial(10, 0.5, (4_000, 20))]
    for logs in (calibrated, signs):
        ever = (np.cumsum(logs, axis=1) >= log(20)).any(axis=1)
        assert 0.05 >= ever.mean()
    assert 0.02 >= (np.cumsum(calibrated, axis=1) >= log(20)).any(axis=1).mean()


def test_esr_keeps_its_run_length() -> None:
    """The mean number of null checks before e-SR reaches 20 is at least 20."""
    rng = np.random.default_rng(7)
    table = np.array([evalue.log_sign_block(s, 10) for s in range(11)])
    lengths = []
    for _ in range(300):
        log_m, count = evalue.NOTHING, 0
        while log_m < log(20) and count < 500:
            log_m, count = evalue.shiryaev_roberts(log_m, float(table[rng.binomial(10, 0.5)])), count + 1
        lengths.append(count)
    assert 20.0 <= float(np.mean(lengths))
