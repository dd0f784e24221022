"""Dataset: records as shards of Arrow tables on disk, read lazily and in order.

Hot paths see tables with the columns of `SCHEMA`; `Record` is the row view for people's plug-ins. A record is
referred to by its global index, its position in the data set, until a reader needs its id. This module does not
parse anybody's files (`core.reader`) and does not decide what a column means (`core.formats`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.record import Message, Provenance, Record

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("input", pa.int32()),
        ("row", pa.int64()),
        ("prompt", pa.string()),
        ("response", pa.string()),
        ("extra", pa.string()),
        ("origin", pa.string()),
        ("synthetic_fields", pa.list_(pa.string())),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("generator", pa.string()),
        ("family", pa.string()),
        ("revision", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("depth", pa.int32()),
        ("seed", pa.int64()),
        ("decoding", pa.string()),
        ("cell", pa.string()),
        ("messages", pa.string()),
        ("checks", pa.string()),
        ("fields", pa.string()),
    ]
)

PROVENANCE = ("origin", "source", "licence", "generator", "family", "revision", "depth", "seed")


@dataclass(frozen=True, slots=True)
class Shard:
    """One Arrow IPC file on disk. `first` is the global index of its first record."""

    path: Path
    rows: int
    first: int

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read the shard, or only `columns` of it, into memory (not mapped, so that memory is what it seems)."""
        options = None
        if columns is not None:
            options = pa.ipc.IpcReadOptions(included_fields=[SCHEMA.get_field_index(name) for name in columns])
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_file(file, options=options) as reader:
            table = reader.read_all()
        return table if columns is None else table.select(list(columns))


@dataclass(frozen=True, slots=True)
class Input:
    """One file that was read: its digest (BLAKE2b-128 of the bytes as they lie), records and detected format."""

    path: str
    digest: str
    records: int
    format: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One row that could not be read, and where: 1-based line and column, reason from a closed vocabulary."""

    file: str
    line: int
    column: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Shards in order, the inputs they came from, and the rows that could not be read."""

    shards: tuple[Shard, ...]
    inputs: tuple[Input, ...] = ()
    quarantine: tuple[Quarantined, ...] = ()

    @property
    def rows(self) -> int:
        """How many records there are."""
        return sum(shard.rows for shard in self.shards)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield each shard's table, or only `columns` of it, in order."""
        for shard in self.shards:
            yield shard.table(columns)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one whole column. Meant for the small ones; texts are read shard by shard."""
        chunks = [chunk for table in self.tables([name]) for chunk in table.column(name).chunks]
        return pa.chunked_array(chunks, type=SCHEMA.field(name).type)

    def records(self) -> Iterator[Record]:
        """Yield every record in order."""
        for table in self.tables():
            yield from records_of(table)

    def take(self, indices: Sequence[int] | np.ndarray, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows at the given global indices, in the order asked; reads only the shards that hold them."""
        wanted = np.asarray(indices, dtype=np.int64)
        names = list(columns or SCHEMA.names)
        parts, order = [], []
        for shard in self.shards:
            hit = np.flatnonzero((wanted >= shard.first) & (wanted < shard.first + shard.rows))
            if len(hit):
                parts.append(shard.table(names).take(pa.array(wanted[hit] - shard.first)))
                order.append(hit)
        if not parts:
            return SCHEMA.empty_table().select(names)
        return pa.concat_tables(parts).take(pa.array(np.argsort(np.concatenate(order), kind="stable")))


def text_of(table: pa.Table) -> pa.ChunkedArray:
    """Return all training text of each record: prompt, line break, response; the response alone without a prompt."""
    prompt, response = table.column("prompt"), table.column("response")
    return pc.if_else(pc.equal(prompt, ""), response, pc.binary_join_element_wise(prompt, response, "\n"))


def records_of(table: pa.Table) -> Iterator[Record]:
    """Yield the row view of a table with the columns of `SCHEMA`."""
    for row in table.to_pylist():
        yield Record(
            id=row["id"],
            prompt=row["prompt"],
            response=row["response"],
            provenance=_provenance(row),
            messages=_messages(row["messages"]),
            fields=_json(row["fields"]) or {},
            checks=_json(row["checks"]) or {},
        )


def _provenance(row: dict[str, Any]) -> Provenance:
    return Provenance(
        **{name: row[name] for name in PROVENANCE},
        synthetic_fields=tuple(row["synthetic_fields"] or ()),
        parents=tuple(row["parents"] or ()),
        decoding=_json(row["decoding"]),
        cell=_json(row["cell"]),
    )


def _messages(text: str | None) -> tuple[Message, ...] | None:
    turns = _json(text)
    return None if turns is None else tuple(Message(turn["role"], turn["content"]) for turn in turns)


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


@dataclass(slots=True)
class ShardWriter:
    """Writes tables or records into numbered shards of one folder; `finish` returns them in order."""

    folder: Path
    shards: list[Shard] = field(default_factory=list)
    rows: int = 0

    def write(self, table: pa.Table) -> None:
        """Write one shard. The table must have the columns of `SCHEMA`."""
        path = self.folder / f"shard-{len(self.shards):06d}.arrow"
        table = table.select(SCHEMA.names).cast(SCHEMA)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
            writer.write_table(table)
        self.shards.append(Shard(path, table.num_rows, self.rows))
        self.rows += table.num_rows

    def finish(self) -> tuple[Shard, ...]:
        """Return the shards written so far."""
        return tuple(self.shards)


def table_of(records: Sequence[Record]) -> pa.Table:
    """Return records as a table with the columns of `SCHEMA`; `input` is 0 and `row` counts from 1."""
    return pa.Table.from_pylist([_row(record, number) for number, record in enumerate(records, 1)], schema=SCHEMA)


def _row(record: Record, number: int) -> dict[str, Any]:
    origin = record.provenance
    return {
        **{name: getattr(origin, name) for name in PROVENANCE},
        "id": record.id,
        "input": 0,
        "row": number,
        "prompt": record.prompt,
        "response": record.response,
        "synthetic_fields": list(origin.synthetic_fields),
        "parents": list(origin.parents),
        "decoding": _dump(origin.decoding),
        "cell": _dump(origin.cell),
        "messages": None if record.messages is None else _dump([turn._asdict() for turn in record.messages]),
        "checks": _dump(dict(record.checks)) if record.checks else None,
        "fields": _dump(dict(record.fields)),
    }


def _dump(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
