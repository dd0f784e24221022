"""Covariances add up: streams, merges and one pass give one score, equal to the kernel's and to closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.metrics import covariance
from holdfast.metrics.covariance import Covariance, score


def unit(seed: int, rows: int, dimensions: int = 6) -> np.ndarray:
    """Return unit vectors."""
    made = np.random.default_rng(seed).normal(size=(rows, dimensions))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


parts = st.tuples(st.integers(0, 99), st.integers(0, 20)).map(lambda drawn: unit(*drawn))


@given(parts, parts, parts)
def test_merge(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> None:
    """Merging is commutative exactly, associative and equal to one pass up to rounding; bytes come back whole."""
    a, b, c = map(Covariance.of, (first, second, third))
    whole = Covariance.of(np.concatenate([first, second, third]))
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(b).merge(a)):
        assert whole.n == merged.n
        assert whole.total == pytest.approx(merged.total, abs=1e-12)
        assert whole.rke() == pytest.approx(merged.rke(), rel=1e-12)
    assert (a.merge(b).total == b.merge(a).total).all()
    again = Covariance.from_bytes(whole.to_bytes())
    assert (whole.n, whole.total.tolist()) == (again.n, again.total.tolist())


def test_a_stream_equals_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding vectors a few at a time, in blocks of any size, gives the scores of all of them."""
    rows = unit(1, 150)
    monkeypatch.setattr(covariance, "BLOCK", 64)
    seen = Covariance(np.zeros((6, 6)))
    for first in range(0, 150, 23):
        seen.add(rows[first : first + 23])
    kernel = rows @ rows.T
    values = np.linalg.eigvalsh(kernel / 150)
    assert 150**2 / (kernel**2).sum() == pytest.approx(seen.rke(), abs=1e-9)
    assert score(values, 1.0) == pytest.approx(seen.vendi(), abs=1e-9)


def test_single_precision_is_enough() -> None:
    """A hundred thousand single-precision rows give both scores to 1e-5 of those in double precision."""
    rows = unit(2, 100_000, 16)
    single, double = Covariance.of(rows.astype(np.float32)), Covariance.of(rows)
    assert double.rke() == pytest.approx(single.rke(), rel=1e-5)
    assert double.vendi() == pytest.approx(single.vendi(), rel=1e-5)


def test_nothing_seen() -> None:
    """Without vectors there is no variety, and other bytes are refused."""
    empty = Covariance(np.zeros((3, 3)))
    assert 0.0 == empty.rke() == empty.vendi()
    with pytest.raises(UsageError, match="11 bytes"):
        Covariance.from_bytes(b"eleven byte")
