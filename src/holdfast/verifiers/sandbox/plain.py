"""Plain data on the wire: typed JSON in which a tuple stays a tuple and nothing but data can cross.

What is encoded by an untrusted program is data its author chose; decoding builds built-in types only, of bounded depth
and size, so that comparing them runs none of the program's code.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

DEPTH = 64
# Orders to the warm process are blocks of this size; the first line of answers says that the floor was entered.
ORDER = 256
ENTERED = b'{"entered":true}'
# Above this JSON readers disagree about integers (RFC 8259, section 6).
_EXACT = 1 << 53


class NotPlainError(ValueError):
    """A value that is not plain data, or a line that does not hold any."""


def encode(value: object, depth: int = DEPTH) -> Any:
    """Return the JSON form of plain data; a subclass counts as the built-in type it extends.

    Raises `NotPlainError` for any other object, and for data deeper than `depth`.
    """
    if depth < 0:
        raise NotPlainError(f"deeper than {DEPTH}")
    if value is None or value is True or value is False:
        return value
    for kind, write in _SCALARS.items():
        if isinstance(value, kind):
            return write(value)
    for name, kind in _SEQUENCES.items():
        if isinstance(value, kind):
            items = [encode(item, depth - 1) for item in kind.__iter__(value)]  # type: ignore[attr-defined]
            return items if name == "list" else {name: items}
    if isinstance(value, dict):
        return {"dict": [[encode(key, depth - 1), encode(item, depth - 1)] for key, item in dict.items(value)]}
    if isinstance(value, Iterator):
        return {"iterator": [encode(item, depth - 1) for item in _first(value)]}
    return _foreign(value, depth)


# More items than this no test compares; an endless iterator must end somewhere.
LONGEST_ITERATOR = 100_000


def _first(values: Iterator[Any]) -> Iterator[Any]:
    for count, value in enumerate(values):
        if count >= LONGEST_ITERATOR:
            raise NotPlainError(f"an iterator of more than {LONGEST_ITERATOR} items")
        yield value


def _foreign(value: object, depth: int) -> Any:
    """A view of a dictionary, or a number of numpy, as the plain data it stands for."""
    kind = type(value)
    if kind in (type({}.keys()), type({}.items())):
        return {"set": [encode(item, depth - 1) for item in value]}  # type: ignore[attr-defined]
    if kind is type({}.values()):
        return {"iterator": [encode(item, depth - 1) for item in value]}  # type: ignore[attr-defined]
    if kind.__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return encode(value.item(), depth - 1)  # type: ignore[attr-defined]
    raise NotPlainError(kind.__name__)


def _integer(value: int) -> Any:
    number = int.__index__(value)
    return number if -_EXACT < number < _EXACT else {"int": hex(number)}


def _real(value: float) -> Any:
    number = float.__float__(value)
    return number if number - number == 0 else {"float": float.__repr__(number)}


_SCALARS: Mapping[type, Callable[[Any], Any]] = {
    int: _integer,
    float: _real,
    str: str.__str__,
    complex: lambda value: {"complex": [_real(value.real), _real(value.imag)]},
    bytes: lambda value: {"bytes": bytes.hex(value)},
    bytearray: lambda value: {"bytearray": bytearray.hex(value)},
    Decimal: lambda value: {"decimal": Decimal.__str__(value)},
    Fraction: lambda value: {"fraction": Fraction.__str__(value)},
    range: lambda value: {"range": [_integer(value.start), _integer(value.stop), _integer(value.step)]},
}
_SEQUENCES: Mapping[str, type] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque
}  # fmt: skip
# Numbers beyond these would take the reader minutes to turn into another form, and no test compares them.
_LARGEST_EXPONENT = 10_000
_FRACTION = re.compile(r"-?[0-9]{1,10000}(?:/[0-9]{1,10000})?")


def _fraction(text: str) -> Fraction:
    if not _FRACTION.fullmatch(text):
        raise NotPlainError("not a fraction of whole numbers")
    return Fraction(text)


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if number.is_finite() and abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise NotPlainError("a decimal of too many digits")
    return number


def _range(parts: list[int]) -> range:
    found = range(*parts)
    if not -LONGEST_ITERATOR <= found.stop - found.start <= LONGEST_ITERATOR and found[LONGEST_ITERATOR:]:
        raise NotPlainError(f"a range of more than {LONGEST_ITERATOR} items")
    return found


def _apart(parts: list[Any]) -> list[Any]:
    """Return the items of a set or dictionary unless they were made to meet in one place of its table."""
    keys = [part[0] if isinstance(part, list) else part for part in parts]
    if len(keys) > _FEW and 2 * len(set(map(hash, keys))) < len(keys):
        raise NotPlainError("items made to collide")
    return parts


# So many items may all have one hash without taking long.
_FEW = 1_000

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": lambda text: {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}[text],
    "complex": lambda parts: complex(*parts),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "decimal": _decimal,
    "fraction": _fraction,
    "range": _range,
    "tuple": tuple,
    "set": lambda parts: set(_apart(parts)),
    "frozenset": lambda parts: frozenset(_apart(parts)),
    "deque": deque,
    "iterator": iter,
    "dict": lambda parts: dict(_apart(parts)),
}


def decode(form: Any, depth: int = DEPTH) -> Any:
    """Return the plain data of a JSON form. Raises `NotPlainError` for every other form."""
    if depth < -1:
        raise NotPlainError("too deep")
    if isinstance(form, list):
        return [decode(item, depth - 1) for item in form]
    if not isinstance(form, dict):
        return form
    if len(form) != 1:
        raise NotPlainError("not one tagged value")
    ((name, inner),) = form.items()
    try:
        parts = [decode(item, depth - 1) for item in inner] if isinstance(inner, list) else inner
        return _READERS[name](parts)
    except (KeyError, TypeError, ValueError, RecursionError, InvalidOperation, ZeroDivisionError) as error:
        raise NotPlainError(f"not a {name}"[:100]) from error


def dumps(form: Any) -> bytes:
    """Return one line of JSON in ASCII, which carries every text, lone surrogates too; NaN has no form."""
    return json.dumps(form, allow_nan=False, separators=(",", ":")).encode()


def loads(line: bytes) -> Any:
    """Read one line of JSON. Raises `NotPlainError` for anything else, NaN and endless nesting included."""
    try:
        return json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotPlainError("not JSON") from error


def _refuse(name: str) -> None:
    raise NotPlainError(name)
