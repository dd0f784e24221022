"""Plug-ins: found by name, and a wrong name is answered with the right ones."""

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.plugins import find, load


def test_a_module_beside_the_working_folder_is_found(tmp_path, monkeypatch):
    """A user's file in the working folder needs no installation."""
    (tmp_path / "mine_alone.py").write_text("def check(record):\n    return 7\n")
    monkeypatch.chdir(tmp_path)
    assert 7 == load("mine_alone:check")(None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", "not of the form module:function"),
        ("no_such_module:f", "cannot be loaded"),
        ("json:no_such", "cannot be loaded"),
        ("json:__doc__", "is a str, not a function"),
    ],
)
def test_a_wrong_target_says_what_is_wrong(name, expected):
    """Each way to be wrong has its own message."""
    with pytest.raises(UsageError, match=expected):
        load(name)


def test_an_unknown_part_names_the_nearest():
    """A typo in a built-in name is answered with the name."""
    with pytest.raises(UsageError, match="Did you mean 'math'"):
        find("checks", "maht", {"math": "json:loads"})


def test_a_builtin_is_loaded_by_its_short_name():
    """Built-in parts need no module path."""
    assert [1] == find("checks", "math", {"math": "json:loads"})("[1]")
