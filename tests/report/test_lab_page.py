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


def test_the_accepted_loss_makes_room_for_the_name_of_a_line(data: dict[str, Any]) -> None:
    """Where a line ends in the middle beside the accepted loss, that is named at the left."""

    def place(loss: float, dose: float) -> str:
        control = [{"dose": dose, "loss": {**data["control"][-1]["loss"], "value": loss}}]
        markup = pictures({**data, "control": control})[0].markup
        found = re.search(r'<text x="([\d.]+)"[^>]*>[^<]*accepted', markup)
        return found[1] if found else ""

    accepted = data["design"]["loss"]
    assert ["56", "316", "316"] == [place(accepted, 0.5), place(accepted, 0.95), place(accepted + 50.0, 0.5)]


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


def test_what_the_seeds_do_not_show_is_not_said(data: dict[str, Any]) -> None:
    """Help is a whole interval above zero, of any dose; no help one below; between is not shown."""

    def said(*nets: tuple[float, float | None, float | None]) -> str:
        row = next(row for row in data["arms"] if row["net_value"] is not None)
        rows = [{**row, "net_value": {"value": net[0], "low": net[1], "high": net[2]}} for net in nets]
        return next(line for line in sentences({**data, "arms": rows}) if line.startswith("Against"))

    assert "is not shown to help at any dose" in said((0.05, -0.1, 0.2))
    assert "does not help at any dose" in said((-0.05, -0.1, -0.02))
    assert "does not help at any dose" in said((0.0, 0.0, 0.0))
    assert "helps after" in said((0.05, -0.1, 0.2), (0.03, 0.01, 0.05))
    assert "at best +3.0%" in said((0.05, -0.1, 0.2), (0.03, 0.01, 0.05))
    assert "helps after" in said((0.05, None, None))
    safe = {**data["safe"], "dose": 0.3, "loss": 0.1, "crossing": {"value": None, "low": 0.4, "high": None, "n": 3}}
    assert "interval passes it from about 40% synthetic on (3 seeds)" in "".join(sentences({**data, "safe": safe}))
    alone = {**safe, "crossing": {"value": None, "low": None, "high": None, "n": 1}}
    assert "one seed: no interval" in headline({**data, "safe": alone})


@pytest.mark.parametrize("arms", [("accumulate",), ("real-only",), ("replace",)])
def test_a_page_of_one_arm_and_one_seed(arms: tuple[str, ...], tmp_path: Path) -> None:
    """What is not there is left out; one seed is said to have no interval."""
    options = replace(SMALL, arms=arms, seeds=1, generations=1)
    page = render(run_lab(out=tmp_path, options=options))
    assert ("one seed" in page) is (arms != ("real-only",))
