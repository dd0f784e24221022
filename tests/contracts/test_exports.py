"""The public surface: `holdfast.PUBLIC` is all of it, it loads, and it loads late."""

import subprocess
import sys

import pytest

import holdfast

NAMES = sorted(holdfast.PUBLIC)


def test_all_names_are_the_table() -> None:
    """`__all__` and dir() list the table, sorted."""
    assert NAMES == holdfast.__all__
    assert set(NAMES) <= set(dir(holdfast))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_loads(name: str) -> None:
    """Each name resolves to a documented object that carries that name."""
    found = getattr(holdfast, name)
    assert name == found.__name__
    assert found.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A wrong name fails as it does in any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = holdfast.nothing


def test_import_loads_nothing_else() -> None:
    """`import holdfast` loads no part of the package and no dependency."""
    code = "import sys, holdfast; print([m for m in sys.modules if m.startswith(('holdfast.', 'numpy', 'pyarrow'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
