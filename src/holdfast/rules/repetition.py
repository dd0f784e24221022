"""Repetition: the share of records beyond the first of their group. Shared by the duplicate rules."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed, Severity
from holdfast.rules.view import View

# Half a percent is what careful sets have by accident; at 5 % repetition changes what a model memorises
# (Lee et al. 2022, arXiv 2107.06499).
WARNING, ERROR = 0.005, 0.05


class Repeats(NamedTuple):
    """Which records repeat which, and how alike they are."""

    rows: np.ndarray
    keepers: np.ndarray
    similarity: np.ndarray
    detail: Mapping[str, Any] = {}


def judge(slug: str, noun: str, repeats: Repeats, view: View) -> Iterator[Outcome]:
    """Judge how many records are beyond the first of their group."""
    count = len(repeats.rows)
    # In a sample most partners of a duplicate were not drawn: what is seen is a lower bound.
    high = None if view.sampled else float(count)
    measured = Measurement(float(count), float(count), high, view.n, "records", detail=repeats.detail)
    share = count / view.n if view.n else 0.0
    if share <= WARNING:
        yield Passed(slug, measured)
        return
    severity: Severity = "error" if share > ERROR else "warning"
    shown = view.evidence_limit or count
    yield Finding(
        slug,
        severity,
        f"{count:,} of {view.n:,} records ({share:.1%}) are {noun} of an earlier one.",
        f"Keep one of each group: holdfast filter FILE --dedup {slug.removesuffix('-duplicates')} --out DIR",
        measured,
        view.evidence(
            repeats.rows,
            other=view.ids(repeats.keepers),
            similarity=[round(float(value), 4) for value in repeats.similarity[:shown]],
        ),
        count,
    )
