"""Exact duplicates: records that are equal after normalisation.

**What it is.** Records beyond the first of each group with the same text, after case folding, folding of white
space, and removal of invisible format characters. Punctuation counts.

**Why it matters.** A repeated record is memorised rather than learned, and it weighs as often as it occurs.

**When it fires.** Warning above 0.5 % of all records, error above 5 %.

**What to do.** `holdfast filter FILE --dedup exact --out DIR` keeps the first of each group.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.repetition import Subject, judge
from holdfast.rules.view import View

SLUG = "exact-duplicates"
SEVERITY = "warning above 0.5 %, error above 5 %"
SOURCE = "Lee et al. 2022, Deduplicating training data makes language models better (arXiv 2107.06499)"


def check(view: View) -> Iterator[Outcome]:
    """Count exact duplicates."""
    yield from judge(Subject(SLUG, "exact duplicates", "word3"), view.exact.representative, {}, view)
