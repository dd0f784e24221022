"""Reads JSON Lines; loses no row and changes no value.

Length and depth are bounded before any parser runs, and an over-long line is never held in memory. A clean line
goes through orjson and is kept as its own text; a suspicious one (a long run of digits, more colons than keys, or
one that orjson refuses) goes through the strict parser, which says what is wrong and in which column.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from holdfast.core.reading.jsonkernel import measure
from holdfast.core.reading.jsonstrict import UnreadableError, strict
from holdfast.core.reading.rows import DEPTH_CAP, LINE_CAP, Batch, Batches, Refused
from holdfast.core.reading.sources import ByteSource

BLOCK = 4 * 2**20

# orjson returns integers beyond 64 bits (19 digits and more) as the nearest double.
EXACT_DIGITS = 18

BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One candidate row: its bytes (None when over-long), its number, and where it starts in the file."""

    data: bytes | None
    row: int
    line: int
    column: int = 1


class Block(NamedTuple):
    """Whole lines of a file, the number of the first; or the place of a line beyond the size cap."""

    data: bytes
    first: int
    overlong: bool = False


def read_lines(source: ByteSource) -> Batches:
    """Yield batches of a JSONL file; `row` is the line number."""
    for lines, last in _numbered(source):
        if not (last and source.fault):
            yield parse(lines, last=last)
        else:
            yield Batch(refused=[Refused(lines[0].line, 1, source.fault)])


def _numbered(source: ByteSource) -> Iterator[tuple[list[Line], bool]]:
    for block, last in blocks(source):
        if block.overlong:
            yield [Line(None, block.first, block.first)], last
            continue
        pieces = block.data.split(b"\n")
        if not last:
            pieces.pop()
        yield [Line(piece, number, number) for number, piece in enumerate(pieces, block.first)], last


def blocks(source: ByteSource) -> Iterator[tuple[Block, bool]]:
    """Yield blocks of whole lines, then the tail (True). A line beyond the cap is passed over, not collected."""
    carry, number, dropping, first = b"", 1, False, True
    while chunk := source.read(BLOCK):
        if first:
            chunk, first = chunk.removeprefix(BOM), False
        if dropping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, dropping = chunk[end + 1 :], False
            yield Block(b"", number, overlong=True), False
            number += 1
        carry += chunk
        cut = carry.rfind(b"\n") + 1
        if cut:
            yield Block(carry[:cut], number), False
            number += carry.count(b"\n", 0, cut)
            carry = carry[cut:]
        if len(carry) > LINE_CAP:
            carry, dropping = b"", True
    yield Block(carry, number, overlong=dropping), True


def parse(lines: list[Line], *, last: bool = False) -> Batch:
    """Parse candidate rows; `last` says that the file ends right behind the last of them."""
    batch = Batch()
    texts = [line.data or b"" for line in lines]
    for line, depth, colons, digits in zip(lines, *measure(texts), strict=True):
        raw = line.data
        if raw is None or len(raw) > LINE_CAP:
            batch.refused.append(Refused(line.line, line.column, "too-long"))
            continue
        value = _quick(raw) if depth <= DEPTH_CAP and digits <= EXACT_DIGITS else None
        if value is not None and (len(value) == colons or keys_of(value) == colons):
            batch.add(value, _one_line(raw), line.row)
        elif raw.strip():
            _strict(batch, line, raw, cut=last and line is lines[-1])
    return batch


def _quick(raw: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) is dict else None


def keys_of(value: dict[str, Any] | list[Any]) -> int:
    """Count the keys of all objects in a parsed value; fewer than its text has colons means a key was doubled."""
    if type(value) is dict:
        total = len(value)
        parts: Any = value.values()
    else:
        total, parts = 0, value
    for part in parts:
        if type(part) is dict or type(part) is list:
            total += keys_of(part)
    return total


def _one_line(raw: bytes) -> bytes:
    # A parsed value holds line breaks only between its tokens, where a space says the same.
    raw = raw.strip()
    return raw.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in raw or b"\r" in raw else raw


def _strict(batch: Batch, line: Line, raw: bytes, *, cut: bool) -> None:
    try:
        value = strict(raw, cut=cut)
    except UnreadableError as error:
        breaks = error.before.count("\n")
        column = (1 if breaks else line.column) + len(error.before.rpartition("\n")[2])
        batch.refused.append(Refused(line.line + breaks, column, error.reason))
    else:
        batch.add(value, _one_line(raw), line.row)
