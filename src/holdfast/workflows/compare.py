"""Compare: two reports of audits held against each other, number by number and rule by rule.

Two numbers differ where their intervals do not overlap; a number that was counted differs where it is another one.
Whether a change is for the better is said only where the direction is known.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.errors import UsageError
from holdfast.core.verdict import SEVERITIES, Measurement
from holdfast.metrics.anchor import LOWER_IS_WORSE
from holdfast.report.report import Report

# Numbers without a direction in their detail of which more is worse, as contracts have their thresholds.
MORE_IS_WORSE = (
    *("synthetic-ratio", "synthetic-ratio-tokens", "unknown-origin", "generator-concentration", "family-concentration"),
    *("exact-duplicates", "near-duplicates", "semantic-duplicates", "repeated-openings", "template-clusters"),
    *("copied-from-real", "eval-contamination", "unverified", "personal-data", "secrets", "hidden-text", "bad-input"),
    *("synthetic-depth", "teacher-is-student", "same-family", "held-out-small", "theme-concentration"),
)


def read_report(path: Path) -> Report:
    """Return the report in a file. Raises `UsageError` for anything that is not one."""
    try:
        return Report.from_dict(orjson.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a report: {error}.", "Write one with --json > report.json.") from error


def compared(new: Report, old: Report) -> dict[str, Any]:
    """Return both verdicts, each number of both with what became of it, and which findings came and went."""
    before = {finding.rule: finding.severity for finding in old.findings}
    after = {finding.rule: finding.severity for finding in new.findings}
    shared = sorted(set(new.measurements) & set(old.measurements))
    return {
        "old": {"inputs": [item["path"] for item in old.inputs], "records": old.counts["records"], "ok": old.ok},
        "numbers": [_number(slug, old[slug], new[slug]) for slug in shared],
        "only_old": sorted(set(old.measurements) - set(new.measurements)),
        "only_new": sorted(set(new.measurements) - set(old.measurements)),
        "findings": {
            "new": sorted(set(after) - set(before)),
            "gone": sorted(set(before) - set(after)),
            "worse": sorted(rule for rule in set(before) & set(after) if _rank(after[rule]) > _rank(before[rule])),
            "milder": sorted(rule for rule in set(before) & set(after) if _rank(after[rule]) < _rank(before[rule])),
            "same": sorted(rule for rule in set(before) & set(after) if after[rule] == before[rule]),
        },
    }


def _number(slug: str, old: Measurement, new: Measurement) -> dict[str, Any]:
    return {"slug": slug, "unit": new.unit, "old": _plain(old), "new": _plain(new), "change": _change(slug, old, new)}


def _plain(m: Measurement) -> Mapping[str, Any]:
    return {"value": m.value, "low": m.low, "high": m.high, "n": m.n, "unit": m.unit}


def _change(slug: str, old: Measurement, new: Measurement) -> str:
    if old.value is None or new.value is None or old.unit != new.unit or old.encoder != new.encoder:
        return "not comparable"
    if old.value == new.value:
        return "same"
    ends = (old.low, old.high, new.low, new.high)
    if None in ends:
        return "unclear"
    low, high, other_low, other_high = (float(end) for end in ends if end is not None)
    if other_low <= high and low <= other_high:
        return "unclear"
    worse_below = new.detail.get("direction") == LOWER_IS_WORSE
    if not worse_below and slug not in MORE_IS_WORSE:
        return "moved"
    return "worse" if (new.value < old.value) == worse_below else "better"


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)
