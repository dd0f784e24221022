"""Text made safe to look at."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.shown import encodable, one_line, visible


@given(st.text(st.characters(codec=None)))
def test_nothing_unseen_or_steering_is_left(text: str) -> None:
    """Only line breaks and tabs remain of the control characters; no override, separator or surrogate does."""
    left = {char for char in visible(text) if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    assert left <= {"\n", "\t"}
    assert not {unicodedata.bidirectional(char) for char in visible(text)} & {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI"}


@given(st.text("abc <>&\n\t\u0301\u200d\U0001f469\u05d0"))
def test_ordinary_text_is_untouched(text: str) -> None:
    """Letters of any script, marks, emoji joiners and markup characters stay as they are."""
    assert text == visible(text)


def test_hidden_characters_are_named() -> None:
    """What cannot be seen is written as its code point."""
    assert "a<U+202E>b<U+200B>c<U+E0041>" == visible("a\u202eb\u200bc\U000e0041")


@given(st.text(), st.integers(1, 40))
def test_a_line_keeps_its_width(text: str, width: int) -> None:
    """One line, never wider than asked for."""
    assert len(one_line(text, width)) <= width
    assert "\n" not in one_line(text, width)


@given(st.text(st.characters(codec=None)))
def test_every_text_can_be_written(text: str) -> None:
    """Lone surrogates are replaced and nothing else is."""
    assert encodable(text).encode().decode() == encodable(text)
    assert len(encodable(text)) == len(text)
