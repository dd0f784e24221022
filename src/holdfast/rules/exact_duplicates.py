"""Exact duplicates: records that are equal after normalisation.

**What it is.** Records beyond the first of each group with the same text, after case folding, folding of white
space, and removal of invisible format characters. Punctuation counts.

**Why it matters.** A repeated record is memorised rather than learned, and it weighs as often as it occurs.

**When it fires.** Warning above 0.5 % of all records, error above 5 %. Real records that `holdfast mix --real-epochs`
repeated carry a mark and are not counted, if an equal real record without one is there; a note says how many there are,
a warning where one is in the set more than 4 times.

**What to do.** `holdfast filter FILE --dedup exact --out DIR` keeps the first of each group.
"""

from collections.abc import Iterator

from holdfast.core.settings import NEARLY_NEW_EPOCHS
from holdfast.core.verdict import Finding, Outcome, Passed, Severity
from holdfast.rules.repetition import Subject, judge
from holdfast.rules.view import View

SLUG = "exact-duplicates"
SEVERITY = "warning above 0.5 %, error above 5 %"
SOURCE = "Lee et al. 2022, Deduplicating training data makes language models better (arXiv 2107.06499)"

WORTH = "Muennighoff et al. 2023, Scaling data-constrained language models (arXiv 2305.16264)"
EPOCHS = "epochs"


def check(view: View) -> Iterator[Outcome]:
    """Count exact duplicates."""
    for outcome in judge(Subject(SLUG, "exact duplicates", "word3"), view.exact.representative, {}, view):
        yield _told(outcome) if isinstance(outcome, Passed) and EPOCHS in outcome.measurement.detail else outcome


def _told(passed: Passed) -> Finding:
    """Say that real records are repeated on purpose, and warn where that is more than they are worth."""
    detail = passed.measurement.detail
    count, most = detail["declared_repeats"], detail[EPOCHS]
    severity: Severity = "warning" if most > NEARLY_NEW_EPOCHS else "note"
    message = f"{count:,} records are declared repeats of real ones, up to {most} times in all."
    advice = (
        f"Up to {NEARLY_NEW_EPOCHS} times real data are nearly as good as new; collect more before you repeat more."
    )
    return Finding(SLUG, severity, message, advice, passed.measurement, evidence_total=count, source=WORTH)
