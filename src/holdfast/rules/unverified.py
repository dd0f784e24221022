"""Unverified: synthetic records that a verifier could have checked and none did.

**What it is.** The share of synthetic records in verifiable domains (code, mathematics, structured output,
instructions, translation) without a verdict of a verifier.

**Why it matters.** Verified synthetic data does not collapse the way unverified data does: a verifier puts outside
information back into the loop. It also only converges to what the verifier knows.

**When it fires.** Warning above 10 %. The measurement also says how many of these records carry a verdict that
failed: they were rejected once and stand among the kept ones.

**What to do.** `holdfast verify FILE --out DIR`; give gold answers or tests where there are none.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.domain import VERIFIABLE
from holdfast.core.verdict import Finding, Outcome, Passed
from holdfast.rules.view import View

SLUG = "unverified"
SEVERITY = "warning above 10 %"
SOURCE = "Feng et al. 2024 (arXiv 2406.07515); Yi et al. 2025 (arXiv 2510.16657)"
HIGH = 0.1
# What says nothing of truth: that filters looked, and what a judge thinks.
NO_VERIFIER = (
    r'"(?:[a-z]+-duplicate|eval-contamination|personal-data|secrets|nothing-new|judge[a-z-]*)":\s*(true|false|null),?'
)


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of unverified records in verifiable domains."""
    rows = view.synthetic[np.isin(view.domain[view.synthetic], sorted(VERIFIABLE))]
    if len(rows) == 0:
        return
    checks = pc.fill_null(view.data.column("checks").take(pa.array(rows)), "")
    decided = pc.match_substring_regex(pc.replace_substring_regex(checks, NO_VERIFIER, ""), r":\s*(true|false)")
    missing = rows[~decided.to_numpy(zero_copy_only=False).astype(bool)]
    failed = pc.match_substring_regex(pc.replace_substring_regex(checks, NO_VERIFIER, ""), r":\s*false")
    share, refused = view.share(len(missing), len(rows)), int(pc.sum(failed).as_py() or 0)
    measured = replace(share, detail={**share.detail, "failed": refused}) if refused else share
    if len(missing) / len(rows) <= HIGH:
        yield Passed(SLUG, measured)
        return
    kinds = ", ".join(sorted(set(view.domain[missing])))
    yield Finding(
        SLUG,
        "warning",
        f"{len(missing):,} of {len(rows):,} synthetic records in verifiable domains ({kinds}) were never verified.",
        "Give gold answers or tests beside the records, then run holdfast verify FILE --out DIR.",
        measured,
        view.evidence(missing, note=[str(kind) for kind in view.domain[missing]]),
        len(missing),
    )
