"""Density and coverage equal their definitions and, for the real source itself, their expectations."""

import numpy as np
import pytest

from holdfast.metrics.neighbours import coverage, density, expected_coverage, radii, within


def test_expectations() -> None:
    """Check 19: at N = M = 500 and k = 5 coverage is .9692 within .01 and density 1 within .03, whatever the source."""
    rng, seen = np.random.default_rng(0), []
    for _ in range(10):
        real, sample = rng.normal(size=(2, 500, 16))
        inside = within(sample, real)
        seen.append((coverage(inside), density(inside)))
    covered, dense = np.mean(seen, axis=0)
    assert 0.9692 == pytest.approx(expected_coverage(500, 500), abs=5e-5)
    assert 0.9692 == pytest.approx(covered, abs=0.01)
    assert 1.0 == pytest.approx(dense, abs=0.03)


def test_expected_coverage_at_other_sizes() -> None:
    """The exact expectation holds where sample and reference differ in size, within four standard errors."""
    rng = np.random.default_rng(1)
    seen = [coverage(within(rng.normal(size=(20, 3)), rng.normal(size=(60, 3)), k=2)) for _ in range(400)]
    error = np.std(seen) / np.sqrt(len(seen))
    assert expected_coverage(60, 20, k=2) == pytest.approx(np.mean(seen), abs=4 * error)


def test_definitions() -> None:
    """Balls, coverage and density equal loops over all pairs."""
    rng = np.random.default_rng(2)
    real, sample = rng.normal(size=(30, 4)), rng.normal(size=(12, 4)) + 0.3
    reach = [sorted(np.linalg.norm(one - other) for other in real)[3] for one in real]
    assert np.square(reach) == pytest.approx(radii(real, 3))
    hits = np.array(
        [[np.linalg.norm(mine - one) < far for one, far in zip(real, reach, strict=True)] for mine in sample]
    )
    inside = within(sample, real, 3)
    assert (hits == inside).all()
    assert hits.any(axis=0).mean() == pytest.approx(coverage(inside))
    assert hits.sum() / (3 * 12) == pytest.approx(density(inside, 3))


def test_a_lost_group_is_not_covered() -> None:
    """A sample of one of two far groups covers half; a copied real vector lies in crowded balls."""
    rng = np.random.default_rng(3)
    real = np.concatenate([rng.normal(size=(50, 3)), rng.normal(size=(50, 3)) + 40])
    assert coverage(within(rng.normal(size=(200, 3)), real)) <= 0.5
    assert density(within(np.repeat(real[:1], 5, axis=0), real)) == density(within(real[:1], real))
