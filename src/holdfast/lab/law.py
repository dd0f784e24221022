"""A law of collapse as a check: its source, and lines of expected, tolerated and measured values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a law: it holds when `low` <= measured <= `high`."""

    what: str
    expected: float
    measured: float
    low: float
    high: float

    @property
    def ok(self) -> bool:
        """Whether the measured value is tolerated; one that is not a number is not."""
        return bool(self.low <= self.measured <= self.high)


def near(what: str, expected: float, measured: float, relative: float) -> Line:
    """A line with a relative tolerance."""
    return close(what, expected, measured, abs(expected) * relative)


def close(what: str, expected: float, measured: float, absolute: float) -> Line:
    """A line with an absolute tolerance."""
    return Line(what, expected, float(measured), expected - absolute, expected + absolute)


def at_most(what: str, expected: float, measured: float) -> Line:
    """A line that may be smaller."""
    return Line(what, expected, float(measured), float("-inf"), expected)


def at_least(what: str, expected: float, measured: float) -> Line:
    """A line that may be larger."""
    return Line(what, expected, float(measured), expected, float("inf"))


@dataclass(frozen=True, slots=True)
class Law:
    """A law and how it is checked. `check(full)` measures; `reduced` says what is then smaller, if anything."""

    number: int
    name: str
    source: str
    check: Callable[[bool], list[Line]]
    reduced: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A law after its check; `full` says at which size."""

    law: Law
    lines: tuple[Line, ...]
    full: bool

    @property
    def ok(self) -> bool:
        """Whether all its lines hold."""
        return bool(self.lines) and all(line.ok for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data, a number of numpy as Python's; an open end of a tolerance is null."""
        return {
            "number": self.law.number,
            "name": self.law.name,
            "source": self.law.source,
            "ok": self.ok,
            "size": "full" if self.full or not self.law.reduced else self.law.reduced,
            "lines": [
                {
                    "what": line.what,
                    "expected": float(line.expected),
                    "measured": float(line.measured),
                    "low": float(line.low) if line.low > float("-inf") else None,
                    "high": float(line.high) if line.high < float("inf") else None,
                    "ok": line.ok,
                }
                for line in self.lines
            ],
        }
