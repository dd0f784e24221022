"""Passages are all of the document, and a quote is found exactly where it stands, forgiving only blanks and marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.generators.quoting import locate, passages

TEXT = st.text(st.sampled_from("ab. \n“\"’'–-!é語。\t"), max_size=120)


@given(TEXT, st.integers(1, 40))
def test_passages_are_all_of_the_document(text: str, longest: int) -> None:
    """In order, without overlap, none too long, and only white space is left out."""
    found = passages(text, longest)
    kept = set()
    for passage in found:
        assert text[passage.start : passage.end] == passage.text
        assert 0 < len(passage.text) <= longest
        assert not kept & set(range(passage.start, passage.end))
        kept |= set(range(passage.start, passage.end))
    assert "" == "".join(text[at] for at in range(len(text)) if at not in kept).strip()
    assert found == sorted(found)


def test_a_passage_ends_where_a_reader_would() -> None:
    """At an empty line, else a line, a sentence, a word."""
    assert ["One two.\n\n", "Three four."] == [each.text for each in passages("One two.\n\nThree four.", 14)]
    assert ["One two. ", "Three four."] == [each.text for each in passages("One two. Three four.", 14)]
    assert ["One two ", "three four"] == [each.text for each in passages("One two three four", 11)]
    assert ["abcdef", "gh"] == [each.text for each in passages("abcdefgh", 6)]


@given(TEXT, st.data())
def test_every_part_of_a_document_is_found_in_it(text: str, data: st.DataObject) -> None:
    """A part is found, and what is found reads the same up to blanks and marks."""
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]
    place = locate(quote, text)
    if not quote.strip():
        assert place is None
        return
    assert place is not None
    assert bare(quote) == bare(text[slice(*place)])


def bare(text: str) -> list[str]:
    for marks, plain in (("“", '"'), ("’", "'"), ("–", "-")):
        text = text.replace(marks, plain)
    return text.split()


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ('he said "no" to it', "he  said “no”\nto it"),
        ("said “no” to", "said “no”\nto"),
        ("5-6 it's", "5–6 it’s"),
        ("He said", None),
        ("he said no to", None),
        ("he ... to it", None),
        ("5 - 6", None),
        ("", None),
        (" \n", None),
    ],
)
def test_what_is_forgiven(quote: str, found: str | None) -> None:
    """White space, quotation marks and dashes; neither case nor missing marks nor ellipses."""
    document = "And he  said “no”\nto it. 5–6 it’s."
    place = locate(quote, document)
    assert found == (place and document[slice(*place)])
