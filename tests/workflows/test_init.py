"""init: a complete starter, and nothing of anybody's is overwritten."""

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.examples import example
from holdfast.core.settings import load
from holdfast.workflows.init import init
from holdfast.workflows.plan import plan


def test_the_starter_is_the_example_byte_for_byte(tmp_path):
    """Every file of the example is there and equal, and its settings can be planned."""
    written = init(tmp_path)
    source = example("quickstart")
    assert [(source / path.relative_to(tmp_path)).read_bytes() for path in written] == [
        path.read_bytes() for path in written
    ]
    assert 600 == plan(load(tmp_path / "holdfast.yaml")).real


def test_an_existing_file_stops_it_before_anything_is_written(tmp_path):
    """One file in the way: nothing is overwritten and nothing else is written."""
    (tmp_path / "real.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="already there"):
        init(tmp_path)
    assert ["real.jsonl"] == [path.name for path in tmp_path.iterdir()]
    assert "mine" == (tmp_path / "real.jsonl").read_text()
