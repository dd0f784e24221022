"""docs/extend.md holds what it says: each part is under 15 lines, and each does its work when it is switched on."""

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

import holdfast
from holdfast.testing import check_verifier
from tests.contracts.source import ROOT

PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
SNIPPETS = dict(re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SETTINGS = dict(re.findall(r"^```yaml\n(\w+): (.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
MOST_LINES = 15


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files in it and a small data set, as the working folder."""
    for name, body in SNIPPETS.items():
        (tmp_path / f"{name}.py").write_text(body)
    rows = ["WHY SHOUT?", "The answer is 12.", "Nobody knows.", "Is it 7?"]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in SNIPPETS:
        sys.modules.pop(name, None)


def audited(project: Path, rule: str) -> "holdfast.Report":
    """Return the audit of the small data set with one rule of the page switched on."""
    (project / "holdfast.yaml").write_text(f"version: 1\naudit: {{select: [], rules: [{json.dumps(rule)}]}}\n")
    return holdfast.audit("data.jsonl", settings="holdfast.yaml")


def snippet(name: str) -> ModuleType:
    """Import one of the page's files."""
    return importlib.import_module(name)


@pytest.mark.parametrize("name", ["my_rules", "my_checks", "my_metrics", "my_generators"])
def test_a_part_is_under_fifteen_lines(name: str) -> None:
    """Each part has fewer than 15 lines, its imports included."""
    lines = [line for line in SNIPPETS[name].splitlines() if line.strip()]
    assert ast.parse(SNIPPETS[name])
    assert len(lines) < MOST_LINES


def test_a_rule_of_ones_own_fires(project: Path) -> None:
    """The page's rule finds the one shouted response and shows it as evidence."""
    (finding,) = audited(project, "my_rules:no_shouting").findings
    assert ("no-shouting", "warning", 1) == (finding.rule, finding.severity, finding.evidence_total)
    assert "WHY SHOUT?" == finding.evidence[0].excerpt


def test_a_metric_of_ones_own_is_reported(project: Path) -> None:
    """The page's metric stands in the report with interval and n."""
    measured = audited(project, "my_metrics:report")["questions"]
    assert (0.5, 4) == (measured.value, measured.n)
    assert measured.low < 0.5 < measured.high


def test_a_check_of_ones_own_decides(project: Path) -> None:
    """The page's check accepts, refuses and abstains."""
    check = snippet("my_checks").ends_with_number
    right, wrong = holdfast.Record("1", "", "It is 1,200."), holdfast.Record("2", "", "None")
    check_verifier(check, accepts=[right], refuses={"no number": wrong})
    assert holdfast.Verdict(None, "empty") == check(holdfast.Record("3", "", ""))


def test_a_generator_of_ones_own_repeats(project: Path) -> None:
    """The page's generator gives the same records for the same seed, and right answers."""
    sums = snippet("my_generators").sums
    first, again = (list(islice(sums(Random(1), {"difficulty": "hard"}), 20)) for _ in range(2))
    assert first == again
    for record in first:
        a, b = map(int, re.findall(r"\d+", record.prompt))
        assert f"#### {a + b}" == record.response.splitlines()[-1]
