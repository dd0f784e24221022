"""Reads Parquet and Arrow files batch by batch; each row becomes the JSON object that its columns say.

JSON has no dates, decimals or bytes: they are kept as text in a record's fields, while a writer that writes the
same format takes the rows from the file itself. NaN in a number column is read as null, and counted.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holdfast.core.errors import InputError
from holdfast.core.reading.rows import LINE_CAP, Batch, Batches, Refused
from holdfast.core.reading.sources import kind_of

ROWS = 4096


@dataclass(slots=True)
class Nans:
    """How many NaN were read as null."""

    count: int = 0


def read_columnar(path: Path, form: str, nans: Nans) -> Batches:
    """Yield batches of a Parquet or Arrow file; `row` counts rows from 1.

    Raises `InputError` when the file has no readable structure; damage further on ends the rows with a refusal.
    """
    row = 1
    stream = record_batches(path)
    while True:
        try:
            found = next(stream, None)
        except (pa.ArrowException, OSError) as error:
            kind = "broken-parquet" if form == "parquet" else "broken-arrow"
            yield Batch(refused=[Refused(row, 1, f"{kind}: {str(error).splitlines()[0][:200]}")])
            return
        if found is None:
            return
        yield _batch(found, row, nans)
        row += found.num_rows


def record_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the record batches of a file. Raises `InputError` when it cannot be opened as what it claims to be."""
    with path.open("rb") as head:
        form = kind_of(head.read(8))
    try:
        if form == "parquet":
            file = pq.ParquetFile(path)
            _unique_names(path, file.schema_arrow)
            return iter(file.iter_batches(batch_size=ROWS))
        if form == "arrow":
            reader = pa.ipc.open_file(pa.OSFile(str(path)))
            _unique_names(path, reader.schema)
            return _sliced(reader.get_batch(number) for number in range(reader.num_record_batches))
        stream = pa.ipc.open_stream(pa.OSFile(str(path)))
        _unique_names(path, stream.schema)
        return _sliced(iter(stream))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path} is not a readable {form} file: {reason}", "Write the file again.") from None


def _sliced(found: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in found:
        for start in range(0, batch.num_rows, ROWS):
            yield batch.slice(start, ROWS)


def _unique_names(path: Path, schema: pa.Schema) -> None:
    doubled = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if doubled:
        raise InputError(f"{path} has two columns named {doubled[0]!r}.", "Rename one of them.")


def _batch(found: pa.RecordBatch, first: int, nans: Nans) -> Batch:
    batch = Batch()
    for number, row in enumerate(_rows(found, nans), first):
        raw = None if row is None else _json(row)
        if row is None or raw is None:
            batch.refused.append(Refused(number, 1, "unreadable-value"))
        elif len(raw) > LINE_CAP:
            batch.refused.append(Refused(number, 1, "too-long"))
        else:
            batch.add(row, raw, number)
    return batch


def _rows(found: pa.RecordBatch, nans: Nans) -> list[dict[str, Any] | None]:
    """Return the rows of a batch, None for one that cannot be read; a batch with such a row is read row by row."""
    try:
        # A damaged file may point anywhere in memory; nothing is touched before Arrow has checked all of it.
        found.validate(full=True)
        columns = [_plain(column, nans) for column in pa.Table.from_batches([found]).columns]
        rows: list[dict[str, Any] | None] = pa.Table.from_arrays(columns, names=found.schema.names).to_pylist()
    except (pa.ArrowException, UnicodeDecodeError, ValueError, OverflowError):
        if found.num_rows == 1:
            return [None]
        return [row for number in range(found.num_rows) for row in _rows(found.slice(number, 1), nans)]
    return rows


def _plain(column: pa.ChunkedArray, nans: Nans) -> pa.ChunkedArray:
    """Return a column whose values have a JSON form: times as ISO text, NaN as null."""
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
        wild = pc.invert(pc.is_finite(column))
        count = pc.sum(wild).as_py() or 0
        if count:
            nans.count += count
            column = pc.if_else(wild, None, column)
    if pa.types.is_temporal(column.type):
        return column.cast(pa.string())
    return column


def _json(row: dict[str, Any]) -> bytes | None:
    try:
        return orjson.dumps(row, default=_text, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return None


def _text(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
