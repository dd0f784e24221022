"""Template clusters: synthetic records that share one sentence skeleton.

**What it is.** The share of the synthetic records in the largest group with the same sentence skeleton: numbers and
names replaced by placeholders, everything else equal.

**Why it matters.** Records that differ only in names and numbers teach one thing many times.

**When it fires.** Warning above 10 % of the synthetic records.

**What to do.** Vary the template, or keep a few records of each skeleton.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.sameness import Subject, judge
from holdfast.rules.view import View

SLUG = "template-clusters"
SEVERITY = "warning above 10 %"
SOURCE = "repetition and templates in generated text: Shaib et al. 2024 (arXiv 2403.00553)"
ADVICE = "Vary the template, or keep a few records of each skeleton."


def check(view: View) -> Iterator[Outcome]:
    """Judge the largest group of synthetic records that share one sentence skeleton."""
    yield from judge(Subject(SLUG, "share one sentence skeleton", ADVICE), view)
