"""Small pieces: the limits on files, functions and parameters, without an exemption list."""

from statistics import median

from tests.contracts.source import ROOT, files, functions

FILE_LINES = 400
FUNCTION_LINES = 60
FUNCTION_MEDIAN = 12
PARAMETERS = 6


def test_no_file_is_long() -> None:
    """No Python file has more than 400 lines."""
    lengths = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in files()}
    assert {} == {str(path): lines for path, lines in lengths.items() if lines > FILE_LINES}


def test_no_function_is_long() -> None:
    """No function has more than 60 lines, its docstring included."""
    assert [] == [(f.where, f.name, f.lines) for f in functions() if f.lines > FUNCTION_LINES]


def test_functions_are_short() -> None:
    """Half of the package's functions have at most 12 lines."""
    assert median(f.lines for f in functions("src")) <= FUNCTION_MEDIAN


def test_no_function_takes_many_parameters() -> None:
    """No function of the package takes more than 6 parameters; more become a frozen settings object."""
    assert [] == [(f.where, f.name, f.parameters) for f in functions("src", "bench") if f.parameters > PARAMETERS]
