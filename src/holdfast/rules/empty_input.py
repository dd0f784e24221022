"""Empty input: there is nothing to audit.

**What it is.** 1 when no record was read, or none of them holds a word of text; 0 otherwise.

**Why it matters.** An empty set passes every other rule. It is not clean, it is empty.

**When it fires.** Error when the value is 1.

**What to do.** Check the path, the glob and the quarantine; name the column that holds text (`--map text=COLUMN`).
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "empty-input"
SEVERITY = "error"
SOURCE = "contracts of this project: an empty input is said and is not clean"


def check(view: View) -> Iterator[Outcome]:
    """Refuse to call nothing clean."""
    empty = view.n == 0 or not view.words.any()
    measured = Measurement.census(float(empty), view.n, "0/1")
    if not empty:
        yield Passed(SLUG, measured)
        return
    names = ", ".join(item.path for item in view.data.inputs) or "the input"
    message, advice = f"{names} holds no readable record.", "Check the path and the bad lines."
    if view.n:
        message, advice = f"None of {view.n:,} records holds text.", "Name the column that does: --map text=COLUMN."
    yield Finding(SLUG, "error", message, advice, measured)
