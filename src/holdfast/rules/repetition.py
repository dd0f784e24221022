"""Repetition: the share of records beyond the first of their group. Shared by the duplicate rules."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.core.verdict import Evidence, Finding, Measurement, NotJudged, Outcome, Passed, Severity
from holdfast.dedup.clusters import Ngram
from holdfast.dedup.near import explain
from holdfast.rules.census import REAL
from holdfast.rules.view import View, excerpt, texts_at

# Half a percent is what careful sets have by accident; at 5 % repetition changes what a model memorises
# (Lee et al. 2022, arXiv 2107.06499).
WARNING, ERROR = 0.005, 0.05


class Subject(NamedTuple):
    """Which repetition a rule counts, how to speak of it, and the n-gram that explains a pair.

    Where vectors decided, also their encoder and the similarity of each record to the one that stands for it.
    """

    slug: str
    noun: str
    ngram: Ngram
    encoder: str | None = None
    similarity: np.ndarray | None = None


def judge(subject: Subject, keepers: np.ndarray, detail: Mapping[str, Any], view: View) -> Iterator[Outcome]:
    """Judge how many records another record stands for; `keepers` has one global index per record."""
    if not view.words.any():
        yield NotJudged(subject.slug, "no record holds text", "--map text=COLUMN")
        return
    planned = declared(view)
    rows = np.flatnonzero((keepers != np.arange(view.n)) & ~planned)
    count = len(rows)
    if planned.any():
        detail = {**detail, "declared_repeats": int(planned.sum()), "epochs": int(view.epochs[planned].max())}
    # In a sample most partners of a duplicate were not drawn: what is seen is a lower bound.
    high = None if view.sampled else float(count)
    measured = Measurement(float(count), float(count), high, view.n, "records", subject.encoder, detail)
    share = count / view.n if view.n else 0.0
    if share <= WARNING:
        yield Passed(subject.slug, measured)
        return
    severity: Severity = "error" if share > ERROR else "warning"
    message = f"{count:,} of {view.n:,} records ({share:.1%}) are {subject.noun} of another one."
    kind = subject.slug.removesuffix("-duplicates")
    advice = f"Keep one of each group: holdfast filter FILE --dedup {kind} --out DIR"
    evidence = explained(view, rows, keepers[rows], subject)
    yield Finding(subject.slug, severity, message, advice, measured, evidence, count)


def declared(view: View) -> npt.NDArray[np.bool_]:
    """Return which records are repeats that the mixture meant: real, marked, and each mark once for each original.

    An original is an equal real record without a mark; a mark on anything else excuses nothing.
    """
    found = np.zeros(view.n, np.bool_)
    rows = np.flatnonzero((view.epochs > 1) & (view.origin == REAL))
    if not len(rows):
        return found
    group = view.exact.representative
    originals = np.bincount(group[(view.epochs == 1) & (view.origin == REAL)], minlength=view.n)
    order = rows[np.lexsort((view.epochs[rows], group[rows]))]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1) | np.diff(view.epochs[order], prepend=-1))
    ranks = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    found[order[ranks < originals[group[order]]]] = True
    return found


def explained(view: View, rows: np.ndarray, keepers: np.ndarray, subject: Subject) -> tuple[Evidence, ...]:
    """Return evidence rows that say what each record shares with the one that stands for it."""
    shown = view.evidence_limit or len(rows)
    mine, theirs = (texts_at(view.data, chosen[:shown]).to_pylist() for chosen in (rows, keepers))
    shared = [explain(left, right, subject.ngram) for left, right in zip(mine, theirs, strict=True)]
    alike = [pair.similarity for pair in shared]
    if subject.similarity is not None:
        alike = subject.similarity[rows[:shown]].tolist()
    return view.evidence(
        rows,
        other=view.ids(keepers),
        similarity=[round(value, 4) for value in alike],
        note=[f"both say \u201c{excerpt(pair.excerpt)}\u201d:" if pair.excerpt else None for pair in shared],
    )
