"""No diversity filter: nothing shows that anybody ever looked for duplicates among the synthetic records.

**What it is.** 1 when a synthetic record carries no verdict of a duplicate check in its `holdfast` column; 0
otherwise.

**Why it matters.** Skipping the diversity filter is one of the four antipatterns: generators repeat themselves, and
the repetition grows with the size of the run.

**When it fires.** Warning when the value is 1.

**What to do.** Run `holdfast filter FILE --dedup near --out DIR` and train on what it keeps; the verdicts travel
with the records.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "no-diversity-filter"
SEVERITY = "warning"
SOURCE = "question diversity decides more than correctness: Toshniwal et al. 2024 (arXiv 2410.01560)"


def check(view: View) -> Iterator[Outcome]:
    """Look for the verdicts of a duplicate check."""
    if len(view.synthetic) == 0:
        return
    checks = view.data.column("checks").take(pa.array(view.synthetic))
    looked = pc.fill_null(pc.match_substring(checks, "-duplicate"), False)
    missing = len(view.synthetic) - int(pc.sum(looked).as_py())
    measured = Measurement.census(float(missing > 0), len(view.synthetic), "0/1", missing=missing)
    if not missing:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "warning",
        f"{missing:,} synthetic records carry no verdict of a duplicate check.",
        "Run holdfast filter FILE --dedup near --out DIR; the verdicts travel with the records it keeps.",
        measured,
        source=SOURCE,
    )
