"""Writes records back: in the user's own format and shape, or in another; whole files, equal bytes.

The own columns come out exactly as they came in, with one nested `holdfast` column behind them. Rows of a Parquet
or Arrow input are taken from that file again, because JSON has no dates, decimals or bytes. Tables for people are
not written here: values are never prefixed or escaped for a spreadsheet.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa

from holdfast.core.columnar import COLUMNAR, Change, cell_text, columns_of, write_tables
from holdfast.core.dataset import Dataset, Quarantined
from holdfast.core.errors import UsageError, nearest
from holdfast.core.files import whole_file
from holdfast.core.reading.jsonmembers import with_member
from holdfast.core.scratch import scratch
from holdfast.core.shapes import RowShape, json_rows

FileFormat = Literal["jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet", "arrow", "csv", "tsv"]
FORMATS: tuple[FileFormat, ...] = ("jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet", "arrow", "csv", "tsv")
DELIMITERS = {"csv": ",", "tsv": "\t"}
CODECS = {"jsonl.gz": "gzip", "jsonl.zst": "zstd"}

REASON = "holdfast_reason"

Indices = Sequence[int] | np.ndarray


def own_format(dataset: Dataset) -> FileFormat:
    """Return the format of the first input; JSONL for plain text and the like, which have no room for a column."""
    label = dataset.inputs[0].format if dataset.inputs else "jsonl"
    known = next((name for name in FORMATS if name == label), None)
    return known or ("csv" if label.startswith("csv") else "tsv" if label.startswith("tsv") else "jsonl")


def write_dataset(
    path: Path,
    dataset: Dataset,
    indices: Indices | None = None,
    *,
    form: FileFormat | None = None,
    shape: RowShape = "own",
    change: Change | None = None,
) -> Path:
    """Write the records at `indices` (all of them by default) in data set order; return `path`.

    `form` is the input's own by default. Rows that are taken from a Parquet or Arrow input again go through `change`,
    which is given each part of them and the number of its first row among all that are written.
    The file is there whole or not at all. Raises `InputError` when a Parquet or Arrow input is no longer the file
    that was read.
    """
    form = form or own_format(dataset)
    if form not in FORMATS:
        raise UsageError(f"There is no file format {form!r}.", nearest(form, FORMATS))
    if form in COLUMNAR:
        with scratch() as folder, whole_file(path) as file:
            tables = columns_of(dataset, lambda: _chosen(dataset, indices), shape, change, folder)
            write_tables(file, form, tables)
        return path
    lines = _lines(_chosen(dataset, indices), shape)
    if form in DELIMITERS:
        names = list(dict.fromkeys(key for line in lines for key in json.loads(line)))
        lines = _csv_lines(names, _lines(_chosen(dataset, indices), shape), DELIMITERS[form])
    elif form == "json":
        lines = _array_lines(lines)
    write_lines(path, lines, CODECS.get(form, "plain"))
    return path


def write_reasons(path: Path, dataset: Dataset, indices: Indices, reasons: Sequence[str]) -> Path:
    """Write records as JSONL in their own shape, each with its `holdfast_reason`; reasons go by position."""
    order = np.argsort(np.asarray(indices, dtype=np.int64), kind="stable")
    lines = _lines(_chosen(dataset, np.asarray(indices, dtype=np.int64)[order]), "own")
    sorted_reasons = [reasons[at] for at in order.tolist()]
    pairs = zip(lines, sorted_reasons, strict=True)
    write_lines(path, (with_member(line, REASON, json.dumps(reason).encode()) for line, reason in pairs))
    return path


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write mappings as JSON Lines, keys in the order given."""
    write_lines(path, (orjson.dumps(dict(row)) for row in rows))
    return path


def write_quarantine(path: Path, quarantine: Iterable[Quarantined]) -> Path:
    """Write what could not be read: file, line, column, reason."""
    names = ("file", "line", "column", "reason")
    return write_rows(path, ({name: getattr(one, name) for name in names} for one in quarantine))


def set_aside(folder: Path, dataset: Dataset) -> dict[str, str]:
    """Write quarantine.jsonl where rows could not be read; return its role and name, as a manifest lists files."""
    if not dataset.quarantine:
        return {}
    return {"quarantine": write_quarantine(folder / "quarantine.jsonl", dataset.quarantine).name}


def write_lines(path: Path, lines: Iterable[bytes], codec: str = "plain") -> None:
    """Write each item as one line."""
    with whole_file(path, codec) as file:
        for line in lines:
            file.write(line + b"\n")


def _chosen(dataset: Dataset, indices: Indices | None) -> Iterator[pa.Table]:
    """Yield the chosen records shard by shard, in data set order."""
    wanted = None if indices is None else np.sort(np.asarray(indices, dtype=np.int64))
    for shard in dataset.shards:
        if wanted is None:
            yield shard.table()
            continue
        low, high = np.searchsorted(wanted, (shard.first, shard.first + shard.rows))
        if high > low:
            yield shard.table().take(pa.array(wanted[low:high] - shard.first))


def _lines(tables: Iterable[pa.Table], shape: RowShape) -> Iterator[bytes]:
    for table in tables:
        yield from json_rows(table, shape)


def _array_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Return the lines of one JSON array, an element on each."""
    yield b"["
    previous = next(lines, None)
    while previous is not None:
        following = next(lines, None)
        yield previous if following is None else previous + b","
        previous = following
    yield b"]"


def _csv_lines(names: Sequence[str], lines: Iterator[bytes], delimiter: str) -> Iterator[bytes]:
    yield _csv_line(names, delimiter)
    for line in lines:
        row = json.loads(line)
        yield _csv_line([cell_text(row.get(name)) for name in names], delimiter)


def _csv_line(cells: Sequence[str], delimiter: str) -> bytes:
    """Return one line. The standard writer leaves a carriage return unquoted, and its reader then ends the row."""
    return delimiter.join(_quoted(cell, delimiter) for cell in cells).encode()


def _quoted(cell: str, delimiter: str) -> str:
    if not any(letter in cell for letter in (delimiter, '"', "\n", "\r")):
        return cell
    return '"' + cell.replace('"', '""') + '"'
