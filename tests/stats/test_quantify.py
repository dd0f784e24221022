"""Quantification: shares come back from scores with known distributions, whatever the classifier's errors."""

import numpy as np
import pytest

from holdfast.stats.quantify import MOST_LOG_RATIO, adjusted_count, auc, calibrate, likeliest, matched_mean

GAP = 1.5


def scores(n, *, seed):
    """Scores of real and synthetic documents: two normals with means 0 and GAP."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, n), rng.normal(GAP, 1, n)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_each_estimator_finds_the_share_of_a_mixture(share):
    """On 20,000 scores the three estimators are within two points of the truth, where a count would be off by 20."""
    real, made = scores(20_000, seed=1)
    other, more = scores(20_000, seed=2)
    cut = round(share * 20_000)
    target = np.concatenate([more[:cut], other[cut:]])
    said = [
        likeliest(calibrate(real, made)(target)),
        adjusted_count(real, made, target),
        matched_mean(real, made, target),
    ]
    assert [True] * 3 == [abs(value - share) < 0.02 for value in said]


def test_calibration_is_that_of_two_normals():
    """Of normals with means 0 and d and deviation 1 the log ratio is d x - d^2 / 2."""
    slope, intercept = calibrate(*scores(200_000, seed=3))
    assert [pytest.approx(GAP, abs=0.02), pytest.approx(-(GAP**2) / 2, abs=0.02)] == [slope, intercept]


def test_calibration_shrinks_what_counts_one_thing_ten_times():
    """A score ten times too sure gets a slope of a tenth: that is what held-out documents are for."""
    real, made = scores(50_000, seed=4)
    assert pytest.approx(calibrate(real, made).slope / 10, rel=1e-3) == calibrate(10 * real, 10 * made).slope


def test_no_document_says_more_than_the_limit():
    """Log ratios stay within e^4 to one, and references without overlap do not end in infinity."""
    said = calibrate(np.zeros(50), np.ones(50))(np.array([-1e9, 1e9]))
    assert [-MOST_LOG_RATIO, MOST_LOG_RATIO] == said.tolist()


def test_references_that_are_alike_give_no_adjusted_count():
    """Where no threshold tells them apart there is nothing to divide by."""
    same = np.arange(100.0)
    assert adjusted_count(same, same, same) is None


def test_auc_counts_ties_half():
    """All scores equal is chance; apart is one; turned around is none."""
    low, high = np.zeros(3), np.ones(4)
    assert [0.5, 1.0, 0.0] == [auc(low, low), auc(low, high), auc(high, low)]


def test_nothing_gives_the_share_of_nothing():
    """A target without documents is no synthetic text."""
    assert likeliest(np.empty(0)) == 0.0
