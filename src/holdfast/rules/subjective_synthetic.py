"""Subjective work made synthetically: creative writing, opinion and open reasoning written by a model.

**What it is.** The share of synthetic records among those that ask for subjective work. Which records ask for it is
decided by transparent patterns in the prompt (`core/domain.py`); plain text without a prompt is never counted.

**Why it matters.** Nothing mechanical can verify such work, models narrow fastest here, and judges prefer their own
style.

**When it fires.** Warning when such a record is synthetic; error when only a judge decided that it is good.

**What to do.** Use real data for this part, or have people review it.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.verdict import Finding, Outcome, Passed, Severity
from holdfast.rules.view import View

SLUG = "subjective-synthetic"
SEVERITY = "warning above 0, error when only a judge decided"
SOURCE = "high-entropy tasks lose diversity fastest: Guo et al. 2024 (arXiv 2311.09807)"


def check(view: View) -> Iterator[Outcome]:
    """Judge the synthetic share of subjective work."""
    subjective = view.domain == "subjective"
    total = int(subjective.sum())
    if total == 0:
        return
    made = view.synthetic[subjective[view.synthetic]]
    measured = view.share(len(made), total)
    if len(made) == 0:
        yield Passed(SLUG, measured)
        return
    checks = pc.fill_null(view.data.column("checks").take(pa.array(made)), "")
    judged = pc.match_substring_regex(checks, r'"judge[^"]*":\s*true').to_numpy(zero_copy_only=False).astype(bool)
    reviewed = pc.match_substring(checks, '"review').to_numpy(zero_copy_only=False).astype(bool)
    severity: Severity = "error" if bool(np.any(judged & ~reviewed)) else "warning"
    yield Finding(
        SLUG,
        severity,
        f"{len(made):,} of {total:,} records that ask for creative or open-ended work were written by a model.",
        "Use real data for this part, or have people review it: no verifier and no judge can decide it alone.",
        measured,
        view.evidence(made),
        len(made),
    )
