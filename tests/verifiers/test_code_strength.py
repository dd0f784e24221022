"""Strength of tests: weak ones are told from strong ones, and a pass that does not come out again is none."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.core.record import Record
from holdfast.verifiers.code_strength import REASONS, StrengthCheck

MAXIMUM = (
    "def largest(items):\n    best = items[0]\n"
    "    for item in items:\n        if item > best:\n            best = item\n    return best\n"
)


@pytest.fixture(scope="module")
def check() -> Iterator[StrengthCheck]:
    """One check for the tests of this file."""
    found = StrengthCheck()
    yield found
    found.close()


def record(response: str, *tests: str) -> Record:
    """A record with a response and its tests."""
    return Record("r", "", response, fields={"tests": list(tests)})


def test_weak_tests_are_told_from_strong_ones(check: StrengthCheck) -> None:
    """The same program under one easy case and under three: both pass, the first with a note and a lower score."""
    weak = check(record(MAXIMUM, "assert largest([1]) is not None"))
    strong = check(
        record(MAXIMUM, "assert largest([1, 3, 2]) == 3", "assert largest([-5]) == -5", "assert largest([4, 1]) == 4")
    )
    assert (True, True) == (weak.ok, strong.ok)
    assert weak.score < strong.score
    assert "weak" in weak.evidence
    assert "weak" not in strong.evidence


def test_a_pass_by_chance_is_none(check: StrengthCheck) -> None:
    """A program whose answer follows the order of a set passes under one hash seed and is not believed."""
    source = "def f():\n    return list({'a', 'b', 'c', 'd', 'e', 'g', 'h'})\n"
    order = check._checks()[0](record(source + "print(f())", "assert f() == 0")).evidence["answer"]
    verdict = check(record(source, f"assert f() == {order}"))
    assert (None, "flaky") == (verdict.ok, verdict.reason)


def test_a_pass_that_needs_its_order_is_none(check: StrengthCheck) -> None:
    """Calls that leave something behind for each other fail the other way round."""
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)\n"
    verdict = check(record(source, "assert f('a') == 1", "assert f('b') == 2"))
    assert (None, "flaky") == (verdict.ok, verdict.reason)


def test_what_fails_is_not_measured(check: StrengthCheck) -> None:
    """A wrong program keeps its verdict, without a score."""
    verdict = check(record("def largest(items): return 0", "assert largest([1]) == 1"))
    assert (False, "wrong-answer", None) == (verdict.ok, verdict.reason, verdict.score)
    assert {"flaky", "correct"} <= set(REASONS)


def test_mbpp_tests_are_weaker_than_they_look(shared_data: Path, check: StrengthCheck) -> None:
    """On references of MBPP some mutants pass: the score is below one, and no reference is called flaky."""
    with gzip.open(shared_data / "verify/mbpp_ref_and_mutants.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["expected_pass"]][:12]
    verdicts = check.batch(
        [
            Record(row["id"], row["text"], row["solution"], fields={"tests": row["tests"], "setup": row["setup"]})
            for row in rows
        ]
    )
    assert ["correct"] * 12 == [verdict.reason for verdict in verdicts]
    assert 0.5 < sum(verdict.score or 0 for verdict in verdicts) / 12 < 1
