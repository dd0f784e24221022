"""SARIF 2.1.0 in the shape GitHub code scanning accepts."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.verdict import Evidence, Finding
from holdfast.report import sarif
from holdfast.report.report import Report
from tests.report.payloads import payloads
from tests.report.samples import full

ROOT = Path("/repo")
_TEXTS = ("shortDescription", "fullDescription", "help")


def _log(report: Report) -> dict[str, Any]:
    return sarif.build(report.to_dict(), ROOT)


def _results(report: Report) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = _log(report)["runs"][0]["results"]
    return results


def _bad_input(note: str, path: str = "data/train.jsonl") -> Report:
    finding = Finding("bad-input", "error", "A line.", "Mend it.", evidence=(Evidence("r", "x", note=note),))
    return replace(full(), findings=(finding,), inputs=({"path": path},))


def test_every_result_has_what_github_wants() -> None:
    """Rule, level, text, one relative location from line 1 on and a fingerprint; the rule has help and a level."""
    log = _log(full())
    driver = log["runs"][0]["tool"]["driver"]
    assert "2.1.0" == log["version"]
    assert "Holdfast" == driver["name"]
    for result in log["runs"][0]["results"]:
        rule = driver["rules"][result["ruleIndex"]]
        assert result["ruleId"] == rule["id"]
        assert rule["help"]["text"]
        assert rule["fullDescription"]["text"]
        assert {"error", "warning", "note"} >= {result["level"], rule["defaultConfiguration"]["level"]}
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"data/[\w.]+", place["artifactLocation"]["uri"])
        assert place["region"]["startLine"] >= 1
        assert result["message"]["text"]
        assert re.fullmatch(r"[0-9a-f]{32}:1", result["partialFingerprints"]["primaryLocationLineHash"])


def test_a_line_that_could_not_be_read_is_shown_at_its_place() -> None:
    """Three quarantined lines are three results at file, line and column; other findings stay whole."""
    results = _results(full())
    regions = [r["locations"][0]["physicalLocation"]["region"] for r in results if r["ruleId"] == "bad-input"]
    assert [(118, 47), (5522, 1), (9001, 11)] == [(region["startLine"], region["startColumn"]) for region in regions]
    assert 1 == sum(result["ruleId"] == "near-duplicates" for result in results)


def test_fingerprints_are_distinct_and_survive_new_wording() -> None:
    """No two results share a fingerprint, and a changed message or line keeps it, so that GitHub sees one alert."""

    def prints(report: Report) -> list[str]:
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in _results(report)]

    report = full()
    reworded = replace(report, findings=tuple(replace(finding, message="Other.") for finding in report.findings))
    assert prints(report) == prints(reworded)
    assert len(prints(report)) == len(set(prints(report)))
    assert prints(_bad_input("data/train.jsonl:5:1 broken")) == prints(_bad_input("data/train.jsonl:6:1 broken"))


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("data/a b#1.jsonl", "data/a%20b%231.jsonl"),
        ("/repo/data/x.jsonl", "data/x.jsonl"),
        ("/home/someone/secret/x.jsonl", "x.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("", "input"),
    ],
)
def test_addresses_are_relative_and_encoded(path: str, uri: str) -> None:
    """No absolute path of this machine and no scheme leaves; what lies outside the root is named by its name."""
    place = _results(replace(_bad_input("no place"), inputs=({"path": path},)))[0]["locations"][0]
    assert uri == place["physicalLocation"]["artifactLocation"]["uri"]


def test_texts_make_no_links() -> None:
    """Payloads in messages, help and reasons make no embedded link and hold no control character."""
    for payload in payloads():
        finding = Finding(payload, "note", payload, payload, source=payload)
        report = _bad_input(f"data/train.jsonl:5:1 {payload}")
        run = _log(replace(report, findings=(*report.findings, finding)))["runs"][0]
        texts = [result["message"]["text"] for result in run["results"]]
        texts += [rule[key]["text"] for rule in run["tool"]["driver"]["rules"] for key in _TEXTS]
        assert [] == [text for text in texts if "](" in text or "\x1b" in text or "\u202e" in text]


def test_github_drops_nothing_in_silence() -> None:
    """No more results are written than GitHub reads."""
    rows = tuple(Evidence(str(i), note=f"a.jsonl:{i + 1}:1 broken") for i in range(sarif.MAX_RESULTS + 5))
    many = replace(full(), findings=(Finding("bad-input", "error", "x", "y", evidence=rows),))
    assert sarif.MAX_RESULTS == len(_results(many))
