"""Evaluation paraphrases: records that say what an item of the held-out set says, in other words.

**What it is.** Training records whose vector has a cosine of 0.85 or more to that of a held-out item, or 0.7 where they
hold four in ten of its pairs of neighbouring words, and in which no run of the item's words was found: those are
`eval-contamination`. Whole records are compared with whole items, so a paraphrase inside a long record is not found.
How many are found and how many found wrongly stands in docs/encoders.md and docs/decontamination.md.

**Why it matters.** Rewriting a benchmark's questions hides them from every search for words, and a model trained on
them is still not evaluated.

**When it fires.** Warning on the first such record: the encoder says that two texts are near, and a person must say
whether one gives the other away. Not judged without a held-out set or without a semantic encoder.

**What to do.** Read the pairs, and leave out what gives an item away.
"""

from collections.abc import Iterator

import numpy as np

from holdfast.core.errors import MissingExtraError
from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed
from holdfast.dedup.reworded import NEAR, WORDED
from holdfast.dedup.semantic import PARAPHRASE
from holdfast.rules.semantic_duplicates import NO_ENCODER, SUPPLY
from holdfast.rules.view import View

SLUG = "eval-paraphrases"
SEVERITY = "warning above 0"
SOURCE = "rephrased benchmark items pass n-gram search: Yang et al. 2023 (arXiv 2311.04850)"


def check(view: View) -> Iterator[Outcome]:
    """Find records near held-out items that hold none of their words in a run."""
    if view.held_out is None or view.held_out.data.rows == 0:
        yield NotJudged(SLUG, "there is no held-out set to look for", "--eval FILE or a sealed folder")
        return
    if view.semantic_spec is None:
        yield NotJudged(SLUG, NO_ENCODER, SUPPLY)
        return
    try:
        found = view.paraphrases
    except MissingExtraError as error:
        yield NotJudged(SLUG, error.what, error.remedy)
        return
    verbatim = view.contamination.column("record").to_numpy()
    best = np.lexsort((-found.similarity, found.record))
    rows, first = np.unique(found.record[best], return_index=True)
    rewritten = ~np.isin(rows, verbatim)
    rows, nearest = rows[rewritten], best[first[rewritten]]
    detail = {
        "items": len(np.unique(found.item[nearest])),
        "threshold": PARAPHRASE,
        "threshold_with_words": NEAR,
        "words": WORDED,
    }
    high = None if view.sampled else float(len(rows))
    measured = Measurement(float(len(rows)), float(len(rows)), high, view.n, "records", view.encoder.name, detail)
    if not len(rows):
        yield Passed(SLUG, measured)
        return
    yield _finding(view, rows, (found.item[nearest], found.similarity[nearest]), measured)


def _finding(view: View, rows: np.ndarray, nearest: tuple[np.ndarray, np.ndarray], measured: Measurement) -> Finding:
    items, similarity = nearest
    limit = view.evidence_limit or len(rows)
    others = view.held_out.data.take(items[:limit], ("id",)).column("id").to_pylist() if view.held_out else []
    alike = [round(float(value), 4) for value in similarity]
    evidence = view.evidence(rows, other=others, similarity=alike, note=["paraphrase"] * len(rows))
    return Finding(
        SLUG,
        "warning",
        f"{len(rows):,} training records are near a held-out item in meaning, though not in words.",
        "Read the pairs; leave out the records that give an item away.",
        measured,
        evidence,
        len(rows),
    )
