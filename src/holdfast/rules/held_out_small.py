"""Held-out set too small: the smallest drop in accuracy it would notice.

**What it is.** The smallest drop that an evaluation on this many records notices with 80 % power at the 5 % level,
one-sided, two independent runs, at an accuracy of 50 % where the noise is largest. In share of records, so 0.05 is
five points.

**Why it matters.** A set of 60 records cannot see a drop of less than about 22 points. A model can collapse a good
deal below that line and every evaluation will say that nothing changed.

**When it fires.** Warning when the smallest drop is above 5 points.

**What to do.** Reserve more: about 1,240 records see 5 points, about 7,700 see 2.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View
from holdfast.stats.proportion import smallest_drop

SLUG = "held-out-small"
SEVERITY = "warning above 0.05"
SOURCE = "two-proportion power calculation, Fleiss, Levin and Paik 2003, ch. 4; stats/proportion.py"
LARGEST = 0.05


def check(view: View) -> Iterator[Outcome]:
    """Judge the power of the held-out set."""
    if view.held_out is None or view.held_out.data.rows == 0:
        return
    n = view.held_out.scored
    drop = smallest_drop(n)
    measured = Measurement.census(drop, n, "share", power=0.8, alpha=0.05)
    if drop <= LARGEST:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "warning",
        f"The held-out set has {n:,} records: it notices a drop of {drop * 100:.1f} points or more with 80% power.",
        "Reserve more real records; about 1,240 notice 5 points.",
        measured,
        source=SOURCE,
    )
