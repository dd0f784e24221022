"""Evaluation contamination: records that contain an item of the held-out set.

**What it is.** Training records in which a held-out item is found: 13 words in a row of its question, half of the
question's word 8-grams (a quarter where that is three or more), half of its answer's (a third where that is five or
more), or the whole of a shorter question. Case, punctuation and line breaks do not hide it, nor does text around it.
What more than three items have in common, such as the instructions of a test, names none of them. The rejected side of
preference pairs is searched too. Each record is shown with the item, the words they share and the share of the item
found.

**Why it matters.** A model that has seen the evaluation is not evaluated.

**When it fires.** Error on the first such record.

**What to do.** Leave the records out, find out how they came in, and decontaminate prompts and seeds before
generating (`holdfast filter FILE --eval sealed --out DIR`).
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "eval-contamination"
SEVERITY = "error above 0"
SOURCE = (
    "13-gram overlap: Brown et al. 2020 (arXiv 2005.14165), appendix C; share of 8-grams: Chowdhery et al. 2022 "
    "(arXiv 2204.02311); recall and false alarms: docs/decontamination.md"
)


def check(view: View) -> Iterator[Outcome]:
    """Find held-out items in records."""
    if view.held_out is None or view.held_out.data.rows == 0:
        yield NotJudged(SLUG, "there is no held-out set to look for", "--eval FILE or a sealed folder")
        return
    hits = view.contamination
    rows = np.unique(hits.column("record").to_numpy())
    measured = view.counted(len(rows), view.n, items=len(np.unique(hits.column("item").to_numpy())))
    if not len(rows):
        yield Passed(SLUG, measured)
        return
    shown = list(islice(view.contaminated, view.evidence_limit or None))
    columns = {"other": [hit.item for hit in shown], "note": [hit.why for hit in shown]}
    yield Finding(
        SLUG,
        "error",
        f"{len(rows):,} training records contain an item of the held-out set.",
        "Leave them out (holdfast filter FILE --eval sealed --out DIR) and find out how they came in.",
        measured,
        view.evidence(rows, **columns, similarity=[hit.coverage for hit in shown]),
        len(rows),
    )
