"""Near-duplicates: records that share most of their word 3-grams.

**What it is.** Records beyond the first of each cluster of pairs with Jaccard similarity of their word 3-grams at or
above 0.5. Exact duplicates are included. Every pair is verified exactly; no sketch decides. The report shows the
count as a curve over thresholds, because no single threshold is right for every text.

Only words are compared: short texts that differ in a sign alone, such as 7 + 3 and 7 - 3, look alike.

**Why it matters.** Generators repeat themselves with small changes that exact comparison does not see.

**When it fires.** Warning above 0.5 % of all records, error above 5 %.

**What to do.** `holdfast filter FILE --dedup near --out DIR`; each rejected record names its keeper and what they
share. Look at the largest cluster first: long chains are reported, not dropped silently.
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
    """Count near-duplicates under the definition of the settings."""
    clusters = view.near.clusters()
    detail = {
        "curve": [[level, count] for level, count in view.near.curve()],
        "clusters": clusters.count,
        "largest": clusters.largest,
        "chained": int(np.count_nonzero(clusters.chained)),
        "ngram": view.near.spec.ngram,
        "threshold": view.near.spec.threshold,
        "skipped": view.near.skipped,
        "recall": view.near.recall,
    }
    yield from judge(Subject(SLUG, "near-duplicates", view.near.spec.ngram), clusters.representative, detail, view)
