"""What each Unicode code point is to the text kernels: part of a word, a word by itself, a symbol, ignored, space ...

Built from `unicodedata` on first need, so that texts that are pure ASCII never pay for it. Knows nothing of texts.
"""

import unicodedata
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Entries = npt.NDArray[np.uint32]

OTHER, WORD, SINGLE, IGNORED, SPACE, SYMBOL = range(6)

FOLD_MASK = 0x1FFFFF
KIND_SHIFT = 24
KIND_MASK = 0x7
SUSPECT_BIT = 31

# Assigned characters lie below LOW_END (planes 0 to 3) and in the tag plane; private use and the rest are OTHER.
LOW_END = 0x40000
TAGS_START = 0xE0000
TAGS_END = 0xE1000

# Han, Hiragana and Katakana are written without spaces, so each character counts as a word (UAX #29 treats
# ideographs so; the kana are joined to them because no dictionary is at hand). Hangul is written with spaces.
CJK_RANGES = (
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x303C),
    (0x3041, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)
# Marks that only choose a glyph: without this rule every emoji followed by U+FE0F would count as a word.
VARIATION_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
# Vowel and trailing Hangul jamo compose with what stands before them (Unicode 3.12), by rule instead of by table.
JAMO_RANGES = ((0x1161, 0x1175), (0x11A8, 0x11C2))


def fold(char: str) -> str:
    """Return the lower-case form of one character, or the character itself where that form has several."""
    lower = char.lower()
    return lower if len(lower) == 1 else char


def look_up(codes: npt.NDArray[Any]) -> Entries:
    """Return the entry of each code point; one outside the kept planes is OTHER and folds to itself."""
    table = unicode_table()
    if not codes.size or codes.max() < LOW_END:
        entries: Entries = table[codes]
        return entries
    tags = (codes >= TAGS_START) & (codes < TAGS_END)
    known = tags | (codes < LOW_END)
    places = np.where(tags, codes - (TAGS_START - LOW_END), np.where(known, codes, 0))
    return np.where(known, table[places], codes).astype(np.uint32)


@cache
def ascii_table() -> Entries:
    """Entries of the 128 ASCII characters: folded code point, kind << 24, suspect << 31."""
    return _entries(range(128))


@cache
def ascii_folded() -> npt.NDArray[np.uint8]:
    """The folded form of the 128 ASCII characters, a space for each kind of white space."""
    table = ascii_table()
    space = (table >> KIND_SHIFT) & KIND_MASK == SPACE
    return np.where(space, 0x20, table & FOLD_MASK).astype(np.uint8)


@cache
def unicode_table() -> Entries:
    """Entries of planes 0 to 3 and, from LOW_END on, of the tag block; `look_up` finds the right place.

    The suspect bit marks characters that NFC may change or that may compose with what stands before them. A text
    without any is NFC already (UAX #15, quick check), so only texts with one need to be looked at again.
    """
    table = np.concatenate([_entries(range(LOW_END)), _entries(range(TAGS_START, TAGS_END))])
    table[_suspects()] |= np.uint32(1 << SUSPECT_BIT)
    return table


def _entries(codes: range) -> Entries:
    chars = "".join(map(chr, codes))
    categories = list(map(unicodedata.category, chars))
    kinds = np.array([_KINDS.get(category, OTHER) for category in categories], np.uint32)
    numbers = np.arange(codes.start, codes.stop)
    letters = np.array([category[0] in "LN" for category in categories])
    kinds[_within(numbers, CJK_RANGES) & letters] = SINGLE
    kinds[_within(numbers, VARIATION_SELECTORS)] = IGNORED
    spaces = [place for place in np.flatnonzero(kinds == OTHER).tolist() if chars[place].isspace()]
    kinds[spaces] = SPACE
    folded = np.array(list(map(ord, map(fold, chars))), np.uint32)
    return folded | (kinds << np.uint32(KIND_SHIFT))


_KINDS = {
    "Cf": IGNORED,
    **dict.fromkeys(("Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mn", "Mc", "Me"), WORD),
    **dict.fromkeys(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"), SYMBOL),
}


def _within(numbers: npt.NDArray[np.int64], ranges: tuple[tuple[int, int], ...]) -> npt.NDArray[np.bool_]:
    member = np.zeros(numbers.size, np.bool_)
    for low, high in ranges:
        member |= (numbers >= low) & (numbers <= high)
    return member


def _suspects() -> list[int]:
    """Code points below LOW_END that NFC may touch (no canonical mapping lies above it)."""
    found = {code for low, high in JAMO_RANGES for code in range(low, high + 1)}
    for code in range(0x80, LOW_END):
        char = chr(code)
        mapping = unicodedata.decomposition(char)
        if mapping and mapping[0] != "<":
            second = mapping.partition(" ")[2]
            if second:
                found.add(int(second, 16))
            if not unicodedata.is_normalized("NFC", char):
                found.add(code)
        elif unicodedata.combining(char):
            found.add(code)
    return sorted(code for code in found if code >= 0x80)
