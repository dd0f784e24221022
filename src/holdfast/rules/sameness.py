"""Sameness: the share of the synthetic records in the largest group of one shape. Shared by two rules."""

from collections.abc import Iterator
from typing import NamedTuple

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.dedup.templates import Cluster
from holdfast.rules.view import View

# Ten times what a varied set shows; below FEWEST records the largest group is large by chance.
HIGH = 0.1
FEWEST = 20


class Subject(NamedTuple):
    """Which shape is compared, and how to speak of it."""

    slug: str
    noun: str
    advice: str


def judge(subject: Subject, view: View) -> Iterator[Outcome]:
    """Judge the share of the largest group."""
    total = len(view.synthetic)
    if total < FEWEST:
        why = f"fewer than {FEWEST} records are labelled synthetic"
        yield NotJudged(subject.slug, why, "more synthetic records, or their labels (--map generator=COLUMN)")
        return
    group: Cluster = getattr(view.template, "opening" if subject.slug == "repeated-openings" else "skeleton")
    count = len(group.members)
    measured = view.share(count, total, text=group.text)
    if count / total <= HIGH:
        yield Passed(subject.slug, measured)
        return
    message = f"{count:,} of {total:,} synthetic records ({count / total:.1%}) {subject.noun}: {group.text!r}."
    yield Finding(subject.slug, "warning", message, subject.advice, measured, view.evidence(group.members), count)
