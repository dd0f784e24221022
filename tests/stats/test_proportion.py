"""Wilson intervals cover; the smallest noticeable drop is noticed as often as promised."""

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.stats.proportion import effective_n, share, smallest_drop, wilson


def test_wilson_known_value() -> None:
    """10 of 100 has the textbook interval (.0552, .1744)."""
    assert (0.05523, 0.17437) == pytest.approx(wilson(10, 100), abs=1e-5)


@pytest.mark.parametrize("truth", [0.02, 0.3, 0.97])
def test_wilson_covers(truth: float) -> None:
    """The interval covers the true share in 93 to 98 % of 4000 samples of 200."""
    hits = np.random.default_rng(0).binomial(200, truth, 4000)
    covered = [low <= truth <= high for low, high in (wilson(int(h), 200) for h in hits)]
    assert 0.93 <= np.mean(covered) <= 0.985


def test_wilson_edges() -> None:
    """Nothing seen bounds nothing, no hit starts at 0, all hits end at 1, more hits than items are refused."""
    assert (0.0, 1.0) == wilson(0, 0)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    with pytest.raises(UsageError, match="11 of 10"):
        wilson(11, 10)


def test_share() -> None:
    """A share is a Measurement; of nothing it is unknown, not zero."""
    assert (0.25, 8, "share") == (share(2, 8).value, share(2, 8).n, share(2, 8).unit)
    assert share(0, 0).value is None


def test_smallest_drop_is_noticed() -> None:
    """The stated two-proportion test finds the stated drop at .5 in 80 % of runs and fires in 5 % without one."""
    n, rng = 800, np.random.default_rng(1)
    drop = smallest_drop(n)

    def rejected(second: float) -> float:
        before, after = rng.binomial(n, 0.5, 20_000) / n, rng.binomial(n, second, 20_000) / n
        pooled = (before + after) / 2
        return float(np.mean((before - after) / np.sqrt(2 * pooled * (1 - pooled) / n) > 1.6449))

    assert 0.8 == pytest.approx(rejected(0.5 - drop), abs=0.015)
    assert 0.05 == pytest.approx(rejected(0.5), abs=0.01)


def test_smallest_drop_edges() -> None:
    """An empty evaluation notices nothing short of everything; more items notice less."""
    assert 1.0 == smallest_drop(0) == smallest_drop(1)
    assert smallest_drop(400) == pytest.approx(2 * smallest_drop(1600))


def test_equal_weights_lose_nothing_and_one_heavy_item_says_as_much_as_one() -> None:
    """Kish's effective sample size lies between 1 and n: n for equal weights, about 1 when one outweighs all."""
    assert pytest.approx(40) == effective_n(np.full(40, 7))
    assert pytest.approx(1, abs=0.01) == effective_n(np.array([1_000_000, 1, 1]))
    assert 0 == effective_n(np.zeros(3, np.int64))
