"""Judge uncalibrated: records that a model judged which nobody had held against people.

**What it is.** Records that carry a verdict of an LLM judge whose agreement with human labels was never measured, or
whose lower bound stayed below the threshold (`filters.judge.min_agreement`, kappa 0.4) for their subset.

**Why it matters.** A judge that does not agree with people keeps what people would not, and throws away what they
would: it sharpens the set to its own taste. Its raw pass rate covers the true one in 2 % of cases where it should in
95 %.

**When it fires.** Error on the first such record. The verdict decided nothing: the record was kept without one.

**What to do.** Label some hundred records (`holdfast review`), name the labels in `filters.judge.labels`, and build
again; or take the judge out of the settings.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Outcome, Passed
from holdfast.rules.judge_family import JUDGED, carrying
from holdfast.rules.view import View

SLUG = "judge-uncalibrated"
SEVERITY = "error above 0"
SOURCE = "Lee et al. 2025 (arXiv 2511.21140); Landis and Koch, Biometrics 33 (1977), for kappa 0.4"


def check(view: View) -> Iterator[Outcome]:
    """Find records whose judge had no power over them."""
    if len(carrying(view, JUDGED)) == 0:
        return
    wanted = view.settings.filters.judge
    unlabelled = wanted is not None and (wanted.labels is None or not view.settings.path(wanted.labels).exists())
    rows = carrying(view, JUDGED if unlabelled else '"judge-uncalibrated":')
    measured = view.counted(len(rows), view.n)
    if len(rows) == 0:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "error",
        f"{len(rows):,} records were judged by a model that has not been shown to agree with people about them.",
        "Label some hundred of them (holdfast review) and name the file in filters.judge.labels.",
        measured,
        view.evidence(rows),
        len(rows),
    )
