"""Unknown origin: records that do not say whether they are real or synthetic.

**What it is.** The share of all records without an origin, a generator, or anything else that tells.

**Why it matters.** Unknown is never counted as real. Every other number about the mixture becomes a range, and the
range is as wide as this share. Where real text is given and some records are labelled synthetic, the text itself is
asked: `detail` then has the synthetic share among these records with its interval, and the ratio that follows.

**When it fires.** Warning above 0, error above 30 %.

**What to do.** Name the column that tells (`--map origin=COLUMN` or `--map generator=COLUMN`), or label the source
when the data is read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from holdfast.core.verdict import Finding, Outcome, Passed, Severity
from holdfast.rules.view import View

SLUG = "unknown-origin"
SEVERITY = "warning above 0, error above 30 %"
SOURCE = "contracts of this project: unknown is never counted as real"
HIGH = 0.3


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of records of unknown origin."""
    measured = view.share(len(view.unknown), view.n)
    if len(view.unknown) == 0:
        yield Passed(SLUG, measured)
        return
    share = len(view.unknown) / view.n
    told = view.authors.told("unknown")
    measured = replace(measured, detail={**measured.detail, "estimate": told, **_band(view, told)})
    severity: Severity = "error" if share > HIGH else "warning"
    yield Finding(
        SLUG,
        severity,
        f"{len(view.unknown):,} of {view.n:,} records ({share:.1%}) do not say whether they are real or synthetic."
        + _said(told),
        "Map the column that tells, e.g. --map generator=model, or label each source as it is read.",
        measured,
        view.evidence(view.unknown),
        len(view.unknown),
    )


def _band(view: View, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the synthetic ratio that follows from the estimate: between all-real and all-synthetic, and narrower."""
    if told.get("value") is None:
        return {}
    made, n, unknown = len(view.synthetic), view.n, len(view.unknown)
    low, value, high = ((made + told[key] * unknown) / n for key in ("low", "value", "high"))
    return {"ratio_band": {"value": value, "low": low, "high": high}}


def _said(told: Mapping[str, Any]) -> str:
    if told.get("value") is None:
        return ""
    return f" By their text {told['value']:.0%} of them are synthetic ({told['low']:.0%} to {told['high']:.0%})."
