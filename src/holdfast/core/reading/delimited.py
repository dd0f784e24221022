"""Reads CSV, TSV and plain text, row by row, with the line of each row; every value stays the string it was.

A quote that is never closed costs its own line, not the rest of the file. Plain text is one record per paragraph
where blank lines separate paragraphs, else one record per line.
"""

import csv
import io
from collections.abc import Iterator, Sequence

import orjson

from holdfast.core.reading.jsonlines import blocks
from holdfast.core.reading.rows import LINE_CAP, Batch, Batches, Refused
from holdfast.core.reading.sources import ByteSource

DELIMITERS = ",\t;|"

# Rows handed on at once.
ROWS = 5000

Physical = tuple[int, bytes | None]
Cells = tuple[int, list[str] | None, str]


def delimiter_of(head: bytes, *, tab: bool = False) -> str | None:
    """Return the delimiter that splits the first lines into equally many (two or more) cells, or None."""
    text = head.decode("utf-8", "replace")
    lines = text.split("\n")[: -1 if len(text) > 4096 else None][:20]
    lines = [line for line in lines if line.strip()]
    for delimiter in "\t" if tab else DELIMITERS:
        try:
            counts = {len(row) for row in csv.reader(lines, delimiter=delimiter)}
        except csv.Error:
            continue
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        if len(counts) == 1 and len(header) >= 2 and all(cell.strip() and len(cell) <= 64 for cell in header):
            return delimiter
    return None


def physical_lines(source: ByteSource) -> Iterator[Physical]:
    """Yield (line number, bytes without its end), with None for a line beyond the size cap."""
    for block, last in blocks(source):
        if block.overlong:
            yield block.first, None
            continue
        pieces = block.data.split(b"\n")
        if not last or not pieces[-1]:
            pieces.pop()
        yield from enumerate(pieces, block.first)


def read_csv(source: ByteSource, delimiter: str) -> Batches:
    """Yield batches of a CSV with a header line; `row` is the line on which the row begins."""
    csv.field_size_limit(LINE_CAP)
    header: list[str] | None = None
    batch = Batch()
    for line, cells, reason in _records(physical_lines(source), delimiter):
        if cells is None:
            batch.refused.append(Refused(line, 1, reason))
        elif header is None:
            header = _header(cells)
        elif len(cells) != len(header):
            batch.refused.append(Refused(line, 1, f"wrong-column-count: {len(cells)} of {len(header)}"))
        else:
            value = dict(zip(header, cells, strict=True))
            batch.add(value, orjson.dumps(value), line)
        if len(batch.rows) >= ROWS:
            yield batch
            batch = Batch()
    if source.fault:
        batch.refused.append(Refused(line if header else 1, 1, source.fault))
    yield batch


def _header(cells: list[str]) -> list[str]:
    """Return column names: an empty or doubled one gets the number of its column, so that none hides another."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        names.append(cell if cell and cell not in names else f"{cell}_{number}")
    return names


def _cells(text: str, delimiter: str) -> list[str] | None:
    lines = io.StringIO(text.removesuffix("\r"), newline="")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _records(lines: Iterator[Physical], delimiter: str) -> Iterator[Cells]:
    """Join physical lines while a quote is open; yield (line, cells, '') or (line, None, reason).

    Lines that join to a row of another width than the header were not meant to be joined: the first has a stray
    quote and is refused alone.
    """
    held: list[tuple[int, str]] = []
    size = width = 0
    for number, raw in lines:
        text, reason = _decode(raw)
        if reason:
            yield from _apart(held, delimiter)
            yield number, None, reason
            held, size = [], 0
        elif held or text.strip("\r"):
            held.append((number, text))
            size += len(text)
            still_open = (text.count('"') % 2 == 1) == (len(held) == 1)
            if still_open and size <= LINE_CAP:
                continue
            cells = None if still_open else _cells("\n".join(part for _, part in held), delimiter)
            if len(held) > 1 and (cells is None or len(cells) != width):
                yield from _apart(held, delimiter)
            else:
                width = width or len(cells or ())
                yield held[0][0], cells, "" if cells else "broken-csv"
            held, size = [], 0
    yield from _apart(held, delimiter)


def _apart(held: Sequence[tuple[int, str]], delimiter: str) -> Iterator[Cells]:
    """Refuse the line whose quote stays open, and take the lines after it as rows of their own."""
    for position, (number, text) in enumerate(held):
        cells = _cells(text, delimiter) if position else None
        yield number, cells, "" if cells else "broken-csv: a quote is not closed"


def _decode(raw: bytes | None) -> tuple[str, str]:
    if raw is None:
        return "", "too-long"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return "", f"not-utf8: byte 0x{raw[error.start]:02x}"
    return text, "nul-byte" if "\0" in text else ""


def has_paragraphs(head: bytes) -> bool:
    """Return whether blank lines stand between the lines of a text."""
    return b"\n\n" in head.strip().replace(b"\r\n", b"\n")


def read_text(source: ByteSource, *, paragraphs: bool) -> Batches:
    """Yield batches of plain text; a record is {"text": ...} and its `row` is the line on which it begins."""
    batch = Batch()
    held: list[str] = []
    begun = line = 1
    for line, raw in physical_lines(source):
        text, reason = _decode(raw)
        if reason:
            batch.refused.append(Refused(line, 1, reason))
        if held and (not paragraphs or not text.strip() or sum(map(len, held)) > LINE_CAP):
            _add_text(batch, held, begun)
            held = []
        if text.strip():
            begun = begun if held else line
            held.append(text.removesuffix("\r"))
        if len(batch.rows) >= ROWS:
            yield batch
            batch = Batch()
    if held:
        _add_text(batch, held, begun)
    if source.fault:
        batch.refused.append(Refused(line, 1, source.fault))
    yield batch


def _add_text(batch: Batch, held: list[str], begun: int) -> None:
    value = {"text": "\n".join(held)}
    batch.add(value, orjson.dumps(value), begun)
