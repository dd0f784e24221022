"""Vendi and RKE equal their closed forms; clusters are the anchor's own and are covered only when reached."""

import numpy as np
import pytest

from holdfast.metrics.semantic import assign, cluster_coverage, clusters, rke, rke_of_samples, vendi


def equicorrelated(n: int, rho: float) -> np.ndarray:
    """Return n unit vectors with inner product rho between any two."""
    return np.linalg.cholesky(np.full((n, n), rho) + (1 - rho) * np.eye(n))


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [(np.eye(50), 50.0), (np.ones((50, 1)), 1.0), (np.repeat(np.eye(5), 10, axis=0), 5.0)],
)
def test_vendi_of_groups(vectors: np.ndarray, expected: float) -> None:
    """Check 20: fifty different texts score 50, fifty equal ones 1, five groups 5, to 1e-6; RKE agrees."""
    assert expected == pytest.approx(vendi(vectors), abs=1e-6)
    assert expected == pytest.approx(rke(vectors), abs=1e-6)


@pytest.mark.parametrize(("rho", "printed"), [(0.1, 44.5008), (0.5, 13.4629), (0.9, 2.0179)])
def test_closed_forms_to_1e_6(rho: float, printed: float) -> None:
    """Check 20: both scores equal the closed forms from the eigenvalues (1 + 49 rho)/50 and (1 - rho)/50 to 1e-6."""
    top, rest = (1 + 49 * rho) / 50, (1 - rho) / 50
    entropy = -top * np.log(top) - 49 * rest * np.log(rest)
    assert np.exp(entropy) == pytest.approx(vendi(equicorrelated(50, rho)), abs=1e-6)
    assert printed == round(vendi(equicorrelated(50, rho)), 4)
    assert 1 / (top**2 + 49 * rest**2) == pytest.approx(rke(equicorrelated(50, rho)), abs=1e-6)
    assert 1 / top == pytest.approx(vendi(equicorrelated(50, rho), np.inf), abs=1e-6)


def test_dual_equals_primal() -> None:
    """Check 21: the small form equals the n x n kernel's, order 2 is n^2/||K||^2, and order 2 is not order 1."""
    rows = np.random.default_rng(0).normal(size=(80, 12))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kernel = rows @ rows.T
    values = np.linalg.eigvalsh(kernel / 80)
    values = values[values > 1e-12]
    assert np.exp(-(values * np.log(values)).sum()) == pytest.approx(vendi(rows), abs=1e-9)
    assert 80**2 / (kernel**2).sum() == pytest.approx(rke(rows), abs=1e-9)
    assert rke(rows) == pytest.approx(vendi(rows, 2.0), abs=1e-9)
    assert vendi(rows) - vendi(rows, 2.0) > 0.1


def test_rke_of_samples() -> None:
    """Scores of many samples at once equal those taken one by one."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(40, 8))
    samples = np.stack([rng.permutation(40)[:15] for _ in range(6)])
    assert [rke(rows[one]) for one in samples] == pytest.approx(rke_of_samples(rows, samples).tolist())


def test_nothing_has_no_variety() -> None:
    """Without vectors both scores are zero."""
    assert 0.0 == rke(np.empty((0, 3))) == vendi(np.empty((0, 3)))


def test_clusters_are_found_and_covered() -> None:
    """Six well-separated groups become six clusters; a sample of four of them covers four sixths."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(6), 40)
    rows = 10 * np.eye(6)[group] + rng.normal(size=(240, 6))
    centres = clusters(rows, 6, seed=3)
    labels = assign(rows, centres)
    assert 6 == len({(int(g), int(label)) for g, label in zip(group, labels, strict=True)})
    assert pytest.approx(4 / 6) == cluster_coverage(assign(rows[group < 4], centres), 6)
    assert np.array_equal(centres, clusters(rows, 6, seed=3))


def test_equal_rows_do_not_break_clustering() -> None:
    """More clusters than different rows still gives finite centres."""
    assert np.isfinite(clusters(np.ones((10, 2)), 3, seed=0)).all()
