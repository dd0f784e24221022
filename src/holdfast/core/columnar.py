"""Records as Parquet and Arrow files: the user's own columns, with their types, and one nested `holdfast` column.

JSON has no dates, decimals or bytes, so that rows of a Parquet or Arrow input are taken from that file again and put
where their record stands. One part is in memory at a time. Rows of other inputs are turned into columns as a whole.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.core.dataset import Dataset, Input
from holdfast.core.errors import InputError
from holdfast.core.files import digest_of
from holdfast.core.objects import local
from holdfast.core.reading.columnar import record_batches
from holdfast.core.reading.provenance import HOLDFAST, OWN
from holdfast.core.shapes import RowShape, json_rows, nested_of
from holdfast.core.shuffle import Shuffle, sliced

COLUMNAR = ("parquet", "arrow")

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

INPUT_ROW = ("input", "row")
# Columns in memory are larger than in their file: text compresses to a third or less.
EXPANDED = 4

# change(own rows of a part, number of the first of them among all written) -> rows
Change = Callable[[pa.Table, int], pa.Table]


def write_tables(file: BinaryIO, form: str, tables: Iterable[pa.Table]) -> None:
    """Write tables of one schema as one Parquet or Arrow file, each as a row group or batch."""
    parts = iter(tables)
    first = next(parts)
    with _writer(file, form, first.schema) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part.cast(first.schema))


def _writer(file: BinaryIO, form: str, schema: pa.Schema) -> Any:
    return pq.ParquetWriter(file, schema, compression="zstd") if form == "parquet" else pa.ipc.new_file(file, schema)


def columns_of(
    dataset: Dataset, chosen: Callable[[], Iterator[pa.Table]], shape: RowShape, change: Change | None, folder: Path
) -> Iterator[pa.Table]:
    """Yield the chosen records as tables of user columns and the nested one; at least one, maybe without rows.

    `chosen` yields tables of `dataset.SCHEMA` and is asked more than once. `folder` is for what does not fit in memory.
    Raises `InputError` when a Parquet or Arrow input is no longer the file that was read.
    """
    schema = _own_schema(dataset) if shape == "own" else None
    if schema is None:
        rows = [json.loads(line) for table in chosen() for line in json_rows(table, shape)]
        nested = [_nested(row) for table in chosen() for row in table.to_pylist()]
        yield _with_nested(table_of_json(rows), nested)
        return
    written = 0
    own = _own_rows(dataset, chosen, schema, folder)
    sizes = (table.num_rows for table in chosen() if table.num_rows)
    for table, rows_of in zip((table for table in chosen() if table.num_rows), sliced(own, sizes), strict=True):
        columns = rows_of if change is None else change(rows_of, written)
        yield _with_nested(columns, [_nested(row) for row in table.to_pylist()])
        written += table.num_rows
    if not written:
        yield _with_nested(schema.empty_table(), [])


def _with_nested(own: pa.Table, nested: list[dict[str, Any]]) -> pa.Table:
    if HOLDFAST in own.column_names:
        ours = pa.types.is_struct(own.schema.field(HOLDFAST).type) or pa.types.is_null(own.schema.field(HOLDFAST).type)
        renamed = [OWN if name == HOLDFAST else name for name in own.column_names]
        own = own.drop_columns([HOLDFAST]) if ours else own.rename_columns(renamed)
    return own.append_column(HOLDFAST, pa.array(nested, type=NESTED))


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    value = nested_of(row)
    return value | {name: orjson.dumps(value[name]).decode() if value[name] else None for name in AS_TEXT}


def _own_schema(dataset: Dataset) -> pa.Schema | None:
    """Return the one schema of all inputs; None when some input is not columnar or they differ."""
    if not dataset.inputs or any(one.format not in COLUMNAR for one in dataset.inputs):
        return None
    schemas = [_schema_of(one) for one in dataset.inputs]
    same = all(each.remove_metadata() == schemas[0].remove_metadata() for each in schemas)
    return schemas[0] if same else None


def _schema_of(one: Input) -> pa.Schema:
    path = local(one.path)
    if not path.exists() or digest_of(path) != one.digest:
        raise InputError(f"{path} is no longer the file that was read.", "Run again on the file as it is now.")
    if one.format == "parquet":
        return pq.read_schema(path)
    first = next(record_batches(path), None)
    return pa.schema([]) if first is None else first.schema


def _own_rows(
    dataset: Dataset, chosen: Callable[[], Iterator[pa.Table]], schema: pa.Schema, folder: Path
) -> Iterator[pa.Table]:
    """Yield the rows of the chosen records out of the files that they were read from, in the order of the records."""
    tables = [table.select(["input", "row"]) for table in chosen()]
    inputs, rows = (np.concatenate([table.column(name).to_numpy() for table in tables] or [[]]) for name in INPUT_ROW)
    size = sum(local(one.path).stat().st_size for one in dataset.inputs)
    shuffle = Shuffle(folder, len(rows), int(EXPANDED * size * len(rows) / max(dataset.rows, 1)))
    for number, one in enumerate(dataset.inputs):
        places = np.flatnonzero(inputs == number)
        places = places[np.argsort(rows[places], kind="stable")]
        first = 1
        for batch in record_batches(local(one.path)):
            low, high = np.searchsorted(rows[places], (first, first + batch.num_rows))
            taken = pa.Table.from_batches([batch]).take(pa.array(rows[places[low:high]] - first, pa.int64()))
            shuffle.add(taken.replace_schema_metadata(schema.metadata), places[low:high])
            first += batch.num_rows
    yield from shuffle.tables()


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
    return pa.array([None if value is None else cell_text(value) for value in values], type=pa.string())


def cell_text(value: Any) -> str:
    """Return a value as the text of one cell: strings as they are, nothing for null, JSON for the rest."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _has_empty_struct(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_has_empty_struct(field.type) for field in kind)
    return pa.types.is_list(kind) and _has_empty_struct(kind.value_type)
