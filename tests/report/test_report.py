"""The value and its JSON form: the public contract, version 1."""

import json
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import InputError, MachineError
from holdfast.core.verdict import Evidence, Finding, Measurement, NotJudged
from holdfast.report import html, schema
from holdfast.report.report import Report
from tests.report.samples import bare, full

_TEXT = st.text(st.characters(codec=None), max_size=12)
_NUMBER = st.one_of(st.none(), st.floats(), st.integers(-(10**30), 10**30), st.just(np.float64(0.5)))
_DETAIL = st.recursive(
    st.one_of(_TEXT, _NUMBER, st.booleans(), st.just(np.array([1.0, nan]))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=6,
)
_KEYS = ("bounds", "counts", "shares", "curve", "verdict", "margin", "cap", "n_eff", "words", "lengths", "threshold")
_MEASUREMENT = st.builds(
    Measurement,
    value=st.one_of(st.none(), st.floats()),
    low=st.one_of(st.none(), st.floats()),
    high=st.one_of(st.none(), st.floats()),
    n=st.integers(0, 10**12),
    unit=st.sampled_from(["share", "ratio", "records", "0/1", ""]),
    encoder=st.one_of(st.none(), _TEXT),
    detail=st.dictionaries(st.one_of(st.sampled_from(_KEYS), _TEXT), _DETAIL, max_size=4),
)
_SLUG = st.sampled_from(
    ["synthetic-ratio", "synthetic-ratio-tokens", "generator-concentration", "near-duplicates", "tail-coverage", "own"]
)
_EVIDENCE = st.builds(
    Evidence,
    id=_TEXT,
    excerpt=_TEXT,
    other=st.none() | _TEXT,
    similarity=st.none() | st.floats(),
    note=st.none() | _TEXT,
)
_FINDING = st.builds(
    Finding,
    rule=_SLUG,
    severity=st.sampled_from(["error", "warning", "note"]),
    message=_TEXT,
    advice=_TEXT,
    measurement=st.none() | _MEASUREMENT,
    evidence=st.lists(_EVIDENCE, max_size=2).map(tuple),
    evidence_total=st.integers(0, 9),
    source=_TEXT,
)
REPORTS = st.builds(
    Report,
    ok=st.booleans(),
    exit=st.sampled_from([0, 1]),
    counts=st.fixed_dictionaries({"records": st.integers(0, 99), "quarantined": st.integers(0, 9)}),
    inputs=st.lists(st.fixed_dictionaries({"path": _TEXT, "digest": _TEXT, "format": _TEXT}), max_size=2).map(tuple),
    measurements=st.dictionaries(_SLUG, _MEASUREMENT, max_size=4),
    findings=st.lists(_FINDING, max_size=2).map(tuple),
    not_judged=st.lists(st.builds(NotJudged, rule=_SLUG, why=_TEXT, supply=_TEXT), max_size=2).map(tuple),
    manifest=st.dictionaries(_TEXT, _DETAIL, max_size=2),
)


@given(REPORTS)
def test_every_report_keeps_to_the_schema_and_can_be_shown(report: Report) -> None:
    """Whatever rules and plug-ins put into it, a report is valid JSON of the contract and makes a page."""
    schema.validate(report.to_dict())
    assert report.to_dict() == json.loads(report.to_json().encode())
    html.render(report.to_dict()).encode()


@given(REPORTS)
def test_reading_back_loses_nothing(report: Report) -> None:
    """A report read from its JSON form has the same JSON form."""
    assert report.to_json() == Report.from_dict(json.loads(report.to_json())).to_json()


def test_the_keys_are_those_of_the_contract() -> None:
    """The top level has exactly the promised keys in the promised order."""
    promised = "version ok exit counts inputs measurements findings not_judged accepted manifest pictures"
    assert promised == " ".join(full().to_dict())


def test_numbers_that_are_not_numbers_become_null() -> None:
    """NaN and infinity are written as null, wherever they hide, and never as a word JSON does not know."""
    report = Report(
        True, 0, {"records": 1, "quarantined": 0}, measurements={"own": Measurement(nan, -inf, inf, 1, "x")}
    )
    assert {"value": None, "low": None, "high": None, "n": 1, "unit": "x"} == report.to_dict()["measurements"]["own"]


def test_order_of_insertion_does_not_show() -> None:
    """Equal reports give equal bytes, in whatever order measurements and details were put together."""
    one, two = Measurement.census(1, 1, "share", a=1, b=2), Measurement.census(1, 1, "share", b=2, a=1)
    counts = {"records": 1, "quarantined": 0}
    first = Report(True, 0, counts, measurements={"a": one, "b": two})
    second = Report(True, 0, dict(reversed(counts.items())), measurements={"b": one, "a": two})
    assert first.to_json() == second.to_json()


def test_a_measurement_is_reached_by_its_name() -> None:
    """`report[slug]` is the measurement; a wrong name is answered with the nearest."""
    report = full()
    assert 0.6801 == report["synthetic-ratio"].value
    assert "synthetic-ratio" in report
    assert "synthetic" not in report
    with pytest.raises(KeyError, match="Did you mean 'synthetic-ratio'"):
        report["synthetic-ration"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": 2}, "version 2"),
        ({"ok": "yes"}, r"\$\.ok"),
        ({"findings": [{"rule": "x"}]}, r"\$\.findings\[0\]"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_not_a_report_is_refused_by_place(change: dict[str, Any], place: str) -> None:
    """Data of another shape or version are refused with the place, not with a traceback."""
    with pytest.raises(InputError, match=place):
        Report.from_dict({**bare().to_dict(), **change})


def test_something_else_entirely_is_refused() -> None:
    """A list is not a report."""
    with pytest.raises(InputError, match="version None"):
        Report.from_dict([])  # type: ignore[arg-type]


def test_an_unwritable_place_is_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    """Writing below something that is no folder raises one error with the remedy."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(MachineError, match="cannot be written"):
        full().to_html(tmp_path / "file" / "report.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(MachineError, match="taken"):
        full().to_html(tmp_path / "taken")
    assert ["file", "taken"] == sorted(path.name for path in tmp_path.iterdir())


def test_the_files_say_the_same(tmp_path: Path) -> None:
    """HTML, JSON and SARIF of a report name the same findings."""
    report = full()
    report.to_html(tmp_path / "report.html")
    report.to_sarif(tmp_path / "report.sarif")
    page = (tmp_path / "report.html").read_text("utf-8")
    log = json.loads((tmp_path / "report.sarif").read_text("utf-8"))
    rules = {finding.rule for finding in report.findings}
    assert rules == {result["ruleId"] for result in log["runs"][0]["results"]}
    assert rules == {rule for rule in rules if f"<code>{rule}</code>" in page}
