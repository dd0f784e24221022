"""Doubtful real: records labelled real whose text says that many of them are synthetic.

**What it is.** The estimated synthetic share among the records labelled real, against the real text that was given
and the records labelled synthetic (`holdfast estimate` says how). A number about the set: it names no record.

**Why it matters.** Web text, crowd work and purchased data are labelled real in good faith and are partly written by
models. What stands in for the anchor then moves with the models.

**When it fires.** Warning when the low end of the interval is above 10 % and above what held-out real text is taken
for. Not judged without a reference, or where references and records do not fit.

**What to do.** `holdfast estimate FILE --real F --by source --rank 50` says which source and where to look first. Do
not throw out single records on it.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "doubtful-real"
SEVERITY = "warning when the interval is above 10 % and above the floor"
SOURCE = "Liang et al. 2024 (arXiv 2403.07183); Veselovsky et al. 2023 on crowd work (arXiv 2306.07899)"


def check(view: View) -> Iterator[Outcome]:
    """Hold the labels against the text."""
    if not len(view.labelled_real):
        yield NotJudged(SLUG, "no record is labelled real", "--map origin=COLUMN")
        return
    share = view.authors.shares.get("real")
    if share is None or share.value is None:
        why = view.authors.why or (share.why if share else None) or "there is no estimate"
        yield NotJudged(SLUG, why, "--real FILE with text of the same kind, and records labelled synthetic")
        return
    told = view.authors.told("real")
    measured = Measurement(share.value, share.low, share.high, share.n, "share", detail=told)
    if view.authors.contradicts("real") is None:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "warning",
        f"By their text {share.value:.0%} of the records labelled real are synthetic "
        f"({share.low:.0%} to {share.high:.0%}; held-out real text is taken for at most {view.authors.floor:.0%}).",
        "Ask where they come from: holdfast estimate FILE --real F --by source --rank 50. It names no record as made.",
        measured,
    )
