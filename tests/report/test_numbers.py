"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report import numbers


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.6801, "68.0%"),
        (0.0004, "0.04%"),
        (0.9999, "99.99%"),
        (0.5, "50.0%"),
        (0.0077, "0.77%"),
    ],
)
def test_shares_are_percent_with_sensible_digits(share: float, text: str) -> None:
    """One decimal, more where a small or nearly full share would vanish."""
    assert text == numbers.percent(share)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_part_is_never_shown_as_none_or_all(share: float) -> None:
    """Only exactly nothing is 0%, only exactly everything is 100%."""
    assert numbers.percent(share) not in ("0%", "0.0%", "100%", "100.0%", "100.00%")
    assert len(numbers.percent(share)) <= 8


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1204, "records", "1,204 records"),
        (1, "records", "1 record"),
        (0.874, "ratio", "0.874"),
        (0.874, "ratio to anchor-versus-anchor", "0.874"),
        (1.0, "0/1", "yes"),
        (0.0, "0/1", "no"),
        (2, "generations", "2 generations"),
        (0.3, "share", "30.0%"),
        (None, "share", "not known"),
    ],
)
def test_values_carry_their_unit(value: float | None, unit: str, text: str) -> None:
    """Counts name their unit, shares are percent, what is unknown is called so."""
    assert text == numbers.value({"value": value, "low": None, "high": None, "n": 1, "unit": unit})


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.5, 0.5, "counted"), (0.4, 0.6, "40.0% – 60.0%"), (None, None, ""), (0.5, None, "at least 50.0%")],
)
def test_intervals_are_said(low: float | None, high: float | None, text: str) -> None:
    """A census is 'counted', an estimate has both ends, an open end is said."""
    assert text == numbers.interval({"value": 0.5, "low": low, "high": high, "n": 1, "unit": "share"})


def test_a_ratio_to_real_text_is_never_counted() -> None:
    """Such a ratio is an estimate, also when all subsamples agree and its interval is a point."""
    ratio = {"value": 1.0, "low": 1.0, "high": 1.0, "n": 150, "unit": "ratio to anchor-versus-anchor"}
    assert "1.000 – 1.000" == numbers.interval(ratio)
