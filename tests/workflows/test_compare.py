"""Two reports held against each other: what counts as a change, and which way."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Finding, Measurement
from holdfast.report.report import Report
from holdfast.report.terminal import summary
from holdfast.workflows.audit import AuditOptions, audit
from holdfast.workflows.compare import compared
from tests.report.samples import full


def report(**numbers: Measurement) -> Report:
    return Report(
        True, 0, {"records": 10, "quarantined": 0}, measurements={k.replace("_", "-"): m for k, m in numbers.items()}
    )


def share(value: float, low: float, high: float, **detail: object) -> Measurement:
    return Measurement(value, low, high, 100, "share", detail=detail)


def test_a_report_against_itself_changes_nothing() -> None:
    """Every number is the same, no finding is new, gone, worse or milder."""
    told = compared(full(), full())
    assert {"same"} == {entry["change"] for entry in told["numbers"] if entry["old"]["value"] is not None}
    assert [[]] * 4 == [told["findings"][word] for word in ("new", "gone", "worse", "milder")]
    assert len(full().findings) == len(told["findings"]["same"])


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (share(0.3, 0.3, 0.3), share(0.5, 0.5, 0.5), "worse"),
        (share(0.5, 0.5, 0.5), share(0.3, 0.3, 0.3), "better"),
        (share(0.3, 0.2, 0.4), share(0.38, 0.3, 0.5), "unclear"),
        (share(0.3, 0.3, None), share(0.5, 0.5, None), "unclear"),  # type: ignore[arg-type]
    ],
)
def test_a_share_that_should_be_low(old: Measurement, new: Measurement, change: str) -> None:
    """More of it is worse; intervals that overlap, or that are open, tell nothing."""
    [entry] = compared(report(synthetic_ratio=new), report(synthetic_ratio=old))["numbers"]
    assert change == entry["change"]


def test_a_ratio_that_should_be_high_turns_the_other_way() -> None:
    """Where the detail says that lower is worse, a fall is worse; without any direction a change is only one."""
    low, high = (share(v, v, v, direction="lower is worse") for v in (0.5, 0.9))
    [entry] = compared(report(rke=low), report(rke=high))["numbers"]
    assert "worse" == entry["change"]
    [entry] = compared(report(other=share(1, 1, 1)), report(other=share(2, 2, 2)))["numbers"]
    assert "moved" == entry["change"]


def test_encoders_are_never_compared() -> None:
    """A number of another encoder is not comparable, however far apart the two are."""
    mine, theirs = (replace(share(v, v, v), encoder=name) for v, name in ((0.2, "a"), (0.9, "b")))
    [entry] = compared(report(rke=mine), report(rke=theirs))["numbers"]
    assert "not comparable" == entry["change"]


def test_findings_come_go_and_change_severity() -> None:
    """New, gone and worse findings are named by their rule."""
    old = replace(report(), findings=(Finding("a", "warning", "m", ""), Finding("b", "error", "m", "")))
    new = replace(report(), findings=(Finding("a", "error", "m", ""), Finding("c", "note", "m", "")))
    told = compared(new, old)["findings"]
    assert (["c"], ["b"], ["a"], []) == (told["new"], told["gone"], told["worse"], told["milder"])


def test_an_audit_compares_with_the_file_of_another(tmp_path: Path) -> None:
    """`compare` reads an earlier --json; what changed stands in `pictures` and on the screen."""
    data, old = tmp_path / "data.jsonl", tmp_path / "old.json"
    data.write_text('{"text": "one record of human text", "origin": "human"}\n' * 3)
    old.write_text(audit(data).to_json())
    data.write_text('{"text": "one record of a machine", "origin": "synthetic"}\n' * 3)
    found = audit(data, options=AuditOptions(compare=old))
    changes = {entry["slug"]: entry["change"] for entry in found.pictures["compared"]["numbers"]}
    assert "worse" == changes["synthetic-ratio"]
    shown = "".join(str(part) for part in summary(found).renderables)
    assert "Since the earlier report" in shown
    assert "Since the earlier report" not in "".join(str(part) for part in summary(audit(data)).renderables)
    with pytest.raises(UsageError, match="is not a report"):
        audit(data, options=AuditOptions(compare=data))
