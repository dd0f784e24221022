"""Near-duplicates: records that share most of their word 3-grams.

**What it is.** Records whose word 3-grams have a Jaccard similarity of 0.5 or more with a record that is kept for
them. Exact duplicates are included. Every pair is verified exactly; no sketch decides. The report shows the count as a
curve over thresholds, because no single threshold is right for every text. Kept are real records before others, and
among these verified before unverified ones.

Words are compared, signs are not: texts that differ in a sign alone, such as 7 + 3 and 7 - 3, look alike. For
mathematics and code set `filters.dedup.near.ngram: symbol3` (`--ngram symbol3`), where each sign counts as a word. It
is not the default, because in prose changed punctuation makes no new text; docs/dedup.md has the figures.

**Why it matters.** Generators repeat themselves with small changes that exact comparison does not see.

**When it fires.** Warning above 0.5 % of all records, error above 5 %.

**What to do.** `holdfast filter FILE --dedup near --out DIR`; each rejected record names its keeper, which it is
similar to itself, and what they share. Look at the largest cluster first: of a long chain several records are kept.
"""

from collections.abc import Iterator

import numpy as np

from holdfast.core.verdict import Outcome
from holdfast.rules.repetition import Subject, judge
from holdfast.rules.view import View

SLUG = "near-duplicates"
SEVERITY = "warning above 0.5 %, error above 5 %"
SOURCE = "Jaccard resemblance: Broder 1997; effect on training: Lee et al. 2022 (arXiv 2107.06499)"


def check(view: View) -> Iterator[Outcome]:
    """Count the records that the filter of the same settings would take out."""
    clusters = view.near.clusters()
    detail = {
        "curve": [[level, count] for level, count in view.near.curve()],
        "clusters": clusters.count,
        "largest": clusters.largest,
        "chained": int(np.count_nonzero(clusters.chained)),
        "ngram": view.near_spec.ngram,
        "threshold": view.near_spec.threshold,
        "skipped": view.near.skipped,
        "recall": view.near.recall,
    }
    yield from judge(Subject(SLUG, "near-duplicates", view.near_spec.ngram), view.near.keepers().keeper, detail, view)
