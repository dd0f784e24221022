r"""Final answers: where a response states its answer, and what plain number it is.

Reads the forms people and models use: GSM8K's `#### 12`, `\boxed{12}`, "the answer is 12", and last of all the last
number in the text. Expressions are not understood here (`verifiers.math`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Place = Literal["marker", "boxed", "several-boxed", "phrase", "formula", "last-number", "whole"]

# An answer stands at the end. Reading no more than this bounds the time spent on a response of any size.
LONGEST_TEXT = 100_000
# A final answer longer than this is not an answer to anything a rule can compare.
LONGEST_ANSWER = 4_000

_THOUGHT = re.compile(r"^.*</think>", re.DOTALL)
_MARKER = re.compile(r"####[ \t]*([^\n]*)")
_PHRASE = re.compile(
    r"(?:\b(?:final\s+)?(?:answer|result)\s*(?:is|:|=)|^A:)[ \t]*:?[ \t]*([^\n]{1,300})", re.IGNORECASE | re.MULTILINE
)
# A text that sets its mathematics as LaTeX states its answer there, not in its last digits.
DELIMITERS = ("$", "\\(", "\\[", "\\boxed")
# A dollar sign opens a formula when no blank follows it and closes one when no blank precedes and no digit follows it
# (pandoc's rule), so that prices are not taken for formulas.
_FORMULA = re.compile(
    r"\$(?=\S)[^$\n]{0,300}?[\\^_<>=][^$\n]{0,300}?(?<=\S)\$(?![0-9])|\\\(|\\\[|\\(?!f?box)[a-zA-Z]{2,}"
)
_ANY_NUMBER = re.compile(r"(?<![\w.])[-\u2212]?[$€£]?[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?(?:/[0-9]+)?%?")
_PLAIN = re.compile(
    r"(?P<sign>[-+\u2212]?)\s?[$€£]?\s?(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?P<part>\.[0-9]*)?"
    r"(?:\s?/\s?(?P<below>[0-9]+))?\s?(?P<unit>[%°a-zA-Z][a-zA-Z. ]{0,40})?\.?"
)
_SCIENTIFIC = re.compile(
    r"(?P<sign>[-\u2212]?)(?P<digits>[0-9]+(?:\.[0-9]+)?)"
    r"(?:[eE]|\s*(?:\\times|\\cdot|[x*\u00d7])\s*10\s*(?:\^|\*\*)\s*)\{?(?P<power>[-+\u2212]?[0-9]{1,3})\}?"
)
_MIXED = re.compile(r"(?P<sign>[-\u2212]?)(?P<whole>[0-9]+) (?P<above>[0-9]+)/(?P<below>[1-9][0-9]*)")
_DECORATION = re.compile(r"^[\s*_`\"'$]*(.*?)[\s*_`\"',;!]*\.?[\s*_`\"']*$", re.DOTALL)

# Factors to one base unit per dimension; SI brochure, 9th edition, and the legal inch and pound of 1959.
Unit = tuple[str, Fraction]
_UNITS: Mapping[str, Unit] = {
    name: (dimension, Fraction(factor))
    for dimension, units in {
        "length": {"mm": "1/1000", "cm": "1/100", "m": "1", "km": "1000", "inch": "127/5000", "foot": "381/1250"},
        "mass": {"mg": "1/1000", "g": "1", "kg": "1000", "pound": "45359237/100000", "ounce": "45359237/1600000"},
        "time": {"second": "1", "minute": "60", "hour": "3600", "day": "86400", "week": "604800"},
        "volume": {"ml": "1/1000", "cl": "1/100", "l": "1"},
        "money": {"cent": "1/100", "dollar": "1"},
    }.items()
    for name, factor in units.items()
}
_UNIT_NAMES = {
    "millimetre": "mm", "centimetre": "cm", "metre": "m", "kilometre": "km", "millimeter": "mm", "centimeter": "cm",
    "meter": "m", "kilometer": "km", "inches": "inch", "feet": "foot", "ft": "foot", "gram": "g", "kilogram": "kg",
    "milligram": "mg", "lb": "pound", "lbs": "pound", "oz": "ounce", "sec": "second", "min": "minute", "h": "hour",
    "hr": "hour", "litre": "l", "liter": "l", "millilitre": "ml", "milliliter": "ml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer as written, where it stood, and the marked text it came from."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number: its exact value, digits after the point, unit ('' for none), whether it is a percentage."""

    value: Fraction
    decimals: int
    unit: str = ""
    percent: bool = False


def final_answer(text: str) -> Answer | None:
    """Return the final answer a response states, or None. Only the last `LONGEST_TEXT` characters are read."""
    text = _THOUGHT.sub("", text[-LONGEST_TEXT:])
    if marked := _MARKER.findall(text):
        return _answer(marked[-1], "marker")
    if (inside := boxed(text)) is not None:
        last_line = text.rstrip().rpartition("\n")[2]
        return _answer(last_line, "several-boxed") if last_line.count("\\boxed{") > 1 else _answer(inside, "boxed")
    if said := _PHRASE.findall(text):
        return _answer(said[-1], "phrase")
    if is_formula(text):
        return _answer(text[-LONGEST_ANSWER:], "formula")
    numbers = _ANY_NUMBER.findall(text)
    return _answer(numbers[-1], "last-number") if numbers else None


def _answer(text: str, place: Place) -> Answer | None:
    text = text.strip()
    return Answer(text, place) if text and len(text) <= LONGEST_ANSWER else None


def is_formula(text: str) -> bool:
    """True when the text sets mathematics as LaTeX."""
    return _FORMULA.search(text) is not None


# A text that holds one formula and besides it at most a few words that introduce it.
_ONE_FORMULA = re.compile(
    r"[A-Za-z :*]{0,40}"
    r"(?:\$\$(?P<a>[^$]+)\$\$|\$(?P<b>[^$]+)\$|\\\((?P<c>.+?)\\\)|\\\[(?P<d>.+?)\\\])[\s.*]*",
    re.DOTALL,
)


def inner(text: str) -> str | None:
    """Return the mathematics of an answer without its delimiters; None where words and formulas are mixed."""
    text = text.strip()
    if (within := boxed(text)) is not None:
        return within if text.count("\\boxed") + text.count("\\fbox") == 1 else None
    if not any(mark in text for mark in ("$", "\\(", "\\[")):
        return text
    match = _ONE_FORMULA.fullmatch(text)
    return next(part for part in match.group("a", "b", "c", "d") if part) if match else None


def boxed(text: str) -> str | None:
    r"""Return what the last `\boxed{...}` holds, braces balanced; None when there is none or it never closes."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return None
    start = text.index("{", start) + 1
    depth = 1
    for place in range(start, min(len(text), start + LONGEST_ANSWER)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return text[start:place]
    return None


def plain_number(text: str) -> Number | None:
    """Read '$1,234.50', '3/4', '1 1/2', '50 %', '72 apples' or '**18**.'; None for anything that is not one number."""
    text = re.sub(r"\\(?:text|mathrm|textnormal)\{([^{}]*)\}", r"\1", text).replace("\\$", "$").replace("\\%", "%")
    text = text.replace("\\,", " ").replace("\\!", "")
    match = _DECORATION.match(text)
    bare = match[1].strip() if match else ""
    if mixed := _MIXED.fullmatch(bare):
        value = int(mixed["whole"]) + Fraction(int(mixed["above"]), int(mixed["below"]))
        return Number(-value if mixed["sign"] else value, 0)
    if scientific := _SCIENTIFIC.fullmatch(bare):
        return _scaled(scientific)
    found = _PLAIN.fullmatch(bare)
    if found is None or not (found["whole"] or (found["part"] or "").strip(".")):
        return None
    return _number(found)


def _scaled(found: re.Match[str]) -> Number:
    """Read 1.5e3, 1.5 x 10^3 or the same in LaTeX."""
    exponent = int(found["power"].replace("\u2212", "-"))
    value = Fraction(found["digits"]) * Fraction(10) ** exponent
    decimals = max(0, len(found["digits"].partition(".")[2]) - exponent)
    return Number(-value if found["sign"] else value, decimals)


def _number(found: re.Match[str]) -> Number | None:
    digits = (found["whole"] or "0").replace(",", "")
    part = (found["part"] or ".")[1:]
    value = Fraction(int(digits + part), 10 ** len(part))
    if found["below"] is not None:
        if int(found["below"]) == 0:
            return None
        value /= int(found["below"])
    unit = _unit(found["unit"] or "")
    value = -value if found["sign"] in ("-", "\u2212") else value
    return Number(value, len(part), "" if unit == "%" else unit, unit == "%")


def _unit(written: str) -> str:
    word = written.strip(" .").lower().split(" ")[0] if written else ""
    if word in ("%", "percent"):
        return "%"
    for name in (word, word.removesuffix("s")):
        if (known := _UNIT_NAMES.get(name, name)) in _UNITS:
            return known
    return ""


def unit_of(written: str) -> Unit | None:
    """Return the dimension of a written unit and its factor to the base unit; None for words that are no unit."""
    return _UNITS.get(_unit(written))


# Decimals from which a written number counts as a rounding of the exact value; math-verify rounds floats there too
# (its `float_rounding` default).
ROUNDING = 6


def same_number(gold: Number, given: Number) -> bool:
    """True when two plain numbers agree: exactly, after unit conversion, or as a rounding to six or more decimals.

    50 % agrees with 50 and with 0.5. A unit on one side only is not held against the answer.
    """
    if gold.unit and given.unit and gold.unit != given.unit:
        (dimension, factor), (other, per) = _UNITS[gold.unit], _UNITS[given.unit]
        return dimension == other and _close(gold.value * factor, given.value * per, given.decimals)
    if _close(gold.value, given.value, given.decimals):
        return True
    if gold.percent == given.percent:
        return False
    scaled = gold.value / 100 if gold.percent else gold.value
    return _close(scaled, given.value / 100 if given.percent else given.value, given.decimals)


def _close(gold: Fraction, given: Fraction, decimals: int) -> bool:
    return gold == given or (decimals >= ROUNDING and abs(gold - given) <= Fraction(1, 10**ROUNDING))


# Where data sets keep a reference answer, in the order they are believed.
GOLD_FIELDS = ("gold", "gold_answer", "ground_truth", "final_answer", "answer", "solution")
# Fields that may hold a whole worked solution: there only a marked answer counts.
_WORKED = ("answer", "solution")


def gold_answer(fields: Mapping[str, Any], response: str) -> str | None:
    """Return the reference answer among the user's own columns, or None.

    A worked column that is the response itself is no reference: agreeing with it would prove nothing.
    """
    for name in GOLD_FIELDS:
        value = fields.get(name)
        if value is None or isinstance(value, bool | dict | list) or not str(value).strip():
            continue
        text = str(value).strip()
        if name in _WORKED and text == response.strip():
            continue
        marked = final_answer(text) if "####" in text or "\\boxed" in text else None
        if marked is not None and marked.place in ("marker", "boxed"):
            return marked.text
        if name not in _WORKED or "\n" not in text:
            return text
    return None
