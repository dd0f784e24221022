"""A report as a table."""

import sys

import pytest

from holdfast.core.errors import MissingExtraError, UsageError
from tests.report.samples import full


def test_the_table_has_every_number_as_it_stands() -> None:
    """One row a measurement, with its interval, n, unit and verdict."""
    report = full()
    table = report.to_frame()
    assert sorted(report.measurements) == table.column("name").to_pylist()
    row = next(row for row in table.to_pylist() if row["name"] == "anchor-diversity")
    m = report["anchor-diversity"]
    assert (m.value, m.low, m.high, m.n, m.unit, "worse") == tuple(
        row[key] for key in ("value", "low", "high", "n", "unit", "verdict")
    )


def test_findings_are_a_table_too() -> None:
    """One row a finding in the order of the report."""
    report = full()
    assert [found.rule for found in report.findings] == report.to_frame("findings").column("rule").to_pylist()


def test_pandas_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas the error names the extra; another kind is refused with those that are known."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"holdfast\[pandas\]"):
        full().to_frame(kind="pandas")
    with pytest.raises(UsageError, match="Known: arrow, pandas"):
        full().to_frame(kind="polars")
