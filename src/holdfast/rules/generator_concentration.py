"""Generator concentration: the share of the synthetic part that one generator made.

**What it is.** The records of the most used generator over all synthetic records. Synthetic records that name no
generator widen the interval upwards.

**Why it matters.** One generator means one set of habits: its openings, its blind spots, its errors. A student
trained on them inherits all of it, and nothing in the set disagrees.

**When it fires.** Warning above 60 %, error when a single generator made everything.

**What to do.** Share the work among two to four generators of different families, with a cap for each
(`generators: [{..., cap: 0.5}]`). A single-generator set is possible only as an accepted risk.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.concentration import Subject, judge
from holdfast.rules.view import View

SLUG = "generator-concentration"
SEVERITY = "warning above 60 %, error at 100 %"
SOURCE = (
    "self-consuming loops: Alemohammad et al. 2023 (arXiv 2307.01850); two to four generators is this project's rule"
)
ADVICE = "Add generators of other families and cap each one, or accept the risk in writing."


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of the most used generator."""
    yield from judge(Subject(SLUG, "generator", ADVICE, SOURCE), view.generators, view)
