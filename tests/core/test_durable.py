"""Durable steps: each is announced before it is taken, and in the order that makes a file whole."""

from pathlib import Path

import pytest

from holdfast.core import durable
from holdfast.core.files import whole_file


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """The steps that were announced: name, file, and whether the file was there at that moment."""
    seen: list[tuple[str, str, bool]] = []
    monkeypatch.setattr(durable, "watch", lambda step, path: seen.append((step, path.name, path.exists())))
    return seen


def test_a_whole_file_is_synced_before_it_takes_its_name(tmp_path: Path, steps: list) -> None:
    """Written, synced, renamed, and the folder synced: only the last step finds the file under its name."""
    with whole_file(tmp_path / "a.txt") as file:
        file.write(b"all of it")
    assert [("write", False), ("sync", False), ("rename", False), ("sync-folder", True)] == [
        (step, there) for step, _, there in steps
    ]
    assert b"all of it" == (tmp_path / "a.txt").read_bytes()


def test_removing_is_announced_and_forgives(tmp_path: Path, steps: list) -> None:
    """A file that is not there is no error; the step is announced all the same."""
    durable.remove(tmp_path / "gone")
    assert [("remove", "gone", False)] == steps
