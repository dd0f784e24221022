"""structs: what other tools write into a CSV for a struct is read back as the value it shows; nothing is run."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.core.reading.structs import LONGEST, read_text

NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
KEYS = st.text(max_size=4)
VALUES = st.recursive(PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=3))


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_python_shows_is_read_back(value):
    """Any dict of plain values, as str() writes it."""
    assert value == read_text(str(value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("{'p': array(['x', 'y'], dtype=object), 'd': nan}", {"p": ["x", "y"], "d": None}),
        ("{'o': real, 'n': NULL, 'f': true, 'e': []}", {"o": "real", "n": None, "f": True, "e": []}),
        ("{'p': [r-1, 'b, c'], 'q': [g h]}", {"p": ["r-1", "b, c"], "q": ["g h"]}),
        ("{'o': real, 'cell': {'hard': 1}}", {"o": "real", "cell": {"hard": "1"}}),
        ("{'o': real, 'decoding': {'t': 0.5, 'k': 3}}", {"o": "real", "decoding": {"t": 0.5, "k": 3}}),
        (r"{'a': 'it\'s \\ it', 'b': x}", {"a": "it's \\ it", "b": "x"}),
        ("{'o': real, 'digest': 125e4567}", {"o": "real", "digest": "125e4567"}),
    ],
)
def test_three_writers_by_hand(text, expected):
    """JSON, Python with numpy's arrays, and DuckDB with quotes only where they must be."""
    assert expected == read_text(text)


BROKEN = ["", "real", "[1]x", "{'a': ", "{'a': open('x')}", "{'a': x}}", "{a: b}", "{'a': [b}", "{" * 40]


@pytest.mark.parametrize("text", [*BROKEN, "{'a'" + " " * LONGEST])
def test_anything_else_is_nothing(text):
    """Broken text, calls and deep nests are no value."""
    assert read_text(text) is None


@given(st.text(alphabet="{}[]'\\,: ab1N", max_size=40))
@example("},")
def test_no_text_stops_the_reader(text):
    """Whatever stands there, an answer comes back: a struct or nothing."""
    assert isinstance(read_text("{" + text), dict | None)
