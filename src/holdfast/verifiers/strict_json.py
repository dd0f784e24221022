"""Strict JSON (RFC 8259): one value, no duplicate keys, no NaN, nothing behind it, bounded depth."""

import json
import math
import re
from decimal import Decimal
from typing import Any

from holdfast.verifiers.written import Unwritten

# Deeper than any answer that people ask for, and shallow enough for every reader and validator behind this one.
DEEPEST = 100
# A number with more digits is no answer; Python itself refuses to read whole numbers beyond 4,300.
_MOST_DIGITS = 4_000

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_BRACKET = re.compile(r"[\[\]{}]")


def parse(text: str) -> Any:
    """Return the value a text writes. Raises `Unwritten` with the reason why it is not strict JSON."""
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(text)
    text = text.strip(" \t\r\n")
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise Unwritten("not-json", f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Unwritten("too-deep") from None
    except ValueError as error:  # a whole number of more digits than Python reads
        raise Unwritten("too-large", str(error)) from None
    if end < len(text):
        raise Unwritten("trailing-text", f"after the value: {text[end : end + 80].strip()!r}")
    if _HALF.search(text):
        _check_unicode(value)
    return value


def _check_unicode(value: Any) -> None:
    """Refuse half a character written as an escape; RFC 7493 forbids what RFC 8259 calls unpredictable."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unwritten("not-unicode", "an escape of half a character (a lone surrogate)") from None


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise Unwritten("too-deep", f"more than {DEEPEST} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise Unwritten("duplicate-key", next(name for name in names if names.count(name) > 1)[:80])
    return value


def _refuse_constant(name: str) -> Any:
    raise Unwritten("not-a-number", name)


def _number(written: str) -> float | int:
    value = float(written)
    if not math.isinf(value):
        return value
    exact = Decimal(written)
    if exact.adjusted() > _MOST_DIGITS:
        raise Unwritten("too-large", f"the number {written[:40]}")
    return int(exact)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_number)
