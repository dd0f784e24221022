"""Empty input: there is nothing to audit.

**What it is.** 1 when no record was read, 0 otherwise.

**Why it matters.** An empty set passes every other rule. It is not clean, it is empty.

**When it fires.** Error when the value is 1.

**What to do.** Check the path, the glob and the quarantine.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "empty-input"
SEVERITY = "error"
SOURCE = "contracts of this project: an empty input is said and is not clean"


def check(view: View) -> Iterator[Outcome]:
    """Refuse to call nothing clean."""
    measured = Measurement.census(float(view.n == 0), view.n, "0/1")
    if view.n:
        yield Passed(SLUG, measured)
        return
    names = ", ".join(item.path for item in view.data.inputs) or "the input"
    yield Finding(SLUG, "error", f"{names} holds no readable record.", "Check the path and the bad lines.", measured)
