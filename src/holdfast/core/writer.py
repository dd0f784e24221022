"""Writes records back: in the user's own format and shape, or in another; whole files, equal bytes.

The own columns come out exactly as they came in, with one nested `holdfast` column behind them. Rows of a Parquet
or Arrow input are taken from that file again, because JSON has no dates, decimals or bytes. Tables for people are
not written here: values are never prefixed or escaped for a spreadsheet.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.core.dataset import Dataset, Input, Quarantined
from holdfast.core.errors import InputError, UsageError, nearest
from holdfast.core.files import whole_file
from holdfast.core.reading.columnar import record_batches
from holdfast.core.reading.jsonmembers import with_member
from holdfast.core.reading.provenance import HOLDFAST, OWN
from holdfast.core.reading.sources import digest_of
from holdfast.core.shapes import RowShape, json_rows, nested_of

FileFormat = Literal["jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet", "arrow", "csv", "tsv"]
FORMATS: tuple[FileFormat, ...] = ("jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet", "arrow", "csv", "tsv")
COLUMNAR = ("parquet", "arrow")
DELIMITERS = {"csv": ",", "tsv": "\t"}
CODECS = {"jsonl.gz": "gzip", "jsonl.zst": "zstd"}

REASON = "holdfast_reason"

# A Parquet struct wants one type a member, so that what varies from row to row is kept as JSON text.
NESTED = pa.struct(
    [
        ("origin", pa.string()),
        ("synthetic_fields", pa.list_(pa.string())),
        *[(name, pa.string()) for name in ("source", "licence", "generator", "family", "revision")],
        ("parents", pa.list_(pa.string())),
        ("depth", pa.int32()),
        ("cell", pa.string()),
        ("decoding", pa.string()),
        ("seed", pa.int64()),
        ("checks", pa.string()),
        ("digest", pa.string()),
    ]
)
AS_TEXT = ("cell", "decoding", "checks")

Indices = Sequence[int] | np.ndarray
Change = Callable[[pa.Table], pa.Table]


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

    `form` is the input's own by default. Rows that are taken from a Parquet or Arrow input again go through `change`.
    The file is there whole or not at all. Raises `InputError` when a Parquet or Arrow input is no longer the file
    that was read.
    """
    form = form or own_format(dataset)
    if form not in FORMATS:
        raise UsageError(f"There is no file format {form!r}.", nearest(form, FORMATS))
    if form in COLUMNAR:
        _write_columnar(path, _columns(dataset, list(_chosen(dataset, indices)), shape, change), form)
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
        yield _csv_line([_cell(row.get(name)) for name in names], delimiter)


def _csv_line(cells: Sequence[str], delimiter: str) -> bytes:
    """Return one line. The standard writer leaves a carriage return unquoted, and its reader then ends the row."""
    return delimiter.join(_quoted(cell, delimiter) for cell in cells).encode()


def _quoted(cell: str, delimiter: str) -> str:
    if not any(letter in cell for letter in (delimiter, '"', "\n", "\r")):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _write_columnar(path: Path, table: pa.Table, form: str) -> None:
    with whole_file(path) as file:
        if form == "parquet":
            pq.write_table(table, file, compression="zstd")
        else:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)


def _columns(dataset: Dataset, tables: Sequence[pa.Table], shape: RowShape, change: Change | None) -> pa.Table:
    """Return the chosen records as user columns and the nested one."""
    nested = [_nested(row) for table in tables for row in table.to_pylist()]
    own = _from_sources(dataset, tables) if shape == "own" else None
    if own is not None and change is not None:
        own = change(own)
    if own is None:
        own = table_of_json([json.loads(line) for line in _lines(tables, shape)])
    if HOLDFAST in own.column_names:
        ours = pa.types.is_struct(own.schema.field(HOLDFAST).type) or pa.types.is_null(own.schema.field(HOLDFAST).type)
        renamed = [OWN if name == HOLDFAST else name for name in own.column_names]
        own = own.drop_columns([HOLDFAST]) if ours else own.rename_columns(renamed)
    return own.append_column(HOLDFAST, pa.array(nested, type=NESTED))


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    value = nested_of(row)
    return value | {name: orjson.dumps(value[name]).decode() if value[name] else None for name in AS_TEXT}


def _from_sources(dataset: Dataset, tables: Sequence[pa.Table]) -> pa.Table | None:
    """Return the chosen rows out of their Parquet and Arrow files; None when some input is none or they differ."""
    if not dataset.inputs or any(one.format not in COLUMNAR for one in dataset.inputs):
        return None
    parts: list[pa.Table] = []
    for number, one in enumerate(dataset.inputs):
        rows = [table.filter(pa.compute.equal(table.column("input"), number)).column("row") for table in tables]
        wanted = np.concatenate([part.to_numpy() for part in rows]) if rows else np.array([], dtype=np.int64)
        parts += _taken(one, wanted)
    if not parts or any(part.schema.remove_metadata() != parts[0].schema.remove_metadata() for part in parts):
        return None
    return pa.concat_tables([part.replace_schema_metadata(parts[0].schema.metadata) for part in parts])


def _taken(one: Input, wanted: np.ndarray) -> list[pa.Table]:
    path = Path(one.path)
    if not path.exists() or digest_of(path) != one.digest:
        raise InputError(f"{path} is no longer the file that was read.", "Run again on the file as it is now.")
    parts, first = [], 1
    for batch in record_batches(path):
        low, high = np.searchsorted(wanted, (first, first + batch.num_rows))
        chosen = pa.Table.from_batches([batch]).take(pa.array(wanted[low:high] - first))
        if high > low or first == 1:
            parts.append(chosen)
        first += batch.num_rows
    return parts


def table_of_json(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as Arrow columns. A column that no one type holds exactly becomes JSON text."""
    names = dict.fromkeys(key for row in rows for key in row if key != HOLDFAST)
    return pa.table({name: _exact([row.get(name) for row in rows]) for name in names})


def _exact(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        array = None
    if array is not None and not _has_empty_struct(array.type) and array.to_pylist() == values:
        return array
    return pa.array([None if value is None else _cell(value) for value in values], type=pa.string())


def _has_empty_struct(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_has_empty_struct(field.type) for field in kind)
    return pa.types.is_list(kind) and _has_empty_struct(kind.value_type)
