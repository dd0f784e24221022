"""Subsampling covers where the document bootstrap cannot; permutation p-values and Holm keep their level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.stats.resample import Interval, draw, holm, interval, permutation_p, units

DOCUMENTS, LENGTH = 200, 50


def corpus(rng: np.random.Generator) -> np.ndarray:
    """Bigram ids of 200 documents of 50 tokens: independent Zipf words over 2000 types, as pairs."""
    weights = 1 / np.arange(1, 2001)
    words = rng.choice(2000, size=(DOCUMENTS, LENGTH), p=weights / weights.sum())
    return words[:, :-1] * 2000 + words[:, 1:]


def distinct(pairs: np.ndarray) -> float:
    return len(np.unique(pairs)) / pairs.size


def subsampled(statistic, n: int, m: int, *, seed: int, repeats: int, unit: np.ndarray | None = None) -> Interval:
    """The library's interval as `metrics.anchor` makes it: subsamples drawn by `draw`, turned round by `interval`."""
    rng = np.random.default_rng(seed)
    return interval([statistic(draw(rng, n, m, unit)) for _ in range(repeats)], n, m)


@pytest.fixture(scope="module")
def truth() -> float:
    """distinct-2 of fresh samples of 100 documents, averaged over 200 samples."""
    rng = np.random.default_rng(100)
    return float(np.mean([distinct(corpus(rng)[:100]) for _ in range(200)]))


def test_interval_covers_distinct(truth: float) -> None:
    """Check 28: the interval for distinct-2 at 100 documents covers its fresh-sample mean in >= 90 % of 200 sets."""
    rng, covered = np.random.default_rng(101), 0
    for seed in range(200):
        pairs = corpus(rng)
        seen = subsampled(lambda rows, pairs=pairs: distinct(pairs[rows]), DOCUMENTS, 100, seed=seed, repeats=30)
        covered += seen.low <= truth <= seen.high
    assert covered / 200 >= 0.90


def test_bootstrap_is_rejected(truth: float) -> None:
    """Check 28, why: a bootstrap of documents misses the fresh-sample mean by more than five of its own deviations."""
    rng = np.random.default_rng(102)
    pairs = corpus(rng)[:100]
    drawn = [distinct(pairs[rng.integers(0, 100, 100)]) for _ in range(100)]
    assert (truth - np.mean(drawn)) / np.std(drawn) > 5


def test_groups_are_the_unit() -> None:
    """Texts that come as five copies each: drawn by group the interval covers the fresh-sample mean, one by one never.

    The truth is distinct-2 of 100 documents as the source gives them, which are twenty texts five times over.
    """
    rng = np.random.default_rng(104)

    def fresh(texts: int) -> np.ndarray:
        return np.repeat(corpus(rng)[:texts], 5, axis=0)

    expected = float(np.mean([distinct(fresh(20)) for _ in range(200)]))
    group, covered = np.repeat(np.arange(40), 5), {"group": 0, "document": 0}
    for seed in range(60):
        pairs = fresh(40)
        for name, unit in (("group", units(group, 5)), ("document", None)):
            seen = subsampled(
                lambda rows, pairs=pairs: distinct(pairs[rows]), 200, 100, seed=seed, repeats=30, unit=unit
            )
            covered[name] += seen.low <= expected <= seen.high
    assert covered["group"] / 60 >= 0.87
    assert 0 == covered["document"]


def test_units() -> None:
    """Groups stay together, larger ones are cut into pieces of the limit, and rows of two groups are never joined."""
    group = np.array([7, 3, 7, 3, 9, 7, 7, 7])
    unit = units(group, 2)
    pairs = set(zip(group.tolist(), unit.tolist(), strict=True))
    assert 5 == len(pairs) == len(set(unit.tolist())) == unit.max() + 1
    assert 2 == np.bincount(unit).max()
    assert 8 == len(set(units(group, 1).tolist()))
    assert 3 == len(set(units(group, 5).tolist()))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 5))
def test_draw_by_unit(groups: list[int], m: int, seed: int) -> None:
    """Every row comes at most once, and all units drawn but the last are complete."""
    unit = units(groups, 9)
    rows = draw(np.random.default_rng(seed), len(groups), m, unit)
    assert min(m, len(groups)) == len(rows) == len(set(rows.tolist()))
    drawn = np.bincount(unit[rows], minlength=unit.max() + 1)
    cut = (drawn > 0) & (drawn < np.bincount(unit))
    assert cut.sum() <= 1
    assert not cut.any() or cut[unit[rows[-1]]]


def test_interval_of_a_mean_is_the_classical_one() -> None:
    """For a plain mean the subsampling interval has the width of the normal interval, within 10 %."""
    values = np.random.default_rng(3).normal(size=400)
    seen = subsampled(lambda rows: float(values[rows].mean()), 400, 100, seed=1, repeats=2000)
    assert 1.96 * values.std(ddof=1) / 20 == pytest.approx(seen.half, rel=0.1)


def test_draw_is_without_replacement_and_seeded() -> None:
    """No row comes twice, and the same seed gives the same rows."""
    rows = draw(np.random.default_rng(5), 50, 30)
    assert 30 == len(set(rows.tolist()))
    assert rows.tolist() == draw(np.random.default_rng(5), 50, 30).tolist()


@pytest.mark.parametrize(("values", "n", "m"), [([1.0, 2.0], 10, 10), ([1.0, 2.0], 10, 0), ([1.0], 10, 5)])
def test_interval_refuses(values: list[float], n: int, m: int) -> None:
    """Subsamples as large as the whole, empty ones, or a single one give no interval."""
    with pytest.raises(UsageError, match="interval"):
        interval(values, n, m)


def test_permutation_p() -> None:
    """The p-value counts the observed arrangement itself, so it is never zero and is valid at level 5 %."""
    assert 0.01 == permutation_p(5.0, [0.0] * 99)
    assert 1.0 == permutation_p(0.0, [0.0] * 99)
    rng = np.random.default_rng(6)
    p = [permutation_p(row[0], row[1:]) for row in rng.normal(size=(4000, 100))]
    assert 0.05 == pytest.approx(np.mean(np.array(p) <= 0.05), abs=0.012)


def test_holm() -> None:
    """Adjusted values equal the worked step-down example, keep the order given, and never fall along it."""
    adjusted = holm({"a": 0.03, "b": 0.005, "c": 0.04, "d": 0.02})
    assert {"a": 0.06, "b": 0.02, "c": 0.06, "d": 0.06} == pytest.approx(adjusted)
    assert ["a", "b", "c", "d"] == list(adjusted)
    assert {} == holm({})
