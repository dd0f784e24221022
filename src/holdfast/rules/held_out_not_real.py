"""Held-out set not real: the evaluation set holds synthetic records, or cannot be shown to be real.

**What it is.** The share of synthetic and mixed records in the held-out set. Records of unknown origin widen the
interval; unknown is never counted as real.

**Why it matters.** An evaluation set of synthetic text rewards a model for sounding like its teacher.

**When it fires.** Error when a record is synthetic or mixed, or when the text contradicts the labels: its estimated
synthetic share, against the given real text and the records labelled synthetic, is surely above what held-out real
text is taken for, and above 10 %. Warning when records do not state their origin.

**What to do.** Reserve real records (`holdfast reserve`), or add an origin column to the evaluation file.
"""

from collections.abc import Iterator

import pyarrow.compute as pc

from holdfast.core.verdict import Evidence, Finding, Measurement, Outcome, Passed, Severity
from holdfast.rules.view import View

SLUG = "held-out-not-real"
SEVERITY = "error above 0 or when the text looks synthetic; warning when the origin is unknown"
SOURCE = "docs/glossary.md: held-out set"


def check(view: View) -> Iterator[Outcome]:
    """Judge the origin of the held-out records."""
    if view.held_out is None or view.held_out.data.rows == 0:
        return
    origin, n = view.held_out.data.column("origin"), view.held_out.data.rows
    counted = {entry["values"]: entry["counts"] for entry in pc.value_counts(origin.combine_chunks()).to_pylist()}
    unknown = counted.get("unknown", 0)
    made = counted.get("synthetic", 0) + counted.get("mixed", 0)
    value = made / (n - unknown) if n > unknown else None
    detail = {"counts": counted, "estimate": view.authors.told("held-out")}
    measured = Measurement(value, made / n, (made + unknown) / n, n - unknown, "share", detail=detail)
    looks = view.authors.contradicts("held-out")
    if made == 0 and unknown == 0 and looks is None:
        yield Passed(SLUG, measured)
        return
    severity: Severity = "error" if made or looks else "warning"
    what = f"{made:,} are synthetic" if made else f"{unknown:,} do not say that they are real"
    if looks is not None:
        what += f"; by their text {looks.value:.0%} are synthetic ({looks.low:.0%} to {looks.high:.0%})"
    doubtful = pc.indices_nonzero(pc.not_equal(origin.combine_chunks(), "real")).to_pylist()
    names = view.held_out.data.take(doubtful[: view.evidence_limit or None], ("id",)).column("id").to_pylist()
    yield Finding(
        SLUG,
        severity,
        f"Of {n:,} held-out records {what}.",
        "Reserve real records with holdfast reserve, or state their origin in the evaluation file.",
        measured,
        tuple(Evidence(name) for name in names),
        made + unknown,
        SOURCE,
    )
