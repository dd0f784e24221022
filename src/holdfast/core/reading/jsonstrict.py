"""Parses one JSON object strictly, and says what is wrong with it and where.

Integers of any length stay exact; a doubled key, a lone surrogate, NaN and numbers beyond a double are refused
instead of being replaced by something near. The depth is checked before the parser runs. Slow and exact; the quick
way for clean lines is in `core.reading.jsonlines`.
"""

import json
import re
from typing import Any

from holdfast.core.reading.rows import DEPTH_CAP

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)

# Reads escapes left to right, so that an escaped backslash before a u is none; a whole pair is passed over.
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class UnreadableError(Exception):
    """A row that strict reading refuses: the reason, and the text before the place of the fault."""

    def __init__(self, reason: str, before: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.before = before


def strict(raw: bytes, *, cut: bool = False) -> dict[str, Any]:
    """Parse one JSON object or raise `UnreadableError`. Integers are exact; no key is lost; no value is replaced."""
    text = _decoded(raw)
    _check_depth(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
        )
    except _FaultError as fault:
        raise UnreadableError(fault.reason, text[: fault.find(text)]) from None
    except json.JSONDecodeError as error:
        ended = cut and (error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"))
        raise UnreadableError("truncated-tail" if ended else "broken-json", text[: error.pos]) from None
    if lone := _lone_surrogate(text):
        raise UnreadableError("lone-surrogate", text[: lone.start()])
    if type(value) is not dict:
        raise UnreadableError("not-an-object", "")
    return value


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise UnreadableError(f"not-utf8: byte 0x{raw[error.start]:02x}", before) from None
    if "\0" in text:
        raise UnreadableError("nul-byte", text[: text.index("\0")])
    return text


def _blanked(text: str) -> str:
    """Return the text with what stands inside strings replaced by spaces, positions kept."""
    return _STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', text)


def _check_depth(text: str) -> None:
    if text.count("{") + text.count("[") <= DEPTH_CAP:
        return
    depth = 0
    for position, letter in enumerate(_blanked(text)):
        depth += (letter in "{[") - (letter in "}]")
        if depth > DEPTH_CAP:
            raise UnreadableError("too-deep", text[:position])


class _FaultError(Exception):
    """Raised from inside the parser, which does not say where it is; `find` looks the place up."""

    def __init__(self, reason: str, pattern: str, which: int = 0, blank: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.pattern, self.which, self.blank = reason, pattern, which, blank

    def find(self, text: str) -> int:
        places = [found.start() for found in re.finditer(self.pattern, _blanked(text) if self.blank else text)]
        return places[min(self.which, len(places) - 1)] if places else 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        pattern = re.escape(json.dumps(double, ensure_ascii=False)) + r"\s*:"
        raise _FaultError(f"duplicate-key: {double[:80]!a}", pattern, which=1, blank=False)
    return value


def _no_constant(name: str) -> Any:
    raise _FaultError(f"not-a-number: {name}", r"(?:-?Infinity|NaN)")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _FaultError("number-not-exact", re.escape(digits))
    return value


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise _FaultError("number-not-exact", re.escape(digits)) from None


def _lone_surrogate(text: str) -> "re.Match[str] | None":
    """Find an escaped half of a surrogate pair that stands alone; it cannot be written as UTF-8."""
    for found in _ESCAPES.finditer(text):
        if found["lone"]:
            return found
    return None
