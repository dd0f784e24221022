"""Leakage: records with a kind of text that should not be in a training set. Shared by the privacy rules."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow.compute as pc

from holdfast.core.verdict import Evidence, Finding, Outcome, Passed, Severity
from holdfast.rules.view import View


class Subject(NamedTuple):
    """Which leaks a rule looks at, how bad one is, and how to speak of it."""

    slug: str
    severity: Severity
    noun: str
    advice: str
    source: str


def judge(subject: Subject, view: View) -> Iterator[Outcome]:
    """Count the records with a leak of one kind; excerpts are masked."""
    hits = view.leaks.filter(pc.equal(view.leaks.column("rule"), subject.slug))
    rows = list(dict.fromkeys(hits.column("record").to_pylist()))
    kinds = Counter(hits.column("kind").to_pylist())
    measured = view.counted(len(rows), view.n, kinds=dict(sorted(kinds.items())))
    if not rows:
        yield Passed(subject.slug, measured)
        return
    found = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    message = f"{subject.noun.capitalize()} in {len(rows):,} of {view.n:,} records: {found}."
    evidence = _evidence(view, rows, hits.to_pylist())
    yield Finding(
        subject.slug, subject.severity, message, subject.advice, measured, evidence, len(rows), subject.source
    )


def _evidence(view: View, rows: list[int], hits: list[dict[str, object]]) -> tuple[Evidence, ...]:
    shown = rows[: view.evidence_limit or None]
    first: dict[object, dict[str, object]] = {}
    for hit in hits:
        first.setdefault(hit["record"], hit)
    names = view.ids(shown)
    return tuple(
        Evidence(name, excerpt=str(first[row]["excerpt"]), note=f"{first[row]['kind']} in {first[row]['column']}")
        for name, row in zip(names, shown, strict=True)
    )
