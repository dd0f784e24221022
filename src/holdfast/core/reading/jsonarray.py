"""Reads the values of a JSON array, or JSON objects one after another, without holding the file.

The values go through the same parsing as lines (`core.reading.jsonlines`), with the line and column where each begins.
"""

from dataclasses import dataclass, field

import numpy as np

from holdfast.core.reading.jsonkernel import BEGIN, CLOSED, split
from holdfast.core.reading.jsonlines import BLOCK, BOM, Line, parse
from holdfast.core.reading.rows import LINE_CAP, Batch, Batches, Refused
from holdfast.core.reading.sources import ByteSource


def read_array(source: ByteSource, *, base: int) -> Batches:
    """Yield batches of the values in a JSON array (`base` 1) or of objects one after another (`base` 0).

    `row` counts the values from 1. A value over the size cap is refused and passed over, not collected.
    """
    values = _Values(base)
    while not values.state[CLOSED] and (chunk := source.read(BLOCK // 4)):
        yield parse(values.feed(chunk))
    yield values.after_end(source)
    while (again := values.resume()) is not None:
        yield parse(again)


def _fresh(depth: int) -> np.ndarray:
    return np.array([depth, 0, 0, -1, 0], dtype=np.int64)


@dataclass(slots=True)
class _Values:
    """Cuts a stream into values and knows the line and column of each; holds one unfinished value at most."""

    base: int
    state: np.ndarray = field(default_factory=lambda: _fresh(0))
    row: int = 0
    line: int = 1
    column: int = 1
    pending: bytes = b""
    begun: tuple[int, int] = (1, 1)
    dropped: bool = False
    opened: bool = False
    rest: bytes = b""

    def feed(self, chunk: bytes) -> list[Line]:
        """Return the values that end in `chunk`."""
        if not self.opened:
            chunk = self._open(chunk)
        carried, at = self.state[BEGIN] >= 0, 0
        found: list[Line] = []
        for start, end in split(chunk, self.base, self.state):
            if carried and not found:
                data: bytes | None = None if self.dropped else self.pending + chunk[:end]
                self.pending, self.dropped = b"", False
            else:
                self._move(chunk, at, start)
                at, self.begun, data = start, (self.line, self.column), chunk[start:end]
            self.row += 1
            found.append(Line(data, self.row, *self.begun))
        self._carry(chunk, at, carried and not found)
        return found

    def _open(self, chunk: bytes) -> bytes:
        self.opened = True
        chunk = chunk.removeprefix(BOM)
        if self.base:
            self.state = _fresh(self.base)
            return chunk.replace(b"[", b" ", 1)
        return chunk

    def _move(self, chunk: bytes, at: int, to: int) -> None:
        breaks = chunk.count(b"\n", at, to)
        self.line += breaks
        self.column = to - chunk.rfind(b"\n", at, to) if breaks else self.column + to - at

    def _carry(self, chunk: bytes, at: int, same: bool) -> None:
        """Keep what is unfinished at the end of a chunk, up to the size cap."""
        begin = int(self.state[BEGIN])
        end = int(self.state[CLOSED]) or len(chunk)
        self.rest = chunk[end:]
        if begin >= 0 and not same:
            self._move(chunk, at, begin)
            at, self.begun, self.pending = begin, (self.line, self.column), chunk[begin:]
        elif begin >= 0 and not self.dropped:
            self.pending += chunk
        if len(self.pending) > LINE_CAP:
            self.pending, self.dropped = b"", True
        self._move(chunk, at, end)
        if begin >= 0:
            self.state[BEGIN] = 0

    def after_end(self, source: ByteSource) -> Batch:
        """Say what is wrong with the end of the file, if anything is."""
        self.rest += source.read(BLOCK)
        if source.fault:
            return Batch(refused=[Refused(self.line, self.column, source.fault)])
        if self.dropped:
            return Batch(refused=[Refused(*self.begun, "too-long")])
        if self.state[BEGIN] >= 0:
            return parse([Line(self.pending, self.row + 1, *self.begun)], last=True)
        if self.base and not self.state[CLOSED]:
            return Batch(refused=[Refused(self.line, self.column, "truncated-tail")])
        if self.rest.strip():
            return Batch(refused=[Refused(self.line, self.column, "broken-json: text after the end of the array")])
        return Batch()

    def resume(self) -> list[Line] | None:
        """Go on behind a value that never ended, at the next line that opens an object in the same column.

        One missing brace or quote would otherwise cost all rows after it.
        """
        head = b"\n" + b" " * (self.begun[1] - 1) + b"{"
        at = self.pending.find(head)
        if at < 0 or self.state[BEGIN] < 0:
            return None
        rest = self.pending[at + 1 :]
        self.line, self.column = self.begun[0] + self.pending.count(b"\n", 0, at + 1), 1
        self.state, self.pending, self.row = _fresh(self.base), b"", self.row + 1
        return self.feed(rest)
