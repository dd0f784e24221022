r"""Simple LaTeX read exactly: what `1 - \frac{\sqrt{8}}{2}`, `[0, 2\pi)` or `(1, x^2)` stand for.

A reader of our own in front of the symbolic library, a hundred times faster. It reads only what has one meaning and
returns None for anything else (`f(2)`, `1/2x`, `x^10`, `\pm`, inequalities), which the library then judges.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NoReturn

from holdfast.verifiers.algebra import OPAQUE, PI, Quotient, TooHardError, number, power, root, same, variable
from holdfast.verifiers.answers import Unit, unit_of

# Beyond this the library is not the slower way, and recursion stays shallow.
LONGEST = 400
_DEEPEST = 20

_SPACING = re.compile(
    r"\\(?:left|right|displaystyle|quad|qquad|limits|bigg?[lr]?|Bigg?[lr]?)(?![a-zA-Z])|(?<!\\)\\[,!;:\s]|~"
)
_TEXT = r"\\(?:text|textrm|textnormal|mathrm|mbox)\{\s*([a-zA-Z][a-zA-Z .]*)\}"
_UNIT = re.compile(_TEXT + r"(\^(?:\{[23]\}|[23]))?[\s.]*$")
_DEGREES = re.compile(r"\^\s*(?:\\circ|\{\\circ\})|°")
_THOUSANDS = re.compile(r"(?<=[0-9])(?:\{,\}|,\\!)(?=[0-9]{3})")
# 1,234 may be one number or two; 1,2 outside brackets may be a decimal comma.
_DOUBTFUL_COMMA = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_BARE_COMMA = re.compile(r"[0-9],[0-9]")
_MATRIX = re.compile(r"\\begin\{[pb]?matrix\}(.*)\\end\{[pb]?matrix\}", re.DOTALL)
_NAMED = re.compile(r"([a-zA-Z](?:_(?:[0-9]|\{[0-9]+\}))?)=([^=]+)")
_MARK = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<command>\\[a-zA-Z]+)|(?P<letter>[a-zA-Z])"
    r"|(?P<sign>[-+*/^_(){}\[\]\u2212\u00d7\u00f7\u03c0\u00b7\u221e]))"
)
_SAME = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\cdot": "*", "\\times": "*", "\\div": "/",
    "\u2212": "-", "\u00d7": "*", "\u00f7": "/", "\u00b7": "*", "\u03c0": PI, "\u221e": "\\infty",
}  # fmt: skip
_GREEK = frozenset(
    ("\\alpha", "\\beta", "\\gamma", "\\delta", "\\epsilon", "\\theta", "\\lambda", "\\mu", "\\nu", "\\rho",
     "\\sigma", "\\tau", "\\phi", "\\varphi", "\\omega", "\\Delta", "\\Omega")
)  # fmt: skip
_FUNCTIONS = frozenset(("\\sin", "\\cos", "\\tan", "\\cot", "\\sec", "\\csc", "\\ln", "\\log", "\\exp", "\\arctan"))
# No number: it may end an interval, but not be counted with.
_INFINITY = (["\\infty"], ["+", "\\infty"], ["-", "\\infty"])
# The braces of a set while it is read, so that they are not those of a group.
_SET = "\x01\x02"
# Letters that are read as constants by some; equal forms with them are equal, different forms prove nothing.
_CONSTANTS = frozenset("eiIE")
# A letter before a bracket is a factor only where nobody would read a function.
_FACTORS = frozenset("abcdkmnprstuvwxyz")


@dataclass(frozen=True, slots=True)
class Read:
    """What a text stands for: its items, how they stand together, and whether a number among them was a decimal.

    `kind` is "" for one expression, the brackets of a tuple, interval or set, "," for a bare list, "matrix" with its
    number of rows, or "=" for one that a name stands before. `unit` is a known unit behind it.
    """

    kind: str
    items: tuple[Quotient, ...]
    decimals: bool = False
    name: str = ""
    unit: Unit | None = None


def read(text: str) -> Read | None:
    """Read an answer without its dollar signs; None where it is not simple or has more than one meaning."""
    if len(text) > LONGEST:
        return None
    text = _SPACING.sub(" ", _THOUSANDS.sub("", text.strip().rstrip(".").strip())).replace("\\$", "")
    written = _UNIT.search(text)
    text = _DEGREES.sub("", text[: written.start()] if written else text).strip()
    if not text or _DOUBTFUL_COMMA.search(text):
        return None
    try:
        found = _read(text)
    except TooHardError:
        return None
    return replace(found, unit=unit_of(written[1])) if written and not written[2] else found


def _read(text: str) -> Read:
    if matrix := _MATRIX.fullmatch(text):
        rows = [row.split("&") for row in re.split(r"\\\\", matrix[1].strip().removesuffix("\\\\"))]
        return _several(f"matrix {len(rows)}", [cell for row in rows for cell in row])
    text = text.replace("\\{", "\x01").replace("\\}", "\x02")
    compact = text.replace(" ", "")
    if named := _NAMED.fullmatch(compact):
        whole = _read(text.partition("=")[2])
        return Read("=", whole.items, whole.decimals, named[1]) if whole.kind == "" else _refuse()
    parts = list(_split(text))
    if len(parts) > 1:
        return _several(",", parts) if not _BARE_COMMA.search(text) else _refuse()
    return _bracketed(text) or _several("", parts)


def _bracketed(text: str) -> Read | None:
    """Read a tuple, an interval or a set; None for an expression in brackets."""
    first, last = text[0], text[-1]
    if first + last not in ("()", "(]", "[)", "[]", _SET):
        return None
    if not _closes_last(text):
        return None
    parts = list(_split(text[1:-1]))
    if len(parts) == 1 and first + last != _SET:
        return None
    return _several(first + last, parts)


def _closes_last(text: str) -> bool:
    """True when the bracket that opens a text is closed by its last letter."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{\x01") - (letter in ")]}\x02")
        if depth == 0:
            return place == len(text) - 1
    return False


def _split(text: str) -> Iterator[str]:
    """Yield the parts between the commas that stand in no bracket."""
    depth = start = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{\x01") - (letter in ")]}\x02")
        if depth < 0:
            _refuse()
        if letter == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _several(kind: str, parts: Sequence[str]) -> Read:
    readers = [_Expression(part) for part in parts]
    items = tuple(reader.value() for reader in readers)
    return Read(kind, items, any(reader.decimals for reader in readers))


def _refuse() -> NoReturn:
    raise TooHardError("not simple")


class _Expression:
    """A reader of one expression, by recursive descent over its marks."""

    def __init__(self, text: str) -> None:
        self.marks: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = _MARK.match(text, place)
            if match is None:
                _refuse()
            mark = match[match.lastgroup or 0]
            self.marks.append(_SAME.get(mark, mark))
            place = match.end()
        self.place = 0
        self.depth = 0
        self.decimals = any("." in mark for mark in self.marks)

    def value(self) -> Quotient:
        """Return what all marks together stand for."""
        result = self._sum()
        return result if self.place == len(self.marks) else _refuse()

    @property
    def _next(self) -> str:
        return self.marks[self.place] if self.place < len(self.marks) else ""

    def _take(self, mark: str = "") -> str:
        found = self._next
        if not found or (mark and found != mark):
            _refuse()
        self.place += 1
        return found

    def _sum(self) -> Quotient:
        self.depth += 1
        if self.depth > _DEEPEST:
            _refuse()
        result = self._signed()
        while self._next in ("+", "-"):
            sign = self._take()
            other = self._product()
            result = result + (other if sign == "+" else -other)
        self.depth -= 1
        return result

    def _signed(self) -> Quotient:
        if self._next in ("+", "-"):
            return -self._product() if self._take() == "-" else self._product()
        return self._product()

    def _product(self) -> Quotient:
        result = self._power()
        divided = False
        while True:
            if self._next in ("*", "/"):
                divided = self._take() == "/"
                other = self._power()
                result = result / other if divided else result * other
            elif self._begins_factor():
                # 1/2x has two readings; 2 3 is a slip or two answers.
                if divided or self._next[0] in "0123456789.":
                    _refuse()
                result = self._mixed(result)
            else:
                return result

    def _mixed(self, so_far: Quotient) -> Quotient:
        """Multiply by the next factor; a whole number before a fraction of numbers is a mixed number."""
        before = self.marks[self.place - 1]
        fraction = self._next == "\\frac"
        other = self._power()
        if not (fraction and before.isdigit()):
            return so_far * other
        whole, part = so_far.rational(), other.rational()
        alone = self.place >= 2 and whole is not None and whole == int(before)
        if part is None or not alone:
            _refuse()
        return so_far + other

    def _begins_factor(self) -> bool:
        return self._next != "" and self._next not in (")", "]", "}", "+", "-", "*", "/", "^", "_")

    def _power(self) -> Quotient:
        before = self.place
        base = self._atom()
        if self._next != "^":
            return base
        self._take()
        # A fraction's own power and a power of a power have two readings.
        if self.marks[before] == "\\frac":
            _refuse()
        exponent = self._argument().rational()
        if exponent is None or exponent.denominator != 1 or self._next == "^":
            _refuse()
        return power(base, int(exponent or 0))

    def _argument(self) -> Quotient:
        """Read a braced group or one single mark, as LaTeX does; 12 without braces would be 1 and then 2."""
        if self._next == "{":
            return self._group("{", "}")
        mark = self._take()
        if len(mark) == 1 and mark.isdigit():
            return number(int(mark))
        if len(mark) == 1 and mark.isalpha():
            return self._letter(mark)
        return variable(PI) if mark == PI else _refuse()

    def _group(self, opening: str, closing: str) -> Quotient:
        self._take(opening)
        result = self._sum()
        self._take(closing)
        return result

    def _atom(self) -> Quotient:
        mark = self._next
        if mark in ("(", "[", "{"):
            return self._group(mark, {"(": ")", "[": "]", "{": "}"}[mark])
        self._take()
        if mark[0] in "0123456789.":
            return number(Fraction(mark))
        if mark.isalpha():
            return self._letter(mark)
        if mark == "\\frac":
            return self._fraction()
        if mark == "\\sqrt":
            return self._root()
        return self._command(mark)

    def _letter(self, mark: str) -> Quotient:
        name = mark
        if self._next == "_":
            self._take()
            index = self._argument().rational()
            name = f"{mark}_{index}" if index is not None else _refuse()
        if self._next in ("(", "[") and mark not in _FACTORS:
            _refuse()
        # Three letters in a row are a word, not a product.
        here = self.marks[self.place - 1 : self.place + 2]
        if len(here) == 3 and all(each.isalpha() for each in here):
            _refuse()
        return variable(OPAQUE + name if mark in _CONSTANTS else name)

    def _fraction(self) -> Quotient:
        # \frac12: LaTeX takes one digit each.
        digits = self._next
        if digits.isdigit() and len(digits) == 2:
            self._take()
            return number(int(digits[0])) / number(int(digits[1]))
        return self._argument() / self._argument()

    def _root(self) -> Quotient:
        degree = 2
        if self._next == "[":
            written = self._group("[", "]").rational()
            degree = int(written) if written is not None and written.denominator == 1 else 0
        return root(self._argument(), degree)

    def _command(self, mark: str) -> Quotient:
        if mark == PI or mark in _GREEK:
            return variable(mark)
        if mark == "\\infty" and self.marks in _INFINITY:
            return variable(OPAQUE + mark)
        if mark not in _FUNCTIONS:
            _refuse()
        start = self.place
        if self._next in ("(", "{"):
            self._group(self._next, ")" if self._next == "(" else "}")
        elif self._next.isalpha() or self._next == PI or self._next in _GREEK:
            self._take()
        else:
            _refuse()
        written = "".join(self.marks[start : self.place])
        # \sin 2x and \sin x y have two readings.
        if self._next == "^" or (self._begins_factor() and self._next not in _FUNCTIONS):
            _refuse()
        return variable(f"{OPAQUE}{mark}{written.strip('(){}')}")


def equal(gold: Read, given: Read) -> bool | None:
    """True when two answers stand for the same, False when they do not, None where neither is certain."""
    decimals = gold.decimals or given.decimals
    if gold.unit and given.unit and gold.unit != given.unit:
        if gold.unit[0] != given.unit[0]:
            return False
        gold, given = _in_base_units(gold), _in_base_units(given)
    if "=" in (gold.kind, given.kind):
        return _named(gold, given, decimals)
    if gold.kind != given.kind:
        return None
    if len(gold.items) != len(given.items) and gold.kind != _SET:
        return False if gold.kind in ("()", "[)", "(]", "[]") else None
    if gold.kind in (",", _SET):
        return _as_sets(gold.items, given.items, decimals)
    each = [same(one, other, decimals) for one, other in zip(gold.items, given.items, strict=True)]
    return True if all(each) else False if False in each else None


def _in_base_units(written: Read) -> Read:
    factor = number(written.unit[1] if written.unit else 1)
    return replace(written, items=tuple(item * factor for item in written.items))


def _named(gold: Read, given: Read, decimals: bool) -> bool | None:
    """Compare what names stand for: x = 5 with 5, and x = 5 with x = 5; another name is another matter."""
    if {gold.kind, given.kind} - {"=", ""} or (gold.name and given.name and gold.name != given.name):
        return None
    found = same(gold.items[0], given.items[0], decimals)
    plain = gold.items[0].is_number and given.items[0].is_number
    return found if plain or (found and gold.kind == given.kind) else None


def _as_sets(golds: Sequence[Quotient], givens: Sequence[Quotient], decimals: bool) -> bool | None:
    """Compare items in any order: each on one side has its equal on the other."""
    table = [[same(gold, given, decimals) for given in givens] for gold in golds]
    if all(any(row) for row in table) and all(any(column) for column in zip(*table, strict=True)):
        return True
    alone = any(set(row) == {False} for row in [*table, *zip(*table, strict=True)])
    return False if alone else None
