"""No held-out set: there is no real evaluation set that was kept out of training.

**What it is.** 1 when no evaluation set was given, 0 otherwise.

**Why it matters.** Without a sealed real held-out set nobody can notice that a model narrows. It is the first thing
to make, before anything is generated, and the one thing that cannot be made afterwards.

**When it fires.** Error when the value is 1.

**What to do.** `holdfast reserve REAL --eval 0.1 --out sealed`, then audit with `--eval sealed`.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Finding, Measurement, Outcome, Passed
from holdfast.rules.view import View

SLUG = "no-held-out"
SEVERITY = "error"
SOURCE = "held-out real evaluation as the one safeguard that cannot be added later: docs/architecture.md"


def check(view: View) -> Iterator[Outcome]:
    """Ask for a held-out set."""
    missing = view.held_out is None or view.held_out.data.rows == 0
    measured = Measurement.census(float(missing), 0 if view.held_out is None else view.held_out.data.rows, "0/1")
    if not missing:
        yield Passed(SLUG, measured)
        return
    yield Finding(
        SLUG,
        "error",
        "There is no held-out set of real records, so nobody can notice collapse.",
        "Make one before generating: holdfast reserve REAL --eval 0.1 --out sealed; then audit with --eval sealed.",
        measured,
        source=SOURCE,
    )
