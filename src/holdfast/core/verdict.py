"""Verdict, Measurement, Finding: what is said about one record, about a set, and against a set.

The four shapes of a part are plain callables; no base class, no decorator, no registration:

    Check      Record -> Verdict
    Metric     batch[, anchor] -> Measurement
    Generator  random source, cell -> iterator of Record
    Rule       view of a data set -> iterator of Outcome
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from holdfast.core.record import Record

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of one record: True, False, or None when it could not be decided.

    What the candidate does wrong is False; a fault of ours, a missing gold answer or a missing part is None.
    `reason` comes from the check's closed vocabulary; `evidence` is plain JSON-ready data.
    """

    ok: bool | None
    reason: str = ""
    score: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number about a set: value, interval, and how many it rests on. A census has low = value = high.

    `value` is None when the number cannot be known from what was given; low and high then bound it.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    encoder: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def census(cls, value: float, n: int, unit: str, **detail: Any) -> "Measurement":
        """A number counted over everything, so that its interval is a point."""
        return cls(value, value, value, n, unit, detail=detail)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record that supports a finding; `other` is the record or model it is held against."""

    id: str
    excerpt: str = ""
    other: str | None = None
    similarity: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken by a data set. `evidence_total` counts all supporting records, also those not listed."""

    rule: str
    severity: Severity
    message: str
    advice: str
    measurement: Measurement | None = None
    evidence: tuple[Evidence, ...] = ()
    evidence_total: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that looked and found nothing to say; its number is still reported."""

    rule: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule that could not look: why, and what to supply so that it can."""

    rule: str
    why: str
    supply: str


Outcome = Finding | Passed | NotJudged
Check = Callable[[Record], Verdict]
Generator = Callable[[Random, Mapping[str, Any]], Iterator[Record]]
