"""Family concentration: the share of the synthetic part that one model family made.

**What it is.** Generators are grouped by model family: as declared in the data, else from the table of known model
names. Two sizes of one model are one family. A name the table does not know is counted as unnamed, never guessed,
and widens the interval upwards.

**Why it matters.** Models of one family share training data and habits, so two of them disagree less than they
seem to.

**When it fires.** Warning above 60 %, error when a single family made everything.

**What to do.** Add a generator of another family; declare the family of fine-tunes (`generators: [{family: ...}]`).
"""

from collections import Counter
from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.concentration import Subject, judge
from holdfast.rules.view import View

SLUG = "family-concentration"
SEVERITY = "warning above 60 %, error at 100 %"
SOURCE = "preference leakage within families: Li et al. 2025 (arXiv 2502.01534)"
ADVICE = "Add a generator that was trained on another corpus; two sizes of one model do not count as two."


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of the most used model family."""
    families: Counter[str | None] = Counter()
    for (_, family), count in view.makers.items():
        families[family] += count
    yield from judge(Subject(SLUG, "family", ADVICE, SOURCE), families, view)
