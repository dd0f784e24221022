"""The page of an experiment: every picture it has data for, text from outside escaped, lines' names apart."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab.design import LabOptions
from holdfast.lab.experiment import run_lab
from holdfast.report.lab_page import headline, pictures, render, sentences

SMALL = LabOptions(arms=("fresh-real", "replace", "real-only"), doses=(0.5,), generations=2, seeds=2, most=250)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small experiment."""
    return run_lab(out=tmp_path_factory.mktemp("lab"), options=SMALL)


def test_all_pictures_are_there(data: dict[str, Any]) -> None:
    """Dose and response, four series, histograms, ranks and the alarm, each with its data as a table of one width."""
    drawn = pictures(data)
    assert 8 == len(drawn)
    for picture in drawn:
        assert picture.rows
        assert {len(picture.header)} == {len(row) for row in picture.rows}
        assert not re.search(r'(?:x|y|cx|cy)="(?:nan|-?inf)', picture.markup)


def test_names_of_lines_do_not_lie_on_each_other(data: dict[str, Any]) -> None:
    """The words at the right ends are at least twelve units apart, also where all lines end together."""
    flat = {
        **data,
        "arms": [_flat(row, name) for row in data["arms"] for name in ("replace", "accumulate", "verified")],
    }
    for picture in pictures(flat)[:4]:
        heights = sorted(float(y) for y in re.findall(r'<text x="322" y="([\d.-]+)"', picture.markup))
        assert len(heights) > 2
        assert all(later - earlier >= 12 for earlier, later in pairwise(heights))
        assert heights[0] > 0


def _flat(row: dict[str, Any], arm: str) -> dict[str, Any]:
    series = {name: [{**m, "value": 50.0} for m in each] for name, each in row["series"].items()}
    return {**row, "arm": arm, "series": series}


def test_a_file_name_is_only_text(data: dict[str, Any]) -> None:
    """Markup in a name is shown as it is written, and runs nothing."""
    page = render({**data, "text": {**data["text"], "name": "<script>alert(1)</script>"}})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_answer_is_in_the_headline(data: dict[str, Any]) -> None:
    """The safe dose, or that none is shown to be safe, or that no curve was asked for."""
    safe = {**data["safe"], "dose": 0.3, "loss": 0.1}
    assert "Up to 30% synthetic loses at most 10%" == headline({**data, "safe": safe})
    assert "is shown to lose at most 10%" in headline({**data, "safe": {**safe, "dose": None}})
    assert "No dose curve was asked for" == headline({**data, "safe": None})
    assert any("fresh-real 50%" in line for line in sentences(data))


@pytest.mark.parametrize("arms", [("accumulate",), ("real-only",), ("replace",)])
def test_a_page_of_one_arm_and_one_seed(arms: tuple[str, ...], tmp_path: Path) -> None:
    """What is not there is left out; one seed is said to have no interval."""
    options = replace(SMALL, arms=arms, seeds=1, generations=1)
    page = render(run_lab(out=tmp_path, options=options))
    assert ("one seed" in page) is (arms != ("real-only",))
