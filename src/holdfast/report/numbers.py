"""Numbers as people read them: percent for shares, separators for counts, no more digits than the data support.

Works on the JSON form of a Measurement, so that every face of a report says the same number the same way.
"""

from collections.abc import Mapping
from typing import Any

DASH = "\u2013"
NOT_KNOWN = "not known"


def count(value: float) -> str:
    """1204 -> '1,204'; a fraction keeps three significant digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    """0.6801 -> '68.0%'; a part is never shown as 0% or 100%, however small or nearly whole it is."""
    share = 100 * value
    if share in (0, 100):
        return f"{share:.0f}%"
    if 0 < share < 0.001 or 99.99 < share < 100:
        return "<0.001%" if share < 1 else ">99.99%"
    if abs(share) < 1:
        return f"{share:.2g}%"
    return f"{share:.2f}%" if 99.95 <= share < 100 else f"{share:.1f}%"


def number(value: float, unit: str) -> str:
    """One bare number in its unit: a percentage, a ratio, yes or no, or a count."""
    if unit == "share":
        return percent(value)
    if is_ratio(unit):
        return f"{value:.3f}" if abs(value) < 10 else count(value)
    if unit == "0/1":
        return "yes" if value else "no"
    return count(value)


def value(measurement: Mapping[str, Any]) -> str:
    """The value with its unit where the unit is a noun ('17 records'), or 'not known'."""
    if measurement["value"] is None:
        return NOT_KNOWN
    unit = measurement["unit"]
    text = number(measurement["value"], unit)
    if unit in ("share", "0/1", "") or is_ratio(unit):
        return text
    return f"{text} {unit.removesuffix('s') if measurement['value'] == 1 else unit}"


def is_ratio(unit: str) -> bool:
    """True for 'ratio' and for 'ratio to ...'."""
    return unit.split(" ", maxsplit=1)[0] == "ratio"


def is_counted(measurement: Mapping[str, Any]) -> bool:
    """True for a census: the number was counted over everything and its interval is a point. No ratio is one."""
    if measurement["value"] is None or is_ratio(measurement["unit"]):
        return False
    return bool(measurement["low"] == measurement["high"] == measurement["value"])


def interval(measurement: Mapping[str, Any]) -> str:
    """'66.1% \u2013 69.8%' for an estimate, 'counted' for a census, '' where no interval was given."""
    low, high = measurement["low"], measurement["high"]
    if is_counted(measurement):
        return "counted"
    if low is None:
        return ""
    if high is None:
        return f"at least {number(low, measurement['unit'])}"
    return span(low, high, measurement["unit"])


def span(low: float, high: float, unit: str) -> str:
    """'66.1% \u2013 69.8%': two numbers and a dash."""
    return f"{number(low, unit)} {DASH} {number(high, unit)}"


def plural(amount: int, noun: str) -> str:
    """'1 error', '2 errors', '1,204 records'."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
