"""Rows on their way in: what every file reader hands on, and the closed list of reasons to refuse one.

A batch holds parsed rows beside the JSON text they came from, so that a clean row is stored as it was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# The word before the first colon of `Quarantined.reason`; what follows the colon is detail.
REASONS = (
    "broken-json",
    "truncated-tail",
    "not-utf8",
    "nul-byte",
    "lone-surrogate",
    "not-a-number",
    "number-not-exact",
    "duplicate-key",
    "too-deep",
    "too-long",
    "not-an-object",
    "broken-csv",
    "wrong-column-count",
    "utf-16",
    "utf-32",
    "truncated-gzip",
    "broken-gzip",
    "truncated-zstd",
    "broken-zstd",
    "decompression-bomb",
    "broken-parquet",
    "broken-arrow",
    "unreadable-value",
)

LINE_CAP = 16 * 2**20
"""Bytes of one record. Longer ones are refused unread: one 100 MB line is accepted or fatal in common loaders."""

DEPTH_CAP = 64
"""Nesting of one record. Two common JSON parsers end the process on a hostile depth, so it is checked before any."""


class Refused(NamedTuple):
    """A row that is not read: 1-based line and column, and why."""

    line: int
    column: int
    reason: str


@dataclass(slots=True)
class Batch:
    """Rows in file order: parsed values, their JSON text, their 1-based row number; and the rows refused."""

    values: list[dict[str, Any]] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, value: dict[str, Any], raw: bytes, row: int) -> None:
        """Append one good row."""
        self.values.append(value)
        self.raws.append(raw)
        self.rows.append(row)


Batches = Iterator[Batch]
