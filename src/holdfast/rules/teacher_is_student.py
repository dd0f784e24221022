"""Teacher is student: records written by the model that will be trained on them, or by its earlier checkpoint.

**What it is.** Records whose generator is the student itself, a checkpoint of the same training run, or a model
listed under `student: previous`.

**Why it matters.** A model trained on its own output can only confirm what it already believes. This is the
self-consuming loop in its purest form: without fresh real data, quality or diversity must fall.

**When it fires.** Error on the first such record.

**What to do.** Leave these records out, or make them again with a model of another family.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.models.families import same_lineage
from holdfast.rules.view import View

SLUG = "teacher-is-student"
SEVERITY = "error above 0"
SOURCE = "Shumailov et al. 2024 (Nature 631:755); Alemohammad et al. 2023 (arXiv 2307.01850)"


def check(view: View) -> Iterator[Outcome]:
    """Find generators that are the student or its ancestor."""
    student = view.settings.student
    if student is None:
        yield NotJudged(SLUG, "the student is not known", "--student NAME")
        return
    related = {name: same_lineage(name, student.name, student.previous) for name in view.generators if name}
    guilty = sorted(name for name, relation in related.items() if relation is not None)
    members = view.made_by("generator", *guilty)
    measured = view.counted(len(members), view.n, generators=guilty)
    if not guilty:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "error",
        f"{len(members):,} records were written by {', '.join(guilty)}: the student {student.name} or its ancestor.",
        "Leave these records out, or have a model of another family write them again.",
        measured,
        view.evidence(members, other=[student.name] * len(members)),
        len(members),
    )
