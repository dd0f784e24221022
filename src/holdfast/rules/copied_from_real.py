"""Copied from real: synthetic records that repeat a long run of a real record.

**What it is.** Synthetic records with at least 50 consecutive words that also stand in a record labelled real, in
this set or in the given real data.

**Why it matters.** A copy adds nothing new, counts as synthetic, may break the licence of its source, and carries
held-out text into training if the source was held out.

**When it fires.** Warning on the first such record.

**What to do.** Leave the copies out; keep few-shot examples shorter; check what the generator was shown.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "copied-from-real"
SEVERITY = "warning above 0"
SOURCE = "50-token verbatim runs as a sign of memorisation: Carlini et al. 2023 (arXiv 2202.07646)"


def check(view: View) -> Iterator[Outcome]:
    """Find synthetic records that repeat real ones."""
    if len(view.synthetic) == 0 or (len(view.labelled_real) == 0 and view.real is None):
        yield NotJudged(SLUG, "there are no synthetic or no real records to compare", "--real FILE, and origin labels")
        return
    found = view.copied
    rows = [copy.row for copy in found]
    measured = view.counted(len(rows), len(view.synthetic))
    if not rows:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "warning",
        f"{len(rows):,} synthetic records repeat 50 words or more of a real record.",
        "Leave the copies out, and check what real text the generator was shown.",
        measured,
        view.evidence(rows, other=[copy.real for copy in found], note=[f"{copy.words} words" for copy in found]),
        len(rows),
    )
