"""Unknown origin: records that do not say whether they are real or synthetic.

**What it is.** The share of all records without an origin, a generator, or anything else that tells.

**Why it matters.** Unknown is never counted as real. Every other number about the mixture becomes a range, and the
range is as wide as this share.

**When it fires.** Warning above 0, error above 30 %.

**What to do.** Name the column that tells (`--map origin=COLUMN` or `--map generator=COLUMN`), or label the source
when the data is read.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Outcome, Passed, Severity
from holdfast.rules.view import View

SLUG = "unknown-origin"
SEVERITY = "warning above 0, error above 30 %"
SOURCE = "contracts of this project: unknown is never counted as real"
HIGH = 0.3


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of records of unknown origin."""
    measured = view.share(len(view.unknown), view.n)
    if len(view.unknown) == 0:
        yield Passed(SLUG, measured)
        return
    share = len(view.unknown) / view.n
    severity: Severity = "error" if share > HIGH else "warning"
    yield Finding(
        SLUG,
        severity,
        f"{len(view.unknown):,} of {view.n:,} records ({share:.1%}) do not say whether they are real or synthetic.",
        "Map the column that tells, e.g. --map generator=model, or label each source as it is read.",
        measured,
        view.evidence(view.unknown),
        len(view.unknown),
    )
