"""One JSON object as text: its members cut out and put in without touching the text of the others.

Re-serialising would rewrite numbers and escapes; these functions keep every other member byte for byte.
"""

import json
import re

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"\s*")


def members(raw: bytes) -> list[tuple[str, str]]:
    """Return (key, text of the member) of one valid JSON object, in order; the text holds key, colon and value."""
    text = raw.decode("utf-8").strip()
    position = _skip(text, 1)
    found: list[tuple[str, str]] = []
    while text[position] != "}":
        begin = position
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        _, position = _DECODER.raw_decode(text, position)
        found.append((key, text[begin:position]))
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def without(raw: bytes, name: str) -> bytes:
    """Return a JSON object without the member `name`; the text of all other members is unchanged."""
    return ("{" + ",".join(text for key, text in members(raw) if key != name) + "}").encode()


def with_member(raw: bytes, name: str, value: bytes) -> bytes:
    """Return a JSON object with the member `name` added as its last, replacing one of that name."""
    if _may_hold(raw, name) and any(key == name for key, _ in members(raw)):
        raw = without(raw, name)
    body = raw.strip()[1:-1].rstrip()
    return b"{" + body + (b"," if body else b"") + json.dumps(name).encode() + b":" + value + b"}"


def _may_hold(raw: bytes, name: str) -> bool:
    """Look for a key without parsing: as it is, or written with escapes, as any letter of it may be."""
    escape = b"\\u00" if name.isascii() else b"\\u"
    return json.dumps(name, ensure_ascii=False).encode() in raw or escape in raw
