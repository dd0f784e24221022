"""Computed steps: `<<48/2=24>>` annotations and lines such as `48 / 2 = 24` are computed again with exact fractions.

Nothing is evaluated as code. In running text only an equation that begins its line, or follows a colon, is read: words
before it ("half of 10 + 2 = 7") may belong to it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_ANNOTATION = re.compile(r"<<([^<>=]{1,200})=([^<>=]{1,60})>>")
_LINE = re.compile(
    r"^(?:[ \t]*(?:[-*>\u2022]|[0-9]{1,2}[.)])[ \t]+|[^\n=:]{0,80}:[ \t]+|[ \t]*)"
    r"(?P<left>[-\u2212]?[$(.0-9][-+*/^x\u00d7\u00f7\u2212().,0-9$% \t]{0,200}?)=[ \t]*"
    r"(?P<right>[$]?[-\u2212]?[$]?(?:[0-9][0-9,]*)?(?:\.?[0-9]+)%?)"
    r"(?![ \t]*[-+*/^x\u00d7\u00f7=(:\u2212]|[.,]?[0-9]|\\)",
    re.MULTILINE,
)
_OPERATION = re.compile(r"[0-9)%][ \t]*[-+*/^x\u00d7\u00f7\u2212][ \t]*[$(]*[.0-9]")
# An x is a sign between two numbers (2 x 3, 2x3), and a variable in 2x - 3 and 3x(2).
_TIMES = re.compile(r"(?<=[0-9)%])[ \t]*x(?=[$.0-9])|(?<=[0-9)%])[ \t]*x(?=[ \t]+[$(.0-9])")
_LATEX = {"\\times": "*", "\\cdot": "*", "\\div": "/", "\\$": "", "\\(": "", "\\)": "", "\\[": "", "\\]": ""}
# A solution longer than this is not worked mathematics; reading no more bounds the time spent on it.
_LONGEST = 100_000
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)(?P<percent>%?)|(?P<sign>\*\*|[-+*/()^x\u00d7\u00f7\u2212]))"
)
_SAME = {"\u00d7": "*", "x": "*", "\u00f7": "/", "\u2212": "-", "**": "^"}
# A power beyond this is no step a person writes, and would take memory.
_LARGEST_EXPONENT = 64
_DEEPEST = 50
# Values beyond this many bits are refused, so that towers of powers end.
_LARGEST_BITS = 1_000


@dataclass(frozen=True, slots=True)
class WrongStep:
    """A step whose written value is not what its expression gives."""

    written: str
    computed: str


def wrong_steps(text: str) -> Iterator[WrongStep]:
    """Yield the steps that compute to something else. One that is not plain arithmetic is passed over."""
    text = text[-_LONGEST:]
    for expression, written in [*_ANNOTATION.findall(text), *_lines(_ANNOTATION.sub("", text))]:
        value, shown = evaluate(expression), evaluate(written)
        if value is not None and shown is not None and not _agree(value, shown, written):
            yield WrongStep(f"{expression.strip()}={written}", decimal(value))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield (expression, written value) of each line that is an equation of plain numbers."""
    if "=" not in text:
        return
    for written, sign in _LATEX.items():
        text = text.replace(written, sign)
    for match in _LINE.finditer(text):
        left = _TIMES.sub(" *", match["left"])
        # 500 / 2/5 has two readings for people.
        if _OPERATION.search(left) and "x" not in left and left.count("/") < 2:
            yield left, match["right"]


def _agree(value: Fraction, shown: Fraction, written: str) -> bool:
    """True within one unit of the last written digit; people write 12/40 = 30% and 12/40*100 = 30% alike."""
    near = last_place(written)
    if "%" in written:
        return abs(value - shown) < near / 100 or abs(value - 100 * shown) < near
    return abs(value - shown) < near


def last_place(written: str) -> Fraction:
    """Return one unit of the last written digit: 33.3 may stand for 33 1/3, rounded or cut off.

    Beyond six decimals the digits are those of a binary float (14.999999999999998), not of a person.
    """
    part = written.strip().rstrip("%").partition(".")[2]
    return Fraction(1, 10 ** min(len(part), 6))


def decimal(value: Fraction) -> str:
    """Write a fraction for people: whole, or to six places."""
    if value.denominator == 1:
        return str(value.numerator)
    scaled = round(value * 10**6)
    return f"{'-' if scaled < 0 else ''}{abs(scaled) // 10**6}.{abs(scaled) % 10**6:06d}".rstrip("0").rstrip(".")


def evaluate(expression: str) -> Fraction | None:
    """Compute numbers, + - * / ^ and brackets exactly; None for anything else, and for division by zero."""
    tokens = _tokens(expression)
    if not tokens:
        return None
    try:
        value, rest = _sum(tokens, 0)
    except (ValueError, ZeroDivisionError):
        return None
    return None if rest else value


def _tokens(expression: str) -> list[str | Fraction] | None:
    tokens: list[str | Fraction] = []
    place, expression = 0, expression.replace("$", "").rstrip()
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            return None
        place = match.end()
        if match["number"]:
            tokens.append(Fraction(match["number"].replace(",", "").rstrip(".")) / (100 if match["percent"] else 1))
        else:
            tokens.append(_SAME.get(match["sign"], match["sign"]))
    return tokens


# Each reader takes the tokens left and returns a value with the tokens it did not use.
_Read = tuple[Fraction, list[str | Fraction]]


def _sum(tokens: list[str | Fraction], depth: int) -> _Read:
    value, tokens = _product(tokens, depth)
    while tokens and tokens[0] in ("+", "-"):
        other, rest = _product(tokens[1:], depth)
        value, tokens = (value + other if tokens[0] == "+" else value - other), rest
    return value, tokens


def _product(tokens: list[str | Fraction], depth: int) -> _Read:
    value, tokens = _power(tokens, depth)
    while tokens and tokens[0] in ("*", "/"):
        other, rest = _power(tokens[1:], depth)
        value, tokens = (value * other if tokens[0] == "*" else value / other), rest
    return value, tokens


def _power(tokens: list[str | Fraction], depth: int) -> _Read:
    if tokens and tokens[0] == "-":
        value, rest = _power(tokens[1:], depth + 1) if depth < _DEEPEST else _refuse()
        return -value, rest
    value, tokens = _atom(tokens, depth)
    if tokens and tokens[0] == "^":
        exponent, tokens = _power(tokens[1:], depth + 1) if depth < _DEEPEST else _refuse()
        if exponent.denominator != 1 or abs(exponent) > _LARGEST_EXPONENT:
            raise ValueError("not a small whole exponent")
        value **= exponent.numerator
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _LARGEST_BITS:
            raise ValueError("too large")
    return value, tokens


def _atom(tokens: list[str | Fraction], depth: int) -> _Read:
    if tokens and isinstance(tokens[0], Fraction):
        return tokens[0], tokens[1:]
    if tokens and tokens[0] == "(" and depth < _DEEPEST:
        value, rest = _sum(tokens[1:], depth + 1)
        if rest and rest[0] == ")":
            return value, rest[1:]
    return _refuse()


def _refuse() -> _Read:
    raise ValueError("not plain arithmetic")
