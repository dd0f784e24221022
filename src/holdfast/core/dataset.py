"""Dataset: records as shards of Arrow tables on disk, read lazily and in order.

Hot paths see tables with the columns of `SCHEMA`; `Record` is the row view for people's plug-ins. A record is
referred to by its global index, its position in the data set, until a reader needs its id. This module does not
parse anybody's files (`core.reader`) and does not decide what a column means (`core.reading.formats`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.hashing import Hashes, hash64
from holdfast.core.record import Message, Provenance, Record
from holdfast.core.shuffle import Shuffle

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

PLACE = ("id", "input", "row")
# Rows of a shard that is written anew: what a kernel gets at once.
SHARD_ROWS = 25_000
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
        # A column read from a shard holds on to the whole shard; joined with nothing it is a copy of its own.
        nothing = pa.array([], SCHEMA.field(name).type)
        chunks = [pa.concat_arrays([*table.column(name).chunks, nothing]) for table in self.tables([name])]
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
    if not pc.any(pc.not_equal(prompt, "")).as_py():
        return response  # plain text: copying it would take as long as counting its words
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
            # The user's own values stay exact, also integers that no machine word holds.
            fields=json.loads(row["fields"] or "{}"),
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


def amended(data: Dataset, folder: Path, change: Callable[[pa.Table, int], pa.Table]) -> Dataset:
    """Return a copy under `folder` in which each shard is `change(table, global index of its first record)`.

    The change keeps the rows and their order; inputs and quarantine stay as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writer = ShardWriter(folder)
    for shard in data.shards:
        writer.write(change(shard.table(), shard.first))
    return Dataset(writer.finish(), data.inputs, data.quarantine)


def reordered(data: Dataset, indices: Sequence[int] | np.ndarray, folder: Path) -> Dataset:
    """Return the records at `indices`, in that order, as a data set of its own under `folder`.

    An index may be there several times. Each shard is read once, whatever the order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = np.asarray(indices, dtype=np.int64)
    order = np.argsort(wanted, kind="stable")
    size = sum(shard.path.stat().st_size for shard in data.shards)
    shuffle = Shuffle(folder / "spans", len(wanted), size * len(wanted) // max(data.rows, 1))
    for shard in data.shards:
        low, high = np.searchsorted(wanted[order], (shard.first, shard.first + shard.rows))
        if high > low:
            places = order[low:high]
            shuffle.add(shard.table().take(pa.array(wanted[places] - shard.first)), places)
    writer = ShardWriter(folder)
    for table in shuffle.tables():
        for start in range(0, table.num_rows, SHARD_ROWS):
            writer.write(table.slice(start, SHARD_ROWS))
    return Dataset(writer.finish(), data.inputs, data.quarantine)


def joined(parts: Sequence[Dataset], folder: Path) -> Dataset:
    """Return the records of all parts in order, under `folder`. An id that an earlier part has becomes `file:row`."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = ShardWriter(folder)
    inputs: list[Input] = []
    # Eight bytes an id, and not the ids: they would be most of what a mixture of many short records holds.
    taken = np.empty(0, np.uint64)
    for part in parts:
        hashes = [np.empty(0, np.uint64)]
        for table in part.tables():
            names, own = _free(table, part, taken)
            hashes.append(own)
            moved = pc.add(table.column("input"), pa.scalar(len(inputs), pa.int32()))
            writer.write(table.drop_columns(["id", "input"]).append_column("id", names).append_column("input", moved))
        taken = np.concatenate([taken, *hashes])
        taken.sort()
        inputs += part.inputs
    return Dataset(writer.finish(), tuple(inputs), tuple(bad for part in parts for bad in part.quarantine))


def _free(table: pa.Table, part: Dataset, taken: Hashes) -> tuple[pa.Array, Hashes]:
    """Return the ids of a table, `file:row` where it is taken, and their hashes. `taken` is in order."""
    names, numbers, rows = (table.column(column).to_pylist() for column in PLACE)
    hashes = np.asarray([hash64(name) for name in names], np.uint64)
    places = np.searchsorted(taken, hashes)
    there = np.flatnonzero(taken[np.minimum(places, len(taken) - 1)] == hashes) if len(taken) else np.empty(0, np.int64)
    for at in there.tolist():
        names[at] = f"{part.inputs[numbers[at]].path}:{rows[at]}"
        hashes[at] = hash64(names[at])
    return pa.array(names, pa.string()), hashes


def with_checks(table: pa.Table, verdicts: Mapping[str, Sequence[bool | None]]) -> pa.Table:
    """Return the table with verdicts added to `checks`: one value per row and check name; None is undecided."""
    rows = []
    for number, text in enumerate(table.column("checks").to_pylist()):
        known = orjson.loads(text) if text else {}
        rows.append(orjson.dumps(known | {name: values[number] for name, values in verdicts.items()}).decode())
    return table.set_column(table.schema.get_field_index("checks"), "checks", pa.array(rows, pa.string()))


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
        "fields": json.dumps(dict(record.fields), ensure_ascii=False, separators=(",", ":")),
    }


def _dump(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
