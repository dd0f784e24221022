"""Reads files into a `Dataset`: every good row becomes a record, every other is named with its place.

Formats and row shapes are found by themselves (`core.reading`); what was found is kept beside the shards and
printed by `describe`. Values are never changed: a record's `fields` holds the row as it was written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from holdfast.core.dataset import Dataset, Input, Quarantined, ShardWriter
from holdfast.core.engine import Progress
from holdfast.core.errors import UsageError
from holdfast.core.files import digest_of
from holdfast.core.objects import named
from holdfast.core.reading.columnar import Nans, read_columnar
from holdfast.core.reading.columns import Plan, Wishes, plan_for, table_of_rows
from holdfast.core.reading.delimited import has_paragraphs, read_csv, read_text
from holdfast.core.reading.formats import check_columns, check_mapping
from holdfast.core.reading.identity import Identities
from holdfast.core.reading.inputs import Found, find_inputs
from holdfast.core.reading.jsonarray import read_array
from holdfast.core.reading.jsonlines import read_lines
from holdfast.core.reading.provenance import sidecar_of
from holdfast.core.reading.rows import Batch, Batches, Refused
from holdfast.core.reading.sources import head_of, open_source
from holdfast.core.record import Origin

# One shard: what a kernel gets at once. With its texts twice over it takes a worker 100 MB.
SHARD_ROWS = 25_000
SHARD_BYTES = 32 * 2**20

SAMPLE_SEED = 0

DETECTED = "detected.json"


@dataclass(slots=True)
class Detected:
    """What one input turned out to be, for people."""

    file: str
    format: str
    shapes: list[str] = field(default_factory=list)
    provenance: str = ""
    records: int = 0
    quarantined: int = 0
    origins: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(
    paths: Sequence[str | Path],
    *,
    mapping: Mapping[str, str] | None = None,
    spool: Path,
    progress: Progress | None = None,
    sample: int | None = None,
    origin: Origin = "unknown",
) -> Dataset:
    """Read files, globs and folders into shards under `spool`.

    `mapping` names columns for fields (`reading.formats.FIELDS`). `sample` keeps a seeded uniform draw of that many,
    in file order. `origin` holds for rows that say nothing of their own. `progress` is told the bytes of rows read.
    Ids are the given ones where unique among all inputs, else `file:row`. Raises `InputError` or `UsageError`.
    """
    check_mapping(mapping or {})
    inputs = find_inputs(paths)
    wishes = Wishes(dict(mapping or {}), origin, lenient=len(inputs) > 1)
    spool.mkdir(parents=True, exist_ok=True)
    sink = _Sink(ShardWriter(spool))
    detected = []
    for number, found in enumerate(inputs):
        detected.append(_read_one(found, number, wishes, sink, progress))
    if sink.columns:
        check_columns(wishes.mapping, sink.columns)
    sink.flush()
    shards = sink.identities.settle(sink.writer.finish())
    dataset = Dataset(shards, tuple(sink.inputs), tuple(sink.quarantine))
    if sample is not None and sample < dataset.rows:
        dataset = _sampled(dataset, sample, spool / "sample")
    for folder in {spool, *(shard.path.parent for shard in dataset.shards)}:
        (folder / DETECTED).write_bytes(orjson.dumps([asdict(one) for one in detected]))
    return dataset


def describe(dataset: Dataset) -> str:
    """Return one line for each input: format, row shape, columns, records, origins, and what was decided."""
    path = dataset.shards[0].path.parent / DETECTED if dataset.shards else None
    if path is None or not path.exists():
        return "\n".join(f"{one.path}: {one.format}, {one.records} records" for one in dataset.inputs)
    return "\n".join(_line(Detected(**one)) for one in orjson.loads(path.read_bytes()))


def _line(one: Detected) -> str:
    parts = [one.format, " and ".join(one.shapes) or "no rows", f"{one.records} records"]
    if one.quarantined:
        parts.append(f"{one.quarantined} quarantined")
    if one.origins:
        parts.append("origin " + ", ".join(f"{name} {count}" for name, count in sorted(one.origins.items())))
    if one.provenance:
        parts.append(f"provenance from {one.provenance}")
    return f"{one.file}: " + "; ".join(parts + one.notes)


@dataclass(slots=True)
class _Sink:
    """Collects tables into shards, and what was refused."""

    writer: ShardWriter
    identities: Identities = field(default_factory=Identities)
    inputs: list[Input] = field(default_factory=list)
    quarantine: list[Quarantined] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)
    waiting: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    held_rows: int = 0
    held_bytes: int = 0

    def add(self, table: pa.Table, name: str) -> None:
        table = self.identities.assign(table, name)
        self.rows += table.num_rows
        while table.num_rows:
            part = table.slice(0, SHARD_ROWS - self.held_rows)
            table = table.slice(part.num_rows)
            self.waiting.append(part)
            self.held_rows += part.num_rows
            self.held_bytes += part.column("fields").nbytes
            if self.held_rows >= SHARD_ROWS or self.held_bytes >= SHARD_BYTES:
                self.flush()

    def flush(self) -> None:
        if self.held_rows:
            self.writer.write(pa.concat_tables(self.waiting))
        self.waiting, self.held_rows, self.held_bytes = [], 0, 0


def _read_one(found: Found, number: int, wishes: Wishes, sink: _Sink, progress: Progress | None) -> Detected:
    called = named(found.path)
    seen = Detected(called, found.label, notes=[found.note] if found.note else [])
    nans = Nans()
    planner = _Planner(found, wishes)
    origins: Counter[str] = Counter()
    for batch in _told(_batches(found, nans, seen), found, progress):
        sink.quarantine += [Quarantined(called, *refused) for refused in batch.refused]
        seen.quarantined += len(batch.refused)
        if batch.rows:
            table = planner.table(batch, number)
            origins.update(table.column("origin").to_pylist())
            seen.records += table.num_rows
            sink.columns |= dict.fromkeys(planner.plans[()].columns)
            sink.add(table, found.name)
    if nans.count:
        seen.notes.append(f"{nans.count} NaN or infinite values were read as null")
    if not seen.records:
        seen.notes.append("it holds no records")
    planner.report(seen)
    seen.origins = dict(origins)
    sink.inputs.append(Input(called, digest_of(found.path), seen.records, found.label))
    return seen


def _told(batches: Batches, found: Found, progress: Progress | None) -> Batches:
    """Pass batches on and tell how far they are; of a packed file only what came out of it is known."""
    total = found.path.stat().st_size if found.label in ("jsonl", "csv", "tsv") else 0
    done = 0
    for batch in batches:
        yield batch
        if progress is not None:
            done += sum(map(len, batch.raws)) + len(batch.raws)
            progress(f"reading {found.path.name}", min(done, total) if total else done, total)


def _batches(found: Found, nans: Nans, seen: Detected) -> Batches:
    if found.format in ("parquet", "arrow", "arrow-stream"):
        yield from read_columnar(found.path, found.format, nans)
        return
    if found.format in ("utf-16", "utf-32"):
        yield Batch(refused=[Refused(1, 1, f"{found.format}: convert the file to UTF-8")])
        return
    with open_source(found.path) as source:
        if found.format in ("json", "objects"):
            yield from read_array(source, base=1 if found.format == "json" else 0)
        elif found.format == "csv":
            yield from read_csv(source, found.delimiter)
        elif found.format == "text":
            paragraphs = has_paragraphs(head_of(found.path))
            seen.notes.append(f"plain text: one record per {'paragraph' if paragraphs else 'line'}")
            yield from read_text(source, paragraphs=paragraphs)
        else:
            yield from read_lines(source)


@dataclass(slots=True)
class _Planner:
    """Decides how an input's rows become records: once, and again for rows that have none of its text columns."""

    found: Found
    wishes: Wishes
    plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)

    def table(self, batch: Batch, number: int) -> pa.Table:
        if () not in self.plans:
            self.plans[()] = plan_for(batch.values, self.wishes, sidecar_of(self.found.path))
        wanted = {name.partition(".")[0] for name in self.plans[()].layout.columns}
        strange = {at for at, row in enumerate(batch.values) if wanted and wanted.isdisjoint(row)}
        if not strange or self.wishes.mapping:
            return table_of_rows(batch, self.plans[()], number)
        groups: dict[tuple[str, ...], list[int]] = {}
        for at, row in enumerate(batch.values):
            groups.setdefault(tuple(row) if at in strange else (), []).append(at)
        tables = [self._part(keys, _picked(batch, places), number) for keys, places in groups.items()]
        order = np.argsort(np.concatenate([np.asarray(places) for places in groups.values()]))
        return pa.concat_tables(tables).take(pa.array(order))

    def _part(self, keys: tuple[str, ...], batch: Batch, number: int) -> pa.Table:
        if keys not in self.plans:
            self.plans[keys] = plan_for(batch.values, self.wishes)
        return table_of_rows(batch, self.plans[keys], number)

    def report(self, seen: Detected) -> None:
        plans = list(self.plans.values())
        if not plans:
            return
        seen.shapes = list(dict.fromkeys(plan.layout.describe() for plan in plans))
        seen.notes += [note for note in dict.fromkeys(plan.layout.note for plan in plans) if note]
        seen.provenance = plans[0].sources.describe()


def _picked(batch: Batch, places: Sequence[int]) -> Batch:
    values, raws, rows = batch.values, batch.raws, batch.rows
    return Batch([values[at] for at in places], [raws[at] for at in places], [rows[at] for at in places])


def _sampled(dataset: Dataset, count: int, folder: Path) -> Dataset:
    if count < 0:
        raise UsageError(f"--sample {count}: a sample has at least one record.")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.sort(np.random.default_rng(SAMPLE_SEED).choice(dataset.rows, count, replace=False))
    writer = ShardWriter(folder)
    for table in _by_shard(dataset, drawn):
        writer.write(table)
    return Dataset(writer.finish(), dataset.inputs, dataset.quarantine)


def _by_shard(dataset: Dataset, drawn: np.ndarray) -> Iterator[pa.Table]:
    for shard in dataset.shards:
        here = drawn[(drawn >= shard.first) & (drawn < shard.first + shard.rows)]
        if len(here):
            yield shard.table().take(pa.array(here - shard.first))
