"""Dataset: a column that is kept costs what it holds."""

from pathlib import Path

import pyarrow as pa

from holdfast.core.dataset import Dataset, ShardWriter, table_of
from holdfast.core.record import Record


def test_a_kept_column_does_not_hold_its_shards(tmp_path: Path) -> None:
    """Reading ids of 2 MB of text allocates far less than the text, in the right order; absent values stay absent."""
    writer = ShardWriter(tmp_path)
    for part in range(4):
        writer.write(table_of([Record(f"{part}-{row}", "", "long text " * 500) for row in range(100)]))
    data = Dataset(writer.finish())
    before = pa.total_allocated_bytes()
    ids, families = data.column("id"), data.column("family")
    assert pa.total_allocated_bytes() - before < 100_000
    assert [f"{part}-{row}" for part in range(4) for row in range(100)] == ids.to_pylist()
    assert 400 == families.null_count
    assert (0, pa.string()) == (len(Dataset(()).column("id")), Dataset(()).column("id").type)
