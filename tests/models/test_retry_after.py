"""Retry-After and its relatives: every form that endpoints write is understood, everything else is no answer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.retry_after import CAP, retry_after

NOW = datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0), ("0", 0.0), (" 2 ", 2.0), ("1.5", 1.5), (".5", 0.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 30.0), ("Sunday, 06-Nov-94 08:49:37 GMT", 30.0),
        ("Sun Nov  6 08:49:37 1994", 30.0), ("Sun, 06 Nov 1994 09:49:37 +0100", 30.0),
        ("86400", CAP), ("9" * 400, CAP), ("Sun, 06 Nov 2044 08:49:37 GMT", CAP),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: float) -> None:
    """Seconds and the three forms of dates are read, and capped."""
    assert seconds == retry_after({"Retry-After": value}, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "nan",
        "inf",
        "1e3",
        "soon",
        "+5",
        "0x10",
        "1,5",
        "Sun, 06 Nov 1994 08:48:37 GMT",
        "Sun, 99 Foo",
        "\x00",
    ],
)
def test_nothing_is_made_of_nonsense(value: str) -> None:
    """Negative, past, not finite and unreadable values are no answer."""
    assert retry_after({"retry-after": value}, NOW) is None


def test_a_date_is_read_by_the_clock_that_wrote_it() -> None:
    """With a Date header the wait is the difference of the two, whatever our clock says."""
    headers = {"date": "Sun, 06 Nov 1994 08:00:00 GMT", "retry-after": "Sun, 06 Nov 1994 08:00:07 GMT"}
    assert 7.0 == retry_after(headers, NOW)


def test_milliseconds_are_more_exact() -> None:
    """retry-after-ms goes before Retry-After, and nonsense in it does not hide the other."""
    assert 0.12 == retry_after({"retry-after-ms": "120", "Retry-After": "1"}, NOW)
    assert 1.0 == retry_after({"retry-after-ms": "x", "Retry-After": "1"}, NOW)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("6m0s", 360.0), ("120ms", 0.12), ("1h", CAP), ("1.5s", 1.5), ("1m2.5s", 62.5), ("17", 17.0), ("1d", CAP)],
)
@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_a_reset_counts_when_nothing_remains(kind: str, reset: str, seconds: float) -> None:
    """The reset of an exhausted allowance is the wait; that of one with something left is none."""
    headers = {f"X-RateLimit-Remaining-{kind}": "0", f"X-RateLimit-Reset-{kind}": reset}
    assert seconds == pytest.approx(retry_after(headers, NOW))
    assert retry_after({**headers, f"X-RateLimit-Remaining-{kind}": "1"}, NOW) is None
    assert retry_after({f"X-RateLimit-Reset-{kind}": reset}, NOW) is None


def test_the_later_of_two_resets_counts() -> None:
    """With both allowances exhausted the longer wait is the answer."""
    both = {f"x-ratelimit-{what}-{kind}": "0" for what in ("remaining",) for kind in ("requests", "tokens")}
    assert 2.0 == retry_after({**both, "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "2s"}, NOW)


@pytest.mark.parametrize("reset", ["", "-1s", "1 s", "s", "soon", "1h-5m"])
def test_an_unreadable_reset_is_none(reset: str) -> None:
    """A reset that is no duration is no answer."""
    assert retry_after({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset}, NOW) is None


@given(st.dictionaries(st.sampled_from(["retry-after", "date", "retry-after-ms"]), st.text()))
def test_any_text_is_survived(headers: dict[str, str]) -> None:
    """Whatever the headers hold, the answer is None or between 0 and the cap."""
    found = retry_after(headers, NOW)
    assert found is None or 0 <= found <= CAP
