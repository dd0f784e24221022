"""Cells: grid, taxonomy and list, each cell once, each with its quota."""

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import Cells
from holdfast.workflows.cells import quotas

TAXONOMY = """
science:
  physics: [optics, heat]
  biology:
law:
  - contracts
  - courts: [civil, penal]
cooking:
"""
LEAVES = [
    "science/physics/optics", "science/physics/heat", "science/biology",
    "law/contracts", "law/courts/civil", "law/courts/penal", "cooking",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A folder with a taxonomy of mappings, lists, and lists of both."""
    (tmp_path / "topics.yaml").write_text(TAXONOMY)
    return tmp_path


def test_a_taxonomy_gives_its_leaves_with_their_paths(folder):
    """Every leaf is one cell, named by its path, in the order of the file, however mappings and lists are nested."""
    found = quotas(Cells(taxonomy="topics.yaml", quota=3), folder=folder)
    assert LEAVES == [each.cell["topic"] for each in found]
    assert {3} == {each.wanted for each in found}


def test_a_taxonomy_is_multiplied_with_the_grid_and_the_list_comes_behind(folder):
    """Each leaf meets each value of the grid; what the list names is there besides, once."""
    cells = Cells(taxonomy="topics.yaml", grid={"tone": ("plain", "rude")}, list=({"topic": "chess"},), quota=2)
    found = quotas(cells, folder=folder)
    assert 2 * len(LEAVES) + 1 == len(found)
    assert {"topic": "cooking", "tone": "rude"} in [each.cell for each in found]
    assert ("topic=chess", {"topic": "chess"}, 2) == (found[-1].name, found[-1].cell, found[-1].wanted)


def test_weights_reach_leaves_and_multiply(folder):
    """A weight on a leaf, and one on a value of the grid, both count for the cell that has both; none is for none."""
    weights = {"topic=law/contracts": 2, "tone=rude": 1.5, "topic=cooking": 0}
    cells = Cells(taxonomy="topics.yaml", grid={"tone": ("plain", "rude")}, quota=10, weights=weights)
    wanted = {(each.cell["topic"], each.cell["tone"]): each.wanted for each in quotas(cells, folder=folder)}
    contracts = [wanted["law/contracts", tone] for tone in ("plain", "rude")]
    assert ([20, 30], 15, 10) == (contracts, wanted["science/biology", "rude"], wanted["science/biology", "plain"])
    assert 0 == wanted["cooking", "plain"] == wanted["cooking", "rude"]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"list": [{"a": "1"}, {"a": "1"}]}, "'a=1' is there twice"),
        ({"list": [{"a": "1", "b": "2"}, {"b": "2", "a": "1"}]}, "'a=1,b=2' is there twice"),
        ({"grid": {"a": ("1",)}, "list": [{"a": "1"}]}, "'a=1' is there twice"),
        ({"grid": {"a": ("1", "1")}}, "'a=1' is there twice"),
        ({"taxonomy": "topics.yaml", "list": [{"topic": "cooking"}]}, "'topic=cooking' is there twice"),
        ({"taxonomy": "topics.yaml", "grid": {"topic": ("x",)}}, "in the grid and in the taxonomy"),
        ({"taxonomy": "topics.yaml", "weights": {"topic=law/contract": 2}}, "mean 'topic=law/contracts'"),
        ({"taxonomy": "nowhere.yaml"}, r"nowhere\.yaml cannot be read"),
        ({"grid": {"a": ()}}, "'a' has no values"),
        ({"grid": {"a": ("1",)}, "weights": {"a=1": -1}}, "weight -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder, cells, says):
    """A cell named twice, in whatever order, a leaf that is not there and an empty axis are one clear message each."""
    with pytest.raises(UsageError, match=says):
        quotas(Cells.model_validate(cells), folder=folder)


def test_without_cells_there_is_one():
    """Nothing named is one cell, called all."""
    (only,) = quotas(Cells(quota=4))
    assert ("all", {}, 4) == (only.name, only.cell, only.wanted)
