"""Evaluation contamination: records that contain an item of the held-out set.

**What it is.** Training records in which a held-out item is found: a run of 13 of its words, or half of its word
8-grams, or the whole of a shorter item. Case, punctuation and line breaks do not hide it, nor does text around it.
The rejected side of preference pairs is searched too.

**Why it matters.** A model that has seen the evaluation is not evaluated.

**When it fires.** Error on the first such record.

**What to do.** Leave the records out, find out how they came in, and decontaminate prompts and seeds before
generating (`holdfast filter FILE --eval sealed --out DIR`).
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "eval-contamination"
SEVERITY = "error above 0"
SOURCE = "13-gram overlap: Brown et al. 2020 (arXiv 2005.14165), appendix C; containment rule: dedup/decontaminate.py"


def check(view: View) -> Iterator[Outcome]:
    """Find held-out items in records."""
    if view.held_out is None or view.held_out.data.rows == 0:
        yield NotJudged(SLUG, "there is no held-out set to look for", "--eval FILE or a sealed folder")
        return
    hits = view.contamination
    first: dict[int, int] = {}
    for row, item in zip(hits.column("record").to_pylist(), hits.column("item").to_pylist(), strict=True):
        first.setdefault(row, item)
    rows = sorted(first)
    measured = view.counted(len(rows), view.n, items=len(set(hits.column("item").to_pylist())))
    if not rows:
        yield Passed(SLUG, measured)
        return
    shown = rows[: view.evidence_limit or None]
    others = view.held_out.data.take([first[row] for row in shown], ("id",)).column("id").to_pylist()
    yield Finding(
        SLUG,
        "error",
        f"{len(rows):,} training records contain an item of the held-out set.",
        "Leave them out (holdfast filter FILE --eval sealed --out DIR) and find out how they came in.",
        measured,
        view.evidence(rows, other=others),
        len(rows),
    )
