"""Held-out set tampered with: the sealed records are not the ones that were sealed.

**What it is.** 1 when a record of a sealed held-out set was changed, added or removed since it was sealed; 0 when
everything matches the seal.

**Why it matters.** The seal is what makes an evaluation comparable over time, and honest.

**When it fires.** Error when the value is 1.

**What to do.** Restore the sealed file, or reserve and seal again and start a new series of evaluations.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Evidence, Finding, Measurement, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "held-out-tampered"
SEVERITY = "error"
SOURCE = "content digests, BLAKE2b (RFC 7693); dedup/seal.py"


def check(view: View) -> Iterator[Outcome]:
    """Compare the held-out records with their seal."""
    if view.held_out is None or view.held_out.data.rows == 0:
        return
    if view.held_out.seal is None:
        yield NotJudged(SLUG, "the held-out set has no seal", "a set made with holdfast reserve")
        return
    broken = view.held_out.broken
    measured = Measurement.census(float(bool(broken)), view.held_out.data.rows, "0/1")
    if not broken:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "error",
        f"The held-out set does not match its seal: {broken[0]}.",
        "Restore the sealed file, or reserve again and start a new series of evaluations.",
        measured,
        tuple(Evidence(id=text) for text in broken[: view.evidence_limit or None]),
        len(broken),
    )
