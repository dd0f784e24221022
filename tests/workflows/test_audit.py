"""audit: on data with planted defects it finds what was planted, and says how bad it is."""

import gzip
import json
from collections import defaultdict
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings
from holdfast.core.verdict import Finding, Measurement
from holdfast.metrics.anchor import LOWER_IS_WORSE
from holdfast.report.schema import validate
from holdfast.report.terminal import show
from holdfast.workflows import audit as module
from holdfast.workflows.audit import AuditOptions, audit

CASES = (
    "clean_balanced",
    "over_ratio",
    "band_50",
    "one_generator",
    "skewed_generators",
    "self_checkpoint",
    "dups_exact_6pct",
    "dups_near_8pct",
    "pii_3pct",
    "eval_leak_20",
)
EVERYTHING = AuditOptions(evidence=0)


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a packed JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def planted(shared_data, tmp_path_factory):
    """The planted sets as files without their truth, the planted ids by case, the manifest, and the eval file."""
    folder = tmp_path_factory.mktemp("planted")
    sets, truth = defaultdict(list), defaultdict(lambda: defaultdict(set))
    for row in lines(shared_data / "audit/planted_sets.jsonl.gz"):
        truth[row["case"]][row["planted"]].add(row["id"])
        sets[row["case"]].append({key: row[key] for key in row if key not in ("truth_origin", "planted")})
    manifest = {row["case"]: row for row in lines(shared_data / "audit/planted_manifest.jsonl.gz")}
    for case, rows in sets.items():
        written(folder / f"{case}.jsonl", rows)
    questions = [{"question": text} for row in manifest.values() for text in row["eval_questions"] or ()]
    written(folder / "eval.jsonl", questions)
    return folder, truth, manifest


def recall(report, rule: str, wanted: set[str]) -> float:
    """The share of the planted records that stand in the evidence of a rule, on either side of a pair."""
    rows = [row for finding in report.findings if finding.rule == rule for row in finding.evidence]
    found = {row.id for row in rows} | {row.other for row in rows}
    return len(found & wanted) / len(wanted)


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_of_a_labelled_set_equal_its_manifest(planted, case):
    """Ratio and top generator share to four decimals, and the count of exact duplicates."""
    folder, _, manifest = planted
    report, truth = audit(folder / f"{case}.jsonl"), manifest[case]
    measured = [round(report[slug].value, 4) for slug in ("synthetic-ratio", "generator-concentration")]
    expected = [round(truth["synthetic_ratio"], 4), round(truth["top_generator_share"], 4)]
    assert (expected, truth["exact_dup_records"]) == (measured, report["exact-duplicates"].value)


@pytest.mark.parametrize("case", ["clean_balanced", "band_50"])
def test_a_sound_set_has_no_error_but_the_missing_held_out_set(planted, case):
    """Nothing else of error severity fires on a sound mixture."""
    report = audit(planted[0] / f"{case}.jsonl")
    assert ["no-held-out"] == [finding.rule for finding in report.findings if finding.severity == "error"]


def test_an_unlabelled_set_is_unknown_and_says_so(planted):
    """Value null, bounds 0-1, and a finding that origins are missing."""
    report = audit(planted[0] / "unlabelled_60.jsonl")
    ratio = report["synthetic-ratio"]
    fired = "unknown-origin" in {finding.rule for finding in report.findings}
    assert ((None, 0.0, 1.0), True) == ((ratio.value, ratio.low, ratio.high), fired)


def test_planted_near_duplicates_are_found(planted):
    """At least 98 % of them."""
    report = audit(planted[0] / "dups_near_8pct.jsonl", options=EVERYTHING)
    assert recall(report, "near-duplicates", planted[1]["dups_near_8pct"]["near_dup"]) >= 0.98


def test_planted_personal_data_is_found(planted):
    """At least 99 % of it."""
    report = audit(planted[0] / "pii_3pct.jsonl", options=EVERYTHING)
    assert recall(report, "personal-data", planted[1]["pii_3pct"]["pii"]) >= 0.99


def test_planted_leaks_of_the_held_out_set_are_found(planted):
    """At least 99 % of them, given the questions as a plain file."""
    folder, truth, _ = planted
    report = audit(folder / "eval_leak_20.jsonl", eval=folder / "eval.jsonl", options=EVERYTHING)
    assert recall(report, "eval-contamination", truth["eval_leak_20"]["eval_leak"]) >= 0.99


@pytest.mark.parametrize("form", ["wrapped", "embedded", "shouted"])
def test_a_leak_is_found_however_it_is_dressed(planted, tmp_path, form):
    """Re-wrapped to short lines, embedded in other text, case and punctuation changed: all found."""
    questions = [row["question"] for row in map(json.loads, (planted[0] / "eval.jsonl").read_text().splitlines())]
    dress = {
        "wrapped": lambda text: text.replace(" ", "\n"),
        "embedded": lambda text: f"Here is a story from the shop. {text} They all went home after that, and slept.",
        "shouted": lambda text: text.upper().replace(",", " ;").replace(".", " !"),
    }
    rows = [{"id": f"q{n}", "text": dress[form](text)} for n, text in enumerate(questions)]
    report = audit(written(tmp_path / "t.jsonl", rows), eval=planted[0] / "eval.jsonl")
    assert len(questions) == report["eval-contamination"].value


def test_the_previous_checkpoint_is_a_teacher_that_is_the_student(planted):
    """Checkpoint 9 taught checkpoint 10: every such record is counted."""
    folder, _, manifest = planted
    truth = manifest["self_checkpoint"]
    report = audit(folder / "self_checkpoint.jsonl", student=truth["student"])
    assert truth["generators"]["acme/student-7b-checkpoint-0009"] == report["teacher-is-student"].value


def test_one_generator_is_an_error_and_a_skewed_one_a_warning(planted):
    """100 % of one generator is an error, 88 % a warning."""
    severities = []
    for case in ("one_generator", "skewed_generators"):
        found = {finding.rule: finding.severity for finding in audit(planted[0] / f"{case}.jsonl").findings}
        severities.append(found["generator-concentration"])
    assert ["error", "warning"] == severities


def test_every_shared_file_is_audited(shared_data):
    """Real files that nobody prepared: no crash, a detected format, every row read, a report that fits the schema."""
    for path in sorted(shared_data.rglob("*.jsonl.gz")):
        report = audit(path)
        validate(report.to_dict())
        read = (report.inputs[0]["format"], report.counts["records"] > 0, report.counts["quarantined"])
        assert ("jsonl.gz", True, 0, True) == (*read, bool(report.findings)), path


def poor(folder: Path) -> Path:
    """A set of one generator, all synthetic."""
    rows = [{"text": f"record number {n} speaks of thing {n * 7}", "generator": "gpt-4o"} for n in range(30)]
    return written(folder / "poor.jsonl", rows)


def test_fail_on_decides_the_exit_code(tmp_path):
    """The same findings stop or do not stop, as asked."""
    exits = [audit(poor(tmp_path), options=AuditOptions(fail_on=level)).exit for level in ("error", "warning", "never")]
    assert [1, 1, 0] == exits


def test_an_accepted_risk_leaves_the_findings_and_is_listed(tmp_path):
    """It is accepted in writing: out of the findings, into `accepted`, with owner and date."""
    risk = {"rule": "no-held-out", "reason": "pilot", "owner": "ada", "until": "2999-01-01"}
    report = audit(poor(tmp_path), settings=Settings.model_validate({"accepted_risks": [risk]}))
    fired = {finding.rule for finding in report.findings}
    assert (False, "ada") == ("no-held-out" in fired, report.accepted[0]["owner"])


def test_an_acceptance_that_ended_accepts_nothing(tmp_path):
    """After its last day the finding counts again, beside the finding that it ended."""
    risk = {"rule": "no-held-out", "reason": "pilot", "owner": "ada", "until": "2001-01-01"}
    report = audit(poor(tmp_path), settings=Settings.model_validate({"accepted_risks": [risk]}))
    fired = {finding.rule for finding in report.findings}
    assert ((), True) == (report.accepted, {"no-held-out", "accepted-risk-expired"} <= fired)


def test_a_baseline_stops_only_what_got_worse(tmp_path):
    """What was known does not stop again; one more duplicate does."""
    first = poor(tmp_path)
    old = tmp_path / "old.json"
    old.write_text(audit(first).to_json())
    again = audit(first, options=AuditOptions(baseline=old)).exit
    first.write_text(first.read_text() + first.read_text())
    assert (0, 1) == (again, audit(first, options=AuditOptions(baseline=old)).exit)


def test_select_and_ignore_choose_the_rules(tmp_path):
    """Only what is selected runs; an unknown slug is answered with the nearest."""
    chosen = {"audit": {"select": ["synthetic-ratio", "secrets"], "ignore": ["secrets"]}}
    report = audit(poor(tmp_path), settings=Settings.model_validate(chosen))
    assert ["synthetic-ratio"] == list(report.measurements)
    with pytest.raises(UsageError, match="Did you mean 'secrets'"):
        audit(poor(tmp_path), settings=Settings.model_validate({"audit": {"select": ["secrts"]}}))


def test_an_empty_file_is_not_clean(tmp_path):
    """Nothing to audit is said, and ends with exit code 1."""
    path = tmp_path / "empty.jsonl"
    path.touch()
    report = audit(path)
    assert (1, "empty-input") == (report.exit, report.findings[0].rule)


def test_bad_lines_are_evidence_with_their_place(tmp_path):
    """The good rows are audited, the bad line is named by file, line, column and reason."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "good one"}\n{"text": "broken\n{"text": "good two"}\n')
    report = audit(path)
    finding = next(finding for finding in report.findings if finding.rule == "bad-input")
    assert (2, f"{path}:2:") == (report.counts["records"], finding.evidence[0].note[: len(str(path)) + 3])


def test_a_rule_of_ones_own_that_raises_is_not_a_verdict(tmp_path, monkeypatch):
    """Its fault is told under 'not judged'; everything else is judged as usual."""
    (tmp_path / "my_faulty_rules.py").write_text("def boom(view):\n    raise ZeroDivisionError('x')\n    yield\n")
    monkeypatch.chdir(tmp_path)
    report = audit(poor(tmp_path), settings=Settings.model_validate({"audit": {"rules": ["my_faulty_rules:boom"]}}))
    assert "the rule raised ZeroDivisionError: x" in {gap.why for gap in report.not_judged}


def test_what_was_detected_is_said(tmp_path, monkeypatch):
    """Format, row shape, columns and origins stand in the report, on the page and in the terminal."""
    monkeypatch.chdir(tmp_path)
    report = audit(poor(tmp_path).name)
    report.to_html(tmp_path / "r.html")
    console = Console(record=True, width=200, file=StringIO())
    show(report, console)
    line = report.manifest["detected"][0]
    assert "jsonl; text (text = text); 30 records; origin synthetic 30; provenance from generator" in line
    assert (True, True) == (line in (tmp_path / "r.html").read_text(), line in " ".join(console.export_text().split()))


def test_two_audits_of_one_file_are_equal(tmp_path):
    """No clock and no chance in a report."""
    assert audit(poor(tmp_path)).to_json() == audit(poor(tmp_path)).to_json()


def test_the_report_is_valid_under_the_published_schema(tmp_path):
    """Also after a trip through JSON."""
    data = orjson.loads(audit(poor(tmp_path)).to_json())
    validate(data)
    assert 1 == data["version"]


def test_a_sample_of_everything_is_a_census(tmp_path):
    """Asked for more records than there are, the audit read all of them, and its numbers are counted."""
    measured = audit(poor(tmp_path), options=AuditOptions(sample=1000))["generator-concentration"]
    assert (1.0, 1.0, 1.0) == (measured.low, measured.value, measured.high)


def test_in_a_sample_no_number_is_counted(tmp_path):
    """Shares get an interval, by tokens a wider one than by records of one length, and counts a lower bound."""
    rows = [{"text": f"note {n} " + "word " * (50 * (n % 5)), "origin": "ai" if n % 3 else "human"} for n in range(90)]
    report = audit(written(tmp_path / "mixed.jsonl", rows), options=AuditOptions(sample=60))
    by_records, by_tokens = report["synthetic-ratio"], report["synthetic-ratio-tokens"]
    assert by_records.low < by_records.value < by_records.high
    assert by_tokens.low < by_tokens.value < by_tokens.high
    assert by_records.high - by_records.low < by_tokens.high - by_tokens.low
    assert [None, None] == [report[slug].high for slug in ("secrets", "personal-data")]


def test_a_sample_widens_what_unknown_leaves_open(tmp_path):
    """Unknown origin gives bounds; not having read everything widens them further."""
    rows = [{"text": f"note {n} about {n * 7}", "origin": ("ai", "human", None)[n % 3]} for n in range(300)]
    measured = audit(written(tmp_path / "mixed.jsonl", rows), options=AuditOptions(sample=150))["synthetic-ratio"]
    counts = measured.detail["counts"]
    assert measured.low < counts["synthetic"] / 150
    assert measured.high > (counts["synthetic"] + counts["unknown"]) / 150


def finding(rule, value, severity="warning", **detail):
    """A finding with a number."""
    return Finding(rule, severity, "m", "a", Measurement(value, None, None, 9, "ratio", detail=detail))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (finding("anchor-diversity", 0.9, direction=LOWER_IS_WORSE), 0.5, True),
        (finding("anchor-diversity", 0.5, direction=LOWER_IS_WORSE), 0.9, False),
        (finding("synthetic-ratio", 0.5), 0.6, True),
        (finding("synthetic-ratio", 0.5), 0.4, False),
    ],
)
def test_worse_than_the_baseline_is_the_bad_direction(before, now, expected):
    """A share stops when it grows, a ratio to real text when it falls."""
    later = replace(before, measurement=replace(before.measurement, value=now))
    assert expected == module._blocks(later, "warning", {before.rule: module._badness(before)})


def test_a_graver_finding_is_worse_at_the_same_number():
    """A warning that became an error stops, whatever its value."""
    known = {"subjective-synthetic": module._badness(finding("subjective-synthetic", 0.4))}
    assert module._blocks(finding("subjective-synthetic", 0.4, "error"), "error", known)


def test_an_anchor_without_real_records_is_not_one(tmp_path):
    """Synthetic records given as real, or too few, leave diversity not judged; no empty number is published."""
    report = audit(poor(tmp_path), real=poor(tmp_path))
    few = audit(poor(tmp_path), real=written(tmp_path / "real.jsonl", [{"text": "a real one"}]))
    for each in (report, few):
        assert "anchor-diversity" in {gap.rule for gap in each.not_judged}
        assert "anchor-diversity" not in each.measurements
