"""The engine: conserved, ordered, resumable, and the same with one process or several."""

import os
import signal
from pathlib import Path

import pyarrow as pa
import pytest

from holdfast.core.dataset import Dataset, ShardWriter, table_of
from holdfast.core.engine import LocalRunner, Stage, map_shards
from holdfast.core.errors import ConservationError, MachineError, MissingExtraError
from holdfast.core.record import Record


def made(folder: Path, shards: int = 3, rows: int = 4) -> Dataset:
    """A data set of small shards."""
    folder.mkdir()
    writer = ShardWriter(folder)
    for shard in range(shards):
        writer.write(table_of([Record(f"{shard}-{row}", "", "x" * row) for row in range(rows)]))
    return Dataset(writer.finish())


def lengths(table: pa.Table, add: int = 0) -> pa.Table:
    """A kernel: the length of each response."""
    return pa.table({"length": [len(text) + add for text in table.column("response").to_pylist()]})


def loses(table: pa.Table) -> pa.Table:
    """A faulty kernel: drops the first row of each shard."""
    return lengths(table).slice(1)


def counting(table: pa.Table, log: str) -> pa.Table:
    """A kernel that notes each run."""
    with Path(log).open("a") as file:
        file.write("x")
    return lengths(table)


def dies_once(table: pa.Table, flag: str) -> pa.Table:
    """A kernel whose process is killed the first time."""
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return lengths(table)


def dies(table: pa.Table) -> pa.Table:
    """A kernel whose process is always killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return table


def values(stage: Stage, data: Dataset, workers: int) -> list[int]:
    """Map and return the one column as a list."""
    tables = map_shards(stage, data.shards, LocalRunner(workers))
    return [value for table in tables for value in table.column("length").to_pylist()]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_shard_order(tmp_path, workers):
    """One process and several give the same rows in the same order."""
    data = made(tmp_path / "data")
    assert [0, 1, 2, 3] * 3 == values(Stage("s", tmp_path, lengths), data, workers)


def test_parameters_reach_the_kernel(tmp_path):
    """`params` are keyword arguments of the kernel."""
    assert [5, 6] == values(Stage("s", tmp_path, lengths, {"add": 5}), made(tmp_path / "data", 1, 2), 1)


def test_a_stage_that_loses_a_row_fails(tmp_path):
    """A kernel that drops one row of a stage that keeps rows breaks the conservation law."""
    stage = Stage("s", tmp_path, loses, keeps_rows=True)
    with pytest.raises(ConservationError, match=r"4 rows of shard-000000\.arrow became 3"):
        values(stage, made(tmp_path / "data"), 1)


def test_committed_parts_are_not_computed_again(tmp_path):
    """A second run of a stage reads what the first committed."""
    data, log = made(tmp_path / "data"), tmp_path / "log"
    stage = Stage("s", tmp_path, counting, {"log": str(log)})
    assert values(stage, data, 1) == values(stage, data, 1)
    assert "xxx" == log.read_text()


def test_half_written_parts_are_never_read(tmp_path):
    """A temporary file left by a killed task is not taken for a part."""
    data = made(tmp_path / "data")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".part-000000.arrow.123").write_bytes(b"half")
    assert [0, 1, 2, 3] * 3 == values(Stage("s", tmp_path, lengths), data, 1)


def test_a_killed_worker_costs_a_retry(tmp_path):
    """SIGKILL of a worker in the middle changes nothing in the result."""
    data = made(tmp_path / "data")
    stage = Stage("s", tmp_path, dies_once, {"flag": str(tmp_path / "flag")})
    assert [0, 1, 2, 3] * 3 == values(stage, data, 2)


def test_a_worker_that_always_dies_ends_in_a_clear_error(tmp_path):
    """The run stops after a few attempts and says what is most often the cause."""
    with pytest.raises(MachineError, match="killed for memory"):
        values(Stage("s", tmp_path, dies), made(tmp_path / "data"), 2)


def lacks_an_extra(table: pa.Table) -> pa.Table:
    """A kernel in an environment without an optional part."""
    raise MissingExtraError("py3langid", "lang")


def test_an_error_of_a_worker_process_keeps_its_words(tmp_path):
    """What a task raises on purpose arrives whole, with its remedy, and is not taken for a broken process."""
    with pytest.raises(MissingExtraError, match=r"^py3langid is not installed\.\n  Install it with") as caught:
        values(Stage("s", tmp_path, lacks_an_extra), made(tmp_path / "data"), 2)
    assert caught.value.remedy.startswith("Install it with")


def test_take_returns_rows_in_the_order_asked(tmp_path):
    """Global indices reach across shards and keep their order, repeats included."""
    taken = made(tmp_path / "data").take([11, 0, 5, 0], ["id"])
    assert ["2-3", "0-0", "1-1", "0-0"] == taken.column("id").to_pylist()


def test_a_record_survives_the_table(tmp_path):
    """Record -> table -> record is the identity."""
    (tmp_path / "d").mkdir()
    writer = ShardWriter(tmp_path / "d")
    record = Record("a", "p", "r", fields={"n": 1, "t": ["x"]}, checks={"math": True, "code": None})
    writer.write(table_of([record]))
    assert [record] == list(Dataset(writer.finish()).records())
