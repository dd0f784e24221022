"""Synthetic depth: how many synthetic generations lie between a record and real data.

**What it is.** The largest `depth` of any record: 0 is real, 1 was made from real data by a model, 2 was made from
records of depth 1, and so on.

**Why it matters.** Errors compound with every generation. In replacement chains the expected number of surviving
rare items falls roughly as 2/m after m generations.

**When it fires.** Warning above 1.

**What to do.** Seed generators with real records; leave out what was made from synthetic data.
"""

from collections.abc import Iterator

import numpy as np

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed
from holdfast.rules.view import View

SLUG = "synthetic-depth"
SEVERITY = "warning above 1"
SOURCE = "critical branching of tail items: Suresh et al. 2024 (arXiv 2412.17646), stats/dose.py"


def check(view: View) -> Iterator[Outcome]:
    """Judge the largest synthetic depth."""
    depth = view.data.column("depth").to_numpy(zero_copy_only=False).astype(np.float64)
    known = np.isfinite(depth)
    if not known.any():
        yield NotJudged(SLUG, "no record states its synthetic depth", "a depth column, or records built by holdfast")
        return
    deepest = int(depth[known].max())
    measured = Measurement.census(deepest, int(known.sum()), "generations")
    if deepest <= 1:
        yield Passed(SLUG, measured)
        return
    members = np.flatnonzero(known & (depth > 1))
    yield Finding(
        SLUG,
        "warning",
        f"{len(members):,} records were made from synthetic data; the deepest is {deepest} generations from real data.",
        "Seed generators with real records, and leave out synthetic data made from synthetic data.",
        measured,
        view.evidence(members, note=[f"depth {int(depth[row])}" for row in members]),
        len(members),
    )
