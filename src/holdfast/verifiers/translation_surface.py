"""What shows on the surface of a pair of texts that one is a translation of the other. No model, no dictionary.

Seven agreements between source and target, each a number that a person can recompute: length, numbers, named tokens,
shared word beginnings, shared letter runs, punctuation, and the closing colon. Their weighted sum is a log odds of
"aligned" against "shuffled". It compares what the two texts share, so that it says nothing where the languages have
different scripts, and a fluent translation that means the opposite has a high score.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from math import fsum, log, sqrt
from operator import mul

# Enough to tell; a book need not be read to its end.
LONGEST = 20_000
_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+")
# What a translator leaves as it is: code, paths, roles, identifiers, acronyms, marked words.
_NAMED = re.compile(
    r"`+[^`\n]{1,200}`+|\*[^*\n]{1,80}\*|\b\w*[_./\\@#%&=<>+|~^]\w[\w./:-]{0,80}"
    r"|\b[a-z]+[A-Z]\w*|\b[A-Z]\w*[A-Z]\w*|\b[^\W\d]+\d\w*"
)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_MARKS = re.compile(r"[:;()?!.*\"`]")
_COMBINING = re.compile(r"[\u0300-\u036f]+")
BEGINNING, RUN = 4, 4


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much a pair has in common. Shares are from 0 to 1; numbers and names are 0 where neither side has any.

    `length` and `marks` are distances: 0 is equal. `numbers` and `names` run from -0.5 (nothing in common) to 0.5.
    """

    length: float
    numbers: float
    names: float
    beginnings: float
    runs: float
    marks: float
    colon: float


# Log odds per unit, fitted by `python -m bench.translation` on the first half of the pydocs pairs (English-French).
WEIGHTS = Agreement(length=-2.39, numbers=3.45, names=4.6, beginnings=6.85, runs=7.94, marks=-4.14, colon=2.57)
BIAS = -0.92


def agreement(source: str, target: str) -> Agreement:
    """Return what the two texts share. Only the first `LONGEST` characters of each are read."""
    source, target = source[:LONGEST], target[:LONGEST]
    bare, other = unaccented(source), unaccented(target)
    words, others = set(_LETTERS.findall(bare)), set(_LETTERS.findall(other))
    return Agreement(
        length=_length(len(source), len(target)),
        numbers=_shared(set(numbers(source)), set(numbers(target))),
        names=_shared(named(source), named(target)),
        beginnings=_overlap(
            {word[:BEGINNING] for word in words if len(word) >= BEGINNING},
            {word[:BEGINNING] for word in others if len(word) >= BEGINNING},
        ),
        runs=_overlap(_runs(words), _runs(others)),
        marks=_marks(source, target),
        colon=float(source.rstrip().endswith(":") == target.rstrip().endswith(":")),
    )


def log_odds(found: Agreement) -> float:
    """Return the log odds that the pair is a translation rather than two strangers, by `WEIGHTS` and `BIAS`."""
    return BIAS + fsum(map(mul, astuple(WEIGHTS), astuple(found)))


def unaccented(text: str) -> str:
    """Return the text in small letters without accents."""
    return _COMBINING.sub("", unicodedata.normalize("NFD", text.lower()))


def numbers(text: str) -> list[str]:
    """Return the numbers of a text as written in English: no thousands marks, a point before decimals."""
    found = []
    for number in _NUMBER.findall(text):
        plain = re.sub(r"[^\d]", "", number) if _THOUSANDS.fullmatch(number) else number.replace(",", ".")
        found.append(plain)
    return found


def named(text: str) -> set[str]:
    """Return the tokens that a translation keeps: code, paths, identifiers, acronyms; bare of marks and accents."""
    return {unaccented(token.strip("`*")) for token in _NAMED.findall(text)}


def without_names(text: str) -> str:
    """Return the text with a blank in place of each token that a translation keeps."""
    return _NAMED.sub(" ", text)


def same_script(source: str, target: str) -> bool:
    """Return whether both texts are written in Latin letters, where shared beginnings mean something."""
    return all(_latin(text) for text in (source, target))


def _latin(text: str) -> bool:
    letters = [char for char in text[:LONGEST] if char.isalpha()]
    # Latin, Latin-1 and the Latin extensions end at U+024F; the additions for Vietnamese are U+1E00-U+1EFF.
    return 2 * sum(char < "\u0250" or "\u1e00" <= char <= "\u1eff" for char in letters) >= len(letters)


def _length(source: int, target: int) -> float:
    """Return how far the length ratio is from 1, in units of what is usual for texts of this length."""
    usual = 0.25 + 0.6 / sqrt(1 + min(source, target) / 20)
    return min(abs(log((target + 5) / (source + 5))) / usual, 6.0)


def _shared(mine: set[str], other: set[str]) -> float:
    return len(mine & other) / len(mine | other) - 0.5 if mine or other else 0.0


def _overlap(mine: set[str], other: set[str]) -> float:
    return len(mine & other) / min(len(mine), len(other)) if mine and other else 0.0


def _runs(words: set[str]) -> set[str]:
    return {word[at : at + RUN] for word in words for at in range(len(word) - RUN + 1)}


def _marks(source: str, target: str) -> float:
    mine, other = _counts(source), _counts(target)
    apart = sum(abs(mine.get(mark, 0) - other.get(mark, 0)) for mark in mine.keys() | other.keys())
    return apart / (1 + sum(mine.values()) + sum(other.values()))


def _counts(text: str) -> Mapping[str, int]:
    marks = _MARKS.findall(text)
    return {mark: marks.count(mark) for mark in set(marks)}
