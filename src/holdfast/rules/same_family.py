"""Same family: synthetic records from a generator of the student's own family.

**What it is.** Synthetic records whose generator belongs to the family of the student, by declaration or by the
table of known model names.

**Why it matters.** Teacher and student share training data, so the teacher adds less than it seems, and a judge of
the same family will not notice.

**When it fires.** Warning on the first such record.

**What to do.** Prefer generators of other families, or at least of a clearly larger scale.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.models.families import family
from holdfast.rules.view import View

SLUG = "same-family"
SEVERITY = "warning above 0"
SOURCE = (
    "self-preference within families: Panickssery et al. 2024 (arXiv 2404.13076), Li et al. 2025 (arXiv 2502.01534)"
)


def check(view: View) -> Iterator[Outcome]:
    """Find synthetic records of the student's family."""
    student = view.settings.student
    own = student and (student.family or family(student.name))
    if not student or not own:
        why = f"the family of {student.name} is not known" if student else "the student is not known"
        supply = "student: {name: ..., family: ...} in the settings" if student else "--student NAME"
        yield NotJudged(SLUG, why, supply)
        return
    members = view.made_by("family", own)
    measured = view.counted(len(members), view.n, family=own)
    if len(members) == 0:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "warning",
        f"{len(members):,} synthetic records come from the student's own family, {own}.",
        "Prefer generators of other families; the student already knows what its family knows.",
        measured,
        view.evidence(members),
        len(members),
    )
