"""The quickstart: its build passes, its poor set fails for the reasons its README states."""

import json
from collections import Counter
from pathlib import Path

import pytest

from holdfast.core.examples import example
from holdfast.core.settings import load
from holdfast.verifiers.answers import gold_answer
from holdfast.workflows.audit import audit
from holdfast.workflows.build import build
from holdfast.workflows.init import init

HERE = example("quickstart")


def rows(path: Path) -> list[dict]:
    """All rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_files_hold_what_the_readme_says() -> None:
    """600 real problems with final answers, 60 held-out ones that are not among them, 400 poor records, under 1 MB."""
    real, held_out, poor = (rows(HERE / name) for name in ("real.jsonl", "poor_eval.jsonl", "poor.jsonl"))
    assert (600, 60, 400) == (len(real), len(held_out), len(poor))
    assert all(gold_answer({"answer": row["answer"]}, "") for row in real)
    assert not {row["question"] for row in real} & {row["question"] for row in held_out}
    makers = Counter(row["generator"] for row in poor)
    assert {"acme-1b-v1": 340, None: 60} == makers
    assert sum(path.stat().st_size for path in HERE.iterdir()) < 1_000_000
    assert "Copyright (c) 2021 OpenAI" in (HERE / "LICENSE-gsm8k").read_text()


def test_poor_set_fails_for_its_planted_faults() -> None:
    """The audit finds what was planted: ratio, one generator, forerunner, duplicates, leak, personal data."""
    report = audit([HERE / "poor.jsonl"], eval=[HERE / "poor_eval.jsonl"], student="acme-1b-v2")
    found = {finding.rule: finding for finding in report.findings}
    assert 0.85 == found["synthetic-ratio"].measurement.value
    assert 1.0 == found["generator-concentration"].measurement.value
    assert 340 == found["teacher-is-student"].measurement.value
    assert 20 == found["eval-contamination"].measurement.value
    assert 4 == found["personal-data"].measurement.value
    assert 49 <= found["exact-duplicates"].measurement.value <= 50
    assert 80 <= found["near-duplicates"].measurement.value <= 82
    assert not report.ok


def test_build_passes_and_meets_its_caps(tmp_path: Path) -> None:
    """The build ends without an error, no generator exceeds its cap, and every synthetic record was verified."""
    pytest.importorskip("reasoning_gym", reason="extra [gym] is not installed")
    init(tmp_path)
    settings = load(tmp_path / "holdfast.yaml")
    built = build(settings, tmp_path / "run")
    assert built.report.ok, [finding.message for finding in built.report.findings]
    train = rows(built.folder / built.manifest["files"]["train"])
    made = [row["holdfast"] for row in train if row["holdfast"]["origin"] == "synthetic"]
    assert len(made) >= 450
    assert {True} == {each["checks"]["math"] for each in made}
    families = Counter(each["family"] for each in made)
    assert {"arithmetic", "reasoning-gym"} == set(families)
    assert max(families.values()) <= 0.6 * len(made)
    assert {"quota"} == {cell["stopped_by"] for cell in built.manifest["cells"].values()}
