"""Concentration: how much of the synthetic part the largest group made. Shared by the two concentration rules."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed, Severity
from holdfast.rules.view import View

# Two to four generators should share the work: of two that share it evenly the largest has half.
HIGH = 0.6


class Subject(NamedTuple):
    """Which groups are compared, and how to speak of them."""

    slug: str
    noun: str
    advice: str
    source: str


def judge(subject: Subject, groups: Counter[str | None], view: View) -> Iterator[Outcome]:
    """Judge the share of the largest named group among the synthetic records.

    Records that name no group bound the share from above: they may all belong to the largest.
    """
    total, unnamed = groups.total(), groups[None]
    named = Counter({name: count for name, count in groups.items() if name is not None})
    if not named:
        if total:
            supply = f"a {subject.noun} column (--map {subject.noun}=COLUMN)"
            yield NotJudged(subject.slug, f"no synthetic record names its {subject.noun}", supply)
        return
    largest, count = min(named.items(), key=lambda item: (-item[1], item[0]))
    measured = _measured(view, named, count, total, unnamed)
    if count / total <= HIGH:
        yield Passed(subject.slug, measured)
        return
    severity: Severity = "error" if count == total else "warning"
    message = f"{largest} made {count:,} of {total:,} synthetic records ({count / total:.1%})."
    members = view.made_by(subject.noun, largest)
    evidence = view.evidence(members)
    yield Finding(subject.slug, severity, message, subject.advice, measured, evidence, len(members), subject.source)


def _measured(view: View, named: Counter[str], count: int, total: int, unnamed: int) -> Measurement:
    share = view.share(count, total)
    ranked = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    detail = {"counts": dict(ranked), "shares": {name: made / total for name, made in ranked}, "cap": HIGH}
    high = (count + unnamed) / total if unnamed else share.high
    return Measurement(share.value, share.low, high, total, "share", detail=detail)
