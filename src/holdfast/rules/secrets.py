"""Secrets: records that contain keys, tokens or passwords.

**What it is.** Records with API keys, access tokens, private keys or passwords, found by their public prefixes
and shapes. Documented placeholders are not counted. Excerpts in the report are masked.

**Why it matters.** A published secret is a broken one, and a model that has learned it will give it away.

**When it fires.** Error on the first such record.

**What to do.** Revoke each one, then leave the records out.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.leakage import Subject, judge
from holdfast.rules.view import View

SLUG = "secrets"
SEVERITY = "error above 0"
SOURCE = "key prefixes as published by their issuers: privacy/secrets.py"
ADVICE = "Revoke each one, then leave the records out."


def check(view: View) -> Iterator[Outcome]:
    """Count records with keys, tokens or passwords."""
    yield from judge(Subject(SLUG, "error", "keys, tokens or passwords", ADVICE, SOURCE), view)
