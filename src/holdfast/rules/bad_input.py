"""Bad input: rows that could not be read and were set aside.

**What it is.** Lines in quarantine: broken JSON, bytes that are not UTF-8, numbers that would change, doubled keys,
lines beyond the size or depth limit. The good rows around them were read.

**Why it matters.** What cannot be read is not audited, and it may be what matters. Other readers change or drop such
rows without a word.

**When it fires.** Error above `--max-bad` (default 0).

**What to do.** Each piece of evidence names file, line, column and reason: mend the source, or allow a number of
bad lines with `--max-bad`.
"""

from collections.abc import Iterator

from holdfast.core.dataset import Quarantined
from holdfast.core.verdict import Evidence, Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "bad-input"
SEVERITY = "error above --max-bad"
SOURCE = "the loader matrix of this project: core/reader.py"


def check(view: View) -> Iterator[Outcome]:
    """Count the rows in quarantine."""
    bad = view.data.quarantine
    measured = Measurement.census(len(bad), view.n + len(bad), "lines")
    if len(bad) <= view.max_bad:
        yield Passed(SLUG, measured)
        return
    shown = bad[: view.evidence_limit or None]
    yield Finding(
        SLUG,
        "error",
        f"Lines that could not be read: {len(bad):,}, the first at {_place(bad[0])}.",
        "Mend the source, or allow bad lines with --max-bad N. The good rows were read.",
        measured,
        tuple(Evidence(id=f"{row.file}:{row.line}", note=_place(row)) for row in shown),
        len(bad),
    )


def _place(row: Quarantined) -> str:
    return f"{row.file}:{row.line}:{row.column} {row.reason}"
