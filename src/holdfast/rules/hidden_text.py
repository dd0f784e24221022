"""Hidden text: records that contain text that people cannot see.

**What it is.** Records with zero-width characters, bidirectional controls or invisible tag characters where no
script needs them, with letters of another script that look like Latin ones inside a Latin word, or with comments of
markup in text that is not markup.

**Why it matters.** A reviewer and a model read different texts. It is a way to plant triggers and instructions.

**When it fires.** Warning on the first such record.

**What to do.** Look at the bytes, then strip or leave out: it is how instructions are smuggled into data.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.leakage import Subject, judge
from holdfast.rules.view import View

SLUG = "hidden-text"
SEVERITY = "warning above 0"
SOURCE = "Boucher and Anderson 2021, Trojan Source (arXiv 2111.00169)"
ADVICE = "Look at the bytes, then strip or leave out: it is how instructions are smuggled into data."


def check(view: View) -> Iterator[Outcome]:
    """Count records with text that people cannot see."""
    yield from judge(Subject(SLUG, "warning", "text that people cannot see", ADVICE, SOURCE), view)
