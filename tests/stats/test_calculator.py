"""The dose calculator puts each law through at the bounds of what was measured, and says what it assumes."""

import numpy as np
import pytest

from holdfast.core.verdict import Measurement
from holdfast.stats import calculator, dose


def share(value: float | None, low: float, high: float) -> Measurement:
    """A measured share of 100 records."""
    return Measurement(value, low, high, 100, "share")


def test_every_number_has_an_interval_and_an_assumption() -> None:
    """n_eff under fresh and fixed data and the weight lie in the intervals that those of the share give them."""
    numbers = calculator.of_share(share(0.5, 0.4, 0.6))
    assert ["n_eff_fresh", "n_eff_fixed", "real_weight"] == list(numbers)
    expected = {
        "n_eff_fresh": (0.75, 0.64, 0.84),
        "n_eff_fixed": (0.75 / 2, 0.64 / 2.2, 0.84 / 1.8),
        "real_weight": (dose.real_weight(1, 1), dose.real_weight(4, 6), dose.real_weight(6, 4)),
    }
    for name, number in numbers.items():
        assert expected[name] == pytest.approx((number.value, number.low, number.high)), name
        assert (100, True) == (number.n, len(number.assumes) > 20)
    assert {"value", "low", "high", "n", "assumes"} == set(calculator.told(numbers)["real_weight"])


def test_verified_data_stands_apart() -> None:
    """Half verified, half of that: at best as good as real data, and n_eff_fresh is unmoved by it."""
    numbers = calculator.of_share(share(0.6, 0.6, 0.6), verified=0.3)
    assert numbers["n_eff_fresh"].value == pytest.approx(dose.effective_share(0.4))
    assert numbers["n_eff_verified"].value == pytest.approx(dose.effective_share(0.7))
    assert "passed" not in numbers["n_eff_verified"].assumes
    assert 1.0 == calculator.of_share(share(0.6, 0.5, 0.6), verified=0.6)["n_eff_verified"].high


def test_a_share_that_is_not_known_gives_nothing() -> None:
    """No record says where it comes from: no number, rather than one for the middle."""
    assert {} == calculator.of_share(share(None, 0.0, 1.0))


def test_sharpening_from_entropy() -> None:
    """Check 17 from data: a generator with sqrt(.8) of the types, at 30 % real, keeps .682 of the variance."""
    ratio = Measurement(np.sqrt(0.8), np.sqrt(0.7), np.sqrt(0.9), 500, "ratio")
    numbers = calculator.of_entropy(ratio, synthetic=0.7)
    assert (0.8, 0.7, 0.9) == pytest.approx((numbers["shrink"].value, numbers["shrink"].low, numbers["shrink"].high))
    kept = numbers["variance_kept"]
    assert kept.value == pytest.approx(0.682, abs=5e-4)
    assert (500, True) == (kept.n, kept.low < kept.value < kept.high)
    assert ["shrink"] == list(calculator.of_entropy(ratio, synthetic=None))
    assert {} == calculator.of_entropy(Measurement(None, None, None, 0, "ratio"), synthetic=0.7)


def test_the_forecast_covers_what_is_left() -> None:
    """In at least 18 of 20 loops the share of types left after five generations lies within the interval."""
    rng, n, weights = np.random.default_rng(11), 20_000, 1.0 / np.arange(1, 8001)
    covered = 0
    for _ in range(20):
        counts = rng.multinomial(n, weights / weights.sum())
        types = np.count_nonzero(counts)
        spectrum = {c: int(k) for c, k in enumerate(np.bincount(counts)) if c and k}
        forecast = calculator.of_spectrum(spectrum)["types_left_5"]
        assert types == forecast.n
        for _ in range(5):
            counts = rng.multinomial(n, counts / n)
        covered += forecast.low <= np.count_nonzero(counts) / types <= forecast.high
    assert covered >= 18


def test_an_empty_set_has_no_forecast() -> None:
    """No word, no types: no number."""
    assert {} == calculator.of_spectrum({})
