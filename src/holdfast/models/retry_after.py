"""How long an endpoint asks to be left alone: Retry-After in all its forms, and the rate-limit headers of providers.

What cannot be meant (negative, not a number, unreadable) is no answer. It never sleeps and reads no clock.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

CAP = 600.0
"""Longest wait in seconds. Limits are counted by the minute; who asks for more has a daily quota, or a fault. After ten
minutes it is asked again, which costs one request."""

# The parts of "6m0s", "1h", "120ms", "1.5s", as Go writes durations.
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait, at most `CAP`, or None where nothing readable asks for it.

    `retry-after-ms` is the most exact and goes first, then Retry-After. The reset times of requests and tokens count
    only where nothing remains of them, and the later one. Dates are compared with the Date header where there is one,
    so that a wrong clock on either side does not matter, else with `now`.
    """
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    found = _number(lowered.get("retry-after-ms", ""), 1e-3)
    if found is None:
        found = _number(lowered.get("retry-after", ""), 1.0)
    if found is None and (until := _date(lowered.get("retry-after", ""))):
        found = (until - (_date(lowered.get("date", "")) or now)).total_seconds()
    if found is None:
        resets = [_reset(lowered, kind) for kind in ("requests", "tokens")]
        found = max((reset for reset in resets if reset is not None), default=None)
    return None if found is None or found < 0 else min(found, CAP)


def _number(text: str, unit: float) -> float | None:
    return float(text) * unit if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    """Read the three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850 and asctime."""
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _reset(headers: Mapping[str, str], kind: str) -> float | None:
    remaining = _number(headers.get(f"x-ratelimit-remaining-{kind}", ""), 1.0)
    if remaining is None or remaining > 0:
        return None
    text = headers.get(f"x-ratelimit-reset-{kind}", "")
    if (seconds := _number(text, 1.0)) is not None:
        return seconds
    if not text or _DURATION.sub("", text):
        return None
    return math.fsum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))
