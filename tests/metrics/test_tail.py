"""Tail metrics on counts whose truth is known."""

import numpy as np
import pytest

from holdfast.metrics.tail import chao1, missing_mass, spectrum, tail_coverage


def test_good_turing() -> None:
    """Check 22: on Zipf(1.1) over 20 000 types the missing mass is right to .01 RMSE, and Chao1 stays below truth."""
    rng = np.random.default_rng(0)
    weights = np.arange(1, 20_001) ** -1.1
    weights /= weights.sum()
    drawn = [rng.multinomial(5000, weights) for _ in range(100)]
    truth = np.array([weights[c == 0].sum() for c in drawn])
    seen = np.array([missing_mass(c) for c in drawn])
    assert 0.223 == pytest.approx(seen.mean(), abs=0.002)
    assert np.sqrt(((seen - truth) ** 2).mean()) <= 0.01
    assert all(np.count_nonzero(c) < chao1(c) <= 20_000 for c in drawn)


def test_spectrum() -> None:
    """The spectrum counts types per count, and adds up to all types and all tokens."""
    counts = np.array([0, 1, 1, 3, 0, 7])
    assert {1: 2, 3: 1, 7: 1} == spectrum(counts)
    assert counts.sum() == sum(c * k for c, k in spectrum(counts).items())


def test_tail_coverage_looks_at_rare_types_only() -> None:
    """Losing a common type changes nothing; losing one of three rare types costs a third; no rare type, no number."""
    reference = np.array([50, 1, 2, 3, 0])
    assert tail_coverage(reference, np.array([0, 1, 1, 1, 5])) == 1.0
    assert pytest.approx(2 / 3) == tail_coverage(reference, np.array([9, 1, 0, 1, 0]))
    assert np.isnan(tail_coverage(np.array([50, 60]), np.array([1, 1])))


def test_nothing_seen() -> None:
    """Of an empty sample everything is missing and nothing is bounded."""
    assert 1.0 == missing_mass(np.zeros(3, int))
    assert 0.0 == chao1(np.zeros(3, int))
