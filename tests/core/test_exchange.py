"""The exchange: rows meet by key, in order, counted, from one file for each map task."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from holdfast.core.engine import LocalRunner
from holdfast.core.errors import ConservationError
from holdfast.core.exchange import BUCKET_ROWS, Exchange, buckets_for, exchanged
from tests.core.killing import dies_half_written
from tests.core.test_engine import made


def lengths(table: pa.Table) -> pa.Table:
    """A kernel: the length of each response is the key."""
    return pa.table({"key": pa.array([len(text) for text in table.column("response").to_pylist()], pa.uint64())})


def keyless(table: pa.Table) -> pa.Table:
    """A faulty kernel: one row has no key."""
    return pa.table({"key": pa.array([None, *lengths(table).column("key").to_pylist()[1:]], pa.uint64())})


def short(table: pa.Table) -> pa.Table:
    """A faulty kernel: one row is lost."""
    return lengths(table).slice(1)


def same(table: pa.Table) -> pa.Table:
    """A reducer: the rows as they come."""
    return table


def doubling(table: pa.Table) -> pa.Table:
    """A faulty reducer: the first row comes twice."""
    return pa.concat_tables([table, table.slice(0, 1)])


def counting(table: pa.Table, log: str) -> pa.Table:
    """A reducer that notes each run."""
    with Path(log).open("a") as file:
        file.write("x")
    return table


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_of_one_key_meet_in_the_order_of_records(tmp_path, workers):
    """Every row is in the bucket of its key, once, in the order of records, whatever the number of processes."""
    stage = Exchange("s", tmp_path, lengths, same, "key", 3)
    tables = list(exchanged(stage, made(tmp_path / "data").shards, LocalRunner(workers)))
    expected = [[0, 3, 4, 7, 8, 11], [1, 5, 9], [2, 6, 10]]
    assert expected == [table.column("record").to_pylist() for table in tables]
    assert 3 + 3 == len(list((tmp_path / "s").iterdir()))  # a file for each map and each reduce task


@pytest.mark.parametrize(
    ("kernel", "reduce", "said"),
    [
        (keyless, same, "has no key"),
        (short, same, "4 rows of shard-000000.arrow became 3"),
        (lengths, doubling, "12 rows of bucket 0 became 13"),
    ],
)
def test_a_row_lost_doubled_or_without_a_key_ends_the_run(tmp_path, kernel, reduce, said):
    """The conservation law, in map and in reduce: no result is yielded."""
    stage = Exchange("s", tmp_path, kernel, reduce, "key")
    with pytest.raises(ConservationError, match=said):
        list(exchanged(stage, made(tmp_path / "data").shards, LocalRunner(1)))


def test_a_part_that_is_not_what_was_sent_is_refused(tmp_path):
    """A committed reduce part with fewer rows than were sent, as a foreign hand leaves it, is noticed."""
    stage = Exchange("s", tmp_path, lengths, same, "key")
    shards = made(tmp_path / "data").shards
    list(exchanged(stage, shards, LocalRunner(1)))
    path = tmp_path / "s" / "reduce-000000.arrow"
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.slice(1))
    with pytest.raises(ConservationError, match="12 rows of a bucket became 11"):
        list(exchanged(stage, shards, LocalRunner(1)))


def test_committed_parts_are_not_made_again_and_half_written_ones_not_read(tmp_path):
    """A second run reads what the first committed; what a killed task left beside is nobody's part."""
    stage = Exchange("s", tmp_path, lengths, counting, "key", 2, {"log": str(tmp_path / "log")})
    shards = made(tmp_path / "data").shards
    first = list(exchanged(stage, shards, LocalRunner(1)))
    (tmp_path / "s" / ".map-000009.arrow.12-ab").write_bytes(b"half")
    (tmp_path / "s" / "map-000009.arrow").write_bytes(b"whole, and of nobody")
    assert first == list(exchanged(stage, shards, LocalRunner(1)))
    assert "xx" == (tmp_path / "log").read_text()


@pytest.mark.parametrize("phase", ["map", "reduce"])
def test_half_written_parts_of_killed_tasks_are_never_read(tmp_path, phase):
    """A process is killed with half a part on disk, in map and in reduce: nothing of the half is in the result."""
    shards, kernels = made(tmp_path / "data").shards, {"map": lengths, "reduce": same}
    expected = list(exchanged(Exchange("calm", tmp_path, **_named(kernels)), shards, LocalRunner(1)))
    kernels[phase] = partial(dies_half_written, flag=str(tmp_path / "flag"), kernel=kernels[phase])
    assert expected == list(exchanged(Exchange("s", tmp_path, **_named(kernels)), shards, LocalRunner(2)))
    assert (tmp_path / "flag").exists()
    assert list((tmp_path / "s").glob(".*"))  # the half is there, and nobody took it for a part


def _named(kernels):
    return {"kernel": kernels["map"], "reduce": kernels["reduce"], "by": "key", "buckets": 2}


def test_buckets_grow_with_the_rows():
    """One bucket up to its size, none empty-handed."""
    assert [1, 1, 2, 500] == [buckets_for(rows) for rows in (0, BUCKET_ROWS, BUCKET_ROWS + 1, 500 * BUCKET_ROWS)]
