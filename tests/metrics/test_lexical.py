"""Lexical metrics equal their definitions, and their documented weaknesses are real."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.metrics.lexical import distinct, entropy, expectation_adjusted, mattr

counts = st.lists(st.integers(0, 20), min_size=1, max_size=30).map(np.array)


def zipf(types: int, exponent: float) -> np.ndarray:
    """Return Zipf probabilities."""
    weights = np.arange(1, types + 1) ** -exponent
    return weights / weights.sum()


@given(counts)
def test_distinct(seen: np.ndarray) -> None:
    """distinct is types over tokens, unseen types do not count, and nothing has none."""
    tokens = [kind for kind, count in enumerate(seen) for _ in range(count)]
    assert (len(set(tokens)) / len(tokens) if tokens else 0.0) == distinct(seen)


def test_entropy() -> None:
    """The corrected entropy of 500 draws from 100 equal types is nearer to ln 100 than the plain one, within 1 %."""
    rng = np.random.default_rng(0)
    drawn = [rng.multinomial(500, np.full(100, 0.01)) for _ in range(200)]
    plain = [-(c[c > 0] / 500 * np.log(c[c > 0] / 500)).sum() for c in drawn]
    assert np.log(100) == pytest.approx(np.mean([entropy(c) for c in drawn]), rel=0.01)
    assert np.log(100) - np.mean(plain) > 0.05
    assert entropy(np.zeros(3, int)) == 0.0


def test_expectation_adjusted() -> None:
    """Check 23: EAD is 1.00 for uniform draws at every size, and drifts more than twofold on Zipf text."""
    rng = np.random.default_rng(1)
    for tokens in (100, 1000, 10_000, 100_000):
        types = [np.count_nonzero(rng.multinomial(tokens, np.full(1000, 1e-3))) for _ in range(200)]
        assert 1.0 == pytest.approx(expectation_adjusted(np.mean(types), tokens, 1000), abs=0.01)
    drawn = [(n, np.count_nonzero(rng.multinomial(n, zipf(4000, 1.1)))) for n in (1000, 10_000, 100_000)]
    natural = [expectation_adjusted(types, n, 4000) for n, types in drawn]
    assert max(natural) / min(natural) > 2
    assert 0.0 == expectation_adjusted(0, 0, 1000)


texts = st.lists(st.lists(st.integers(0, 4), max_size=12), max_size=5)


@given(texts, st.integers(1, 6))
def test_mattr(documents: list[list[int]], window: int) -> None:
    """The linear form equals the mean of all windows taken one by one; without a window there is no number."""
    offsets = np.cumsum([0, *map(len, documents)])
    ids = np.array([word for one in documents for word in one], dtype=np.int64)
    plain = [len(set(one[i : i + window])) / window for one in documents for i in range(len(one) - window + 1)]
    seen = mattr(ids, offsets, window)
    assert np.mean(plain) == pytest.approx(seen) if plain else np.isnan(seen)
