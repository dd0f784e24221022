"""Place, length and authorship: each bias planted is found, and none is found where there is none."""

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.stats.agreement import Bootstrap
from holdfast.stats.preference import leakage_score, length_controlled, position_consistency, preference_leakage


def test_the_leakage_score_by_hand() -> None:
    """Check 25: win rates (.6, .4; .6, .4) have the score .2, to 1e-9; equal win rates have none."""
    assert pytest.approx(0.2, abs=1e-9) == leakage_score(0.6, 0.4, 0.6, 0.4)
    assert 0.0 == leakage_score(0.5, 0.5, 0.7, 0.7)


def test_leakage_over_records_and_its_interval() -> None:
    """The score of the mean outcomes is that of the rates, and unrelated judges have 0 within their interval."""
    first = [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]
    assert pytest.approx(0.2, abs=1e-9) == preference_leakage(first, first).value
    rng = np.random.default_rng(2)
    covered = 0
    for seed in range(200):
        one, other = (rng.random((2, 120)) < 0.6).astype(float), (rng.random((2, 120)) < 0.5).astype(float)
        found = preference_leakage(one.tolist(), other.tolist(), Bootstrap(seed, resamples=300))
        covered += (found.low or 0.0) <= 0.0 <= (found.high or 0.0)
    assert 0.90 <= covered / 200 <= 0.99


def test_leakage_needs_two_judges_and_two_generators() -> None:
    """One judge cannot favour its own."""
    with pytest.raises(UsageError, match="two judges"):
        preference_leakage([[1.0]], [[1.0]])


def test_position_consistency_by_hand() -> None:
    """Four pairs: one kept, one flipped for the first place twice, one tie kept, one flipped for the second place."""
    found = position_consistency([1, 1, 0.5, 0], [1, 0, 0.5, 1])
    assert (0.5, 4) == (found.value, found.n)
    assert (0.375, 0.375) == (found.detail["first_place"], found.detail["second_place"])


def test_length_is_taken_out() -> None:
    """A judge that likes length alone: the longer text wins .75 raw, and about one half were both equally long."""
    rng = np.random.default_rng(4)
    longer = rng.normal(200, 200, 4000)
    odds = 2.0 * np.tanh(longer / longer.std())
    won = (rng.random(4000) < 1 / (1 + np.exp(-odds))).astype(float)
    found = length_controlled(won, longer)
    assert found.detail["raw"] > 0.68
    assert 0.5 == pytest.approx(found.value, abs=0.05)
    assert (found.low or 0.0) < 0.5 < (found.high or 1.0)


def test_the_length_controlled_interval_covers() -> None:
    """In 92 to 98 % of 400 samples of 300 the interval holds the true rate at equal length, here .6."""
    rng = np.random.default_rng(6)
    base = np.log(0.6 / 0.4)
    covered = 0
    for _ in range(400):
        longer = rng.normal(0, 100, 300)
        won = (rng.random(300) < 1 / (1 + np.exp(-(base + np.tanh(longer / longer.std()))))).astype(float)
        found = length_controlled(won, longer)
        covered += (found.low or 0.0) <= 0.6 <= (found.high or 1.0)
    assert 0.92 <= covered / 400 <= 0.98


def test_equal_outcomes_are_not_certain() -> None:
    """Twelve wins of twelve, or twelve ties, have the interval of twelve comparisons, and not one of no width."""
    won, tied = (length_controlled([outcome] * 12, range(12)) for outcome in (1.0, 0.5))
    assert (1.0, 1.0) == (won.value, won.high)
    assert pytest.approx(0.758, abs=0.001) == won.low
    assert (0.5, 0.254, 0.746) == tuple(pytest.approx(each, abs=0.001) for each in (tied.value, tied.low, tied.high))


def test_length_that_decides_everything_stays_finite() -> None:
    """Perfect separation ends in a finite fit that claims to know nothing.

    Without any difference in length the rate is the raw one.
    """
    split = length_controlled([1, 1, 1, 0, 0, 0], [5, 6, 7, -5, -6, -7])
    assert 0.0 < (split.value or 0.0) < 1.0
    assert (split.low or 0.0) < 0.05
    assert (split.high or 0.0) > 0.95
    assert 0.75 == pytest.approx(length_controlled([1, 1, 1, 0], [3, 3, 3, 3]).value, abs=1e-3)
