"""Exchange: rows meet by key. Map tasks sort their rows into buckets, reduce tasks read one bucket of all of them.

A map task writes one file, whatever the number of buckets: an Arrow file of one batch per bucket, whose footer is the
index of offsets. Reduce tasks are told the exact parts that were committed and never list a folder, so that nothing
half-written and nothing twice written is read. Every row is counted on its way: a stage that loses or doubles one ends
with `ConservationError`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Shard
from holdfast.core.engine import Kernel, Progress, Runner
from holdfast.core.errors import ConservationError
from holdfast.core.files import whole_file

# A bucket of so many rows of some 24 bytes is 100 MB with what a reducer makes of it.
BUCKET_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange over shards: `kernel` gives one row per record, `reduce` one row for each row of a bucket.

    `kernel(table)` names the bucket by its uint64 column `by`; the global index is added as `record`.
    `reduce(table, **params)` is given all rows of a bucket in the order of records.
    """

    key: str
    folder: Path
    kernel: Kernel
    reduce: Kernel
    by: str
    buckets: int = 1
    params: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None


def buckets_for(rows: int) -> int:
    """Return into how many buckets so many rows are parted."""
    return max(1, -(-rows // BUCKET_ROWS))


def exchanged(
    stage: Exchange, shards: Sequence[Shard], runner: Runner, progress: Progress | None = None
) -> Iterator[pa.Table]:
    """Yield what `reduce` made of each bucket, in the order of buckets. Committed parts are not computed again.

    Raises `ConservationError` where rows are lost or doubled between the shards and what is yielded.
    """
    folder = stage.folder / stage.key
    folder.mkdir(parents=True, exist_ok=True)
    maps = [(stage, shard, folder / f"map-{number:06d}.arrow") for number, shard in enumerate(shards)]
    counted = np.zeros(stage.buckets, np.int64)
    for (_, shard, _), counts in zip(maps, runner.run(_map, maps), strict=True):
        counted += counts
        if progress is not None:
            progress(stage.key, shard.first + shard.rows, shards[-1].first + shards[-1].rows)
    parts = tuple(path for _, _, path in maps)
    reduces = [(stage, bucket, parts, int(counted[bucket]), folder / f"reduce-{bucket:06d}.arrow")
               for bucket in range(stage.buckets)]  # fmt: skip
    for argument, path in zip(reduces, runner.run(_reduce, reduces), strict=True):
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
        if table.num_rows != argument[3]:
            raise ConservationError(f"Stage {stage.key}: {argument[3]} rows of a bucket became {table.num_rows}.")
        yield table


def _map(stage: Exchange, shard: Shard, part: Path) -> list[int]:
    """Commit the rows of a shard, bucket by bucket; return how many each bucket has."""
    if not part.exists():
        table = stage.kernel(shard.table(stage.columns))
        if table.num_rows != shard.rows:
            raise ConservationError(
                f"Stage {stage.key}: {shard.rows} rows of {shard.path.name} became {table.num_rows}."
            )
        if table.column(stage.by).null_count:
            raise ConservationError(f"Stage {stage.key}: a row of {shard.path.name} has no key.")
        numbers = pa.array(np.arange(shard.first, shard.first + shard.rows))
        _write(part, table.append_column("record", numbers), stage)
    with pa.OSFile(str(part)) as file, pa.ipc.open_file(file) as reader:
        return [reader.get_batch(bucket).num_rows for bucket in range(stage.buckets)]


def _write(part: Path, table: pa.Table, stage: Exchange) -> None:
    bucket = pc.cast(table.column(stage.by), pa.uint64()).to_numpy() % np.uint64(stage.buckets)
    order = np.argsort(bucket, kind="stable")
    sorted_rows = table.take(pa.array(order)).combine_chunks()
    bounds = np.searchsorted(bucket[order], np.arange(stage.buckets + 1))
    with whole_file(part) as file, pa.ipc.new_file(file, table.schema) as writer:
        for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            rows = sorted_rows.slice(low, high - low).to_batches()
            writer.write_batch(rows[0] if rows else pa.RecordBatch.from_pylist([], schema=table.schema))


def _reduce(stage: Exchange, bucket: int, parts: tuple[Path, ...], rows: int, part: Path) -> Path:
    """Commit what `reduce` makes of one bucket of exactly these parts."""
    if part.exists():
        return part
    batches = []
    for path in parts:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            batches.append(reader.get_batch(bucket))
    table = pa.Table.from_batches(batches)
    if table.num_rows != rows:
        raise ConservationError(f"Stage {stage.key}: bucket {bucket} has {table.num_rows} rows, and {rows} were sent.")
    made = stage.reduce(table, **stage.params)
    if made.num_rows != rows:
        raise ConservationError(f"Stage {stage.key}: {rows} rows of bucket {bucket} became {made.num_rows}.")
    with whole_file(part) as file, pa.ipc.new_file(file, made.schema) as writer:
        writer.write_table(made)
    return part
