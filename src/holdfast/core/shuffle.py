"""Shuffle: rows that come in any order are handed out by their place, without holding all of them in memory.

Rows go to one file per span of places; each file is then put in order by itself. Two passes over the rows, whatever
their order; a set of one span never touches the disk.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Places = npt.NDArray[np.int64]

PLACE = "holdfast_place"
# Rows of one span are in memory at once, twice while they are put in order.
SPAN_BYTES = 64 << 20
# Each span is an open file until all rows are there; beyond 16 GB spans grow instead.
MOST_SPANS = 256


@dataclass(slots=True)
class Shuffle:
    """Takes `rows` rows of about `size` bytes together, each with its place from 0 on; every place is filled once."""

    folder: Path
    rows: int
    size: int
    span: int = field(init=False)
    waiting: list[pa.Table] = field(default_factory=list)
    writers: dict[int, Any] = field(default_factory=dict)
    open_files: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.span = max(1, self.rows * SPAN_BYTES // max(self.size, 1), -(-self.rows // MOST_SPANS))

    def add(self, table: pa.Table, places: Places) -> None:
        """Take the rows of a table; `places` has one for each."""
        if not table.num_rows:
            return
        table = table.append_column(PLACE, pa.array(places))
        if self.rows <= self.span:
            self.waiting.append(table)
            return
        spans = places // self.span
        order = np.argsort(spans, kind="stable")
        bounds = np.flatnonzero(np.diff(spans[order], prepend=-1))
        for begin, end in zip(bounds.tolist(), [*bounds[1:].tolist(), len(order)], strict=True):
            self._writer(int(spans[order[begin]]), table.schema).write_table(table.take(pa.array(order[begin:end])))

    def tables(self) -> Iterator[pa.Table]:
        """Yield all rows by place, a span at a time. Nothing can be added afterwards."""
        self.open_files.close()
        if self.waiting:
            yield _ordered(pa.concat_tables(self.waiting))
            self.waiting.clear()
        for number in sorted(self.writers):
            path = self._path(number)
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
                table = reader.read_all()
            path.unlink()
            yield _ordered(table)

    def _path(self, number: int) -> Path:
        return self.folder / f"span-{number:06d}.arrows"

    def _writer(self, number: int, schema: pa.Schema) -> Any:
        if number not in self.writers:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.open_files.enter_context(pa.OSFile(str(self._path(number)), "wb"))
            self.writers[number] = self.open_files.enter_context(pa.ipc.new_stream(file, schema))
        return self.writers[number]


def _ordered(table: pa.Table) -> pa.Table:
    order = np.argsort(table.column(PLACE).to_numpy(), kind="stable")
    return table.drop_columns([PLACE]).take(pa.array(order))


def sliced(tables: Iterator[pa.Table], rows: Iterator[int]) -> Iterator[pa.Table]:
    """Yield the rows of the tables again, in tables of the given numbers of rows; all rows are taken."""
    rest: pa.Table | None = None
    for wanted in rows:
        parts: list[pa.Table] = []
        while sum(part.num_rows for part in parts) < wanted:
            rest = rest if rest is not None and rest.num_rows else next(tables)
            take = wanted - sum(part.num_rows for part in parts)
            parts.append(rest.slice(0, take))
            rest = rest.slice(take)
        if parts:
            yield pa.concat_tables(parts)
