"""Passages of a document, and whether a quote stands in it: exact up to white space, quotation marks and dashes.

Nothing else is forgiven: another word, letter case, number or an ellipsis is another text. Positions are characters
of the document, so that `document[start:end]` is what was quoted.
"""

import re
from typing import NamedTuple

# Characters that people and models write one for another: quotation marks, primes and accents; dashes and the minus.
_SINGLE = "\u2018\u2019\u201a\u201b\u2032`\u00b4"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SAME = str.maketrans({**dict.fromkeys(_SINGLE, "'"), **dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_DASHES, "-")})
# Where a passage may begin or end, from the best: an empty line, a line, a sentence (also of Chinese), a word.
_ENDS = tuple(map(re.compile, (r"\n\s*\n", r"\n", "[.!?]['\"\u201d\u2019)\\]]*\\s+|[\u3002\uff01\uff1f]", r"\s+")))


class Passage(NamedTuple):
    """A part of a document: `text` is `document[start:end]`."""

    start: int
    end: int
    text: str


def passages(document: str, longest: int) -> list[Passage]:
    """Return the document cut into passages of at most `longest` characters, which together are all of it.

    Each ends at the last empty line, else line, sentence or word, in its second half. Mere white space is left out.
    """
    found, start = [], 0
    while start < len(document):
        end = _end(document, start, longest)
        found.append(Passage(start, end, document[start:end]))
        start = end
    return [passage for passage in found if passage.text.strip()]


def _end(document: str, start: int, longest: int) -> int:
    end = start + longest
    if end >= len(document):
        return len(document)
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(document, start + longest // 2, end)]
        if ends:
            return ends[-1]
    return end


def locate(quote: str, document: str) -> tuple[int, int] | None:
    """Return (start, end) of the first place of a quote in a document, or None. An empty quote is nowhere."""
    wanted, _ = _plain(quote.strip())
    text, places = _plain(document)
    at = text.find(wanted) if wanted else -1
    return None if at < 0 else (places[at], places[at + len(wanted) - 1] + 1)


def _plain(text: str) -> tuple[str, list[int]]:
    """Return a text with single blanks and plain marks, and the place of each of its characters in the original."""
    kept, places, blank = [], [], False
    for place, character in enumerate(text.translate(_SAME)):
        if not character.isspace():
            kept.append(character)
            places.append(place)
        elif not blank:
            kept.append(" ")
            places.append(place)
        blank = character.isspace()
    return "".join(kept), places
