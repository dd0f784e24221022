r"""Regular expressions of JavaScript (ECMA 262, with the flag u) compiled for Python's engine.

What differs is translated: `\d`, `\w` and `\s` know ASCII digits and words, `$` is the very end of the text, `\p{L}` is
a general category of Unicode. Scripts (`\p{Script=Greek}`) and other properties are refused with `re.error`.
"""

import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby

_SPACES = r" \f\n\r\t\v\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES}
_PIECE = re.compile(
    r"\\(?P<property>[pP])\{(?P<category>[^}]*)\}|\\k<(?P<again>\w+)>|\\(?P<escaped>[\s\S])"
    r"|(?P<opening>\[\^?)|(?P<closing>\])|(?P<end>\$)|(?P<name>\(\?<(?=[A-Za-z_]))"
)
# General categories by their long names, UAX 44 table 12; the short names are Python's own.
_CATEGORIES = {
    "letter": "L", "cased_letter": "LC", "uppercase_letter": "Lu", "lowercase_letter": "Ll", "titlecase_letter": "Lt",
    "modifier_letter": "Lm", "other_letter": "Lo", "mark": "M", "nonspacing_mark": "Mn", "number": "N",
    "decimal_number": "Nd", "digit": "Nd", "letter_number": "Nl", "other_number": "No", "punctuation": "P",
    "punct": "P", "dash_punctuation": "Pd", "connector_punctuation": "Pc", "symbol": "S", "math_symbol": "Sm",
    "currency_symbol": "Sc", "separator": "Z", "space_separator": "Zs", "other": "C", "control": "Cc",
}  # fmt: skip


@lru_cache(1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression ready to search. Raises `re.error` where it is none, or says what is not known here."""
    inside = False

    def translated(match: re.Match[str]) -> str:
        nonlocal inside
        kind, text = match.lastgroup, match[0]
        if kind == "category":
            return _in_class(_category(match["category"]), inside, match["property"] == "P")
        if kind == "escaped":
            return _escaped(match["escaped"], inside)
        if kind in ("opening", "closing"):
            nested, inside = inside and kind == "opening", kind == "opening"
            return "\\" + text if nested else text
        return text if inside else {"end": r"\Z", "name": "(?P<"}.get(str(kind), f"(?P={match['again']})")

    return re.compile(_PIECE.sub(translated, pattern))


def _escaped(letter: str, inside: bool) -> str:
    if letter.lower() in _CLASSES:
        return _in_class(_CLASSES[letter.lower()], inside, letter.isupper())
    return "/" if letter == "/" else "\\" + letter


def _in_class(ranges: str, inside: bool, negated: bool) -> str:
    if inside and negated:
        raise re.error("a negated class inside a class is not known here")
    return ranges if inside else f"[{'^' if negated else ''}{ranges}]"


@lru_cache(64)
def _category(name: str) -> str:
    """Return the characters of a general category as the ranges of a character class."""
    short = name.removeprefix("General_Category=").removeprefix("gc=")
    short = _CATEGORIES.get(short.lower(), short)
    wanted = ("Lu", "Ll", "Lt") if short == "LC" else (short,)
    members = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith(wanted)]
    if not members or not short.isalpha() or len(short) > 2:
        raise re.error(f"the property {name[:40]} is not known here")
    runs = [[code for _, code in run] for _, run in groupby(enumerate(members), lambda pair: pair[1] - pair[0])]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)
