"""Personal data: records that contain personal data.

**What it is.** Records with e-mail addresses, phone numbers, payment cards, IBANs, national ids, IP addresses
or street addresses. Numbers with a check digit are checked. Excerpts in the report are masked.

**Why it matters.** Models memorise rare strings, and repeat them to strangers.

**When it fires.** Warning on the first such record.

**What to do.** Redact or leave out: holdfast filter FILE --privacy redact --out DIR.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.leakage import Subject, judge
from holdfast.rules.view import View

SLUG = "personal-data"
SEVERITY = "warning above 0"
SOURCE = "own recognisers with measured precision and recall: docs/privacy.md"
ADVICE = "Redact or leave out: holdfast filter FILE --privacy redact --out DIR."


def check(view: View) -> Iterator[Outcome]:
    """Count records with personal data."""
    yield from judge(Subject(SLUG, "warning", "personal data", ADVICE, SOURCE), view)
