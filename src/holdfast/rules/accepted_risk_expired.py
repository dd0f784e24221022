"""Accepted risk expired: somebody accepted a finding until a date that has passed.

**What it is.** Entries of `accepted_risks` whose `until` lies before today.

**Why it matters.** Risk is accepted in writing, by somebody, for a time. An expired entry is a finding that nobody
answers for.

**When it fires.** Error on the first expired entry; the finding it covered counts again.

**What to do.** Mend the cause, or have the owner renew the entry.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from holdfast.core.verdict import Evidence, Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "accepted-risk-expired"
SEVERITY = "error above 0"
SOURCE = "docs/glossary.md: accepted risk"


def check(view: View) -> Iterator[Outcome]:
    """Find expired entries."""
    risks = view.settings.accepted_risks
    if not risks:
        return
    today = datetime.now(UTC).date()
    expired = [risk for risk in risks if risk.until < today]
    measured = Measurement.census(len(expired), len(risks), "entries")
    if not expired:
        yield Passed(SLUG, measured)
        return
    first = expired[0]
    yield Finding(
        SLUG,
        "error",
        f"The acceptance of {first.rule} by {first.owner} ended on {first.until}.",
        "Mend the cause, or have the owner renew the entry in accepted_risks.",
        measured,
        tuple(Evidence(id=risk.rule, note=f"{risk.owner}, until {risk.until}: {risk.reason}") for risk in expired),
        len(expired),
    )
