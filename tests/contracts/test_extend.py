"""docs/extend.md holds what it says: each part is under 15 lines, and each does its work when it is switched on."""

import ast
import importlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

import holdfast
from holdfast.core.settings import Settings, load
from holdfast.testing import check_verifier
from holdfast.workflows.generate import generate
from holdfast.workflows.verify import VerifyOptions, verify_files
from tests.contracts.source import ROOT

PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
SNIPPETS = dict(re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
# The settings of the page, by their first key.
SETTINGS = {
    body.partition(":")[0]: body for body in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
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


def settings(text: str) -> Settings:
    """Write settings as the page shows them, and load them."""
    Path("holdfast.yaml").write_text(f"version: 1\n{text}")
    return load("holdfast.yaml")


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
    report = holdfast.audit("data.jsonl", settings=settings(SETTINGS["audit"]))
    (finding,) = [finding for finding in report.findings if finding.rule == "no-shouting"]
    assert ("warning", 1) == (finding.severity, finding.evidence_total)
    assert "WHY SHOUT?" == finding.evidence[0].excerpt


def test_a_metric_of_ones_own_is_reported(project: Path) -> None:
    """The page's metric stands in the report with interval and n."""
    report = holdfast.audit("data.jsonl", settings=settings('audit: {rules: ["my_metrics:report"]}'))
    measured = report["questions"]
    assert (0.5, 4) == (measured.value, measured.n)
    assert measured.low < 0.5 < measured.high


def test_a_check_of_ones_own_decides(project: Path) -> None:
    """The page's check accepts and refuses, abstains where nothing can be said, and splits a file."""
    check = snippet("my_checks").ends_with_number
    right, wrong = holdfast.Record("1", "", "It is 1,200."), holdfast.Record("2", "", "None")
    check_verifier(check, accepts=[right], refuses={"no number": wrong})
    assert holdfast.Verdict(None, "empty") == check(holdfast.Record("3", "", ""))
    manifest = verify_files(["data.jsonl"], project / "out", VerifyOptions(settings(SETTINGS["checks"]).checks))
    assert (4, 1, 3) == (manifest.counts.given, manifest.counts.kept, manifest.counts.rejected)


def test_a_generator_of_ones_own_repeats(project: Path) -> None:
    """The page's generator gives the same records for the same seed, and right answers."""
    sums = snippet("my_generators").sums
    first, again = (list(islice(sums(Random(1), {"difficulty": "hard"}), 20)) for _ in range(2))
    assert first == again
    for record in first:
        a, b = map(int, re.findall(r"\d+", record.prompt))
        assert (str(a + b), str(a + b)) == (record.response.split()[-1], record.fields["gold"])


def test_a_generator_of_ones_own_shares_the_work(project: Path) -> None:
    """Switched on beside a built-in one, the page's generator gives its share of accepted records."""
    generate(settings(SETTINGS["generators"]), project / "made")
    made = holdfast.read([project / "made" / "kept.jsonl"], spool=project / "spool")
    counted = Counter(record.provenance.generator for record in made.records())
    assert 40 == made.rows
    assert 20 == counted["sums"]
