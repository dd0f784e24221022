"""All published laws of collapse hold in the product's own functions, each in its tolerance."""

import json
import re
from pathlib import Path

import orjson
import pytest

from holdfast.lab.law import Checked, Law, Line, at_least, at_most, close, near
from holdfast.lab.laws import LAWS, table, verify
from tests.contracts.source import ROOT

RESULT = ROOT / "bench" / "results" / "laws.json"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: str(law.number))
def test_the_law_holds(law: Law) -> None:
    """The law's every value lies in its tolerance, at the usual size."""
    (checked,) = verify(only=[law.number])
    assert [] == [(line.what, line.measured, line.low, line.high) for line in checked.lines if not line.ok]
    assert checked.ok
    assert checked.to_dict() == orjson.loads(orjson.dumps(checked.to_dict()))


def test_there_are_29_with_a_source() -> None:
    """The laws are those of the acceptance table, each with where it is from."""
    assert list(range(1, 30)) == [law.number for law in LAWS]
    assert all(law.source and law.name for law in LAWS)


def test_a_law_that_fails_is_said_to_fail() -> None:
    """A value outside its tolerance, one that is no number, and a check without values do not hold."""
    lines = [near("a", 2.0, 2.03, 0.02), close("b", 1.0, 1.2, 0.1), at_most("c", 3, 4), at_least("d", 3, 2)]
    assert [True, False, False, False] == [line.ok for line in lines]
    assert not Line("e", 1.0, float("nan"), 0.0, 2.0).ok
    law = Law(1, "A law", "a source", lambda _: lines, "half")
    failed = Checked(law, tuple(lines), full=False)
    assert not failed.ok
    assert not Checked(law, (), full=True).ok
    assert [" 1  FAILS  A law", "      a source [half]"] == list(table([failed]))[:2]
    assert 3 == sum(line.startswith("    *") for line in table([failed]))
    assert failed.to_dict()["lines"][2]["low"] is None


def test_the_full_size_is_kept_and_holds() -> None:
    """bench/results/laws.json holds all laws at full size, and none fails."""
    kept = json.loads(RESULT.read_text("utf-8"))
    assert [law.number for law in LAWS] == [one["number"] for one in kept["checked"]]
    assert [] == [one["number"] for one in kept["checked"] if not one["ok"]]
    assert {"full"} == {one["size"] for one in kept["checked"]}


def test_the_page_is_of_these_laws() -> None:
    """docs/laws.md has a row for every law with its source, and the values of the full run."""
    text = Path(ROOT / "docs" / "laws.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE))
    kept = json.loads(RESULT.read_text("utf-8"))["checked"]
    assert [str(law.number) for law in LAWS] == list(rows)
    assert [] == [law.number for law in LAWS if law.source not in rows[str(law.number)]]
    assert [] == [
        (one["number"], line["what"])
        for one in kept
        for line in one["lines"]
        if f"{line['measured']:.4g}" not in rows[str(one["number"])]
    ]
