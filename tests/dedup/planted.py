"""What the tests of dedup share: data sets from plain lists, and the planted sets of the shared data."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from holdfast.core.dataset import Dataset, ShardWriter, table_of
from holdfast.core.record import Record


def texts_table(texts: list[str]) -> pa.Table:
    """One shard of plain texts."""
    return table_of([Record(f"r{number}", "", text) for number, text in enumerate(texts)])


def dataset(folder: Path, texts: list[str], shard: int = 1_000) -> Dataset:
    """A data set of plain texts in shards of a given size."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = ShardWriter(folder)
    for start in range(0, len(texts), shard):
        writer.write(texts_table(texts[start : start + shard]))
    return Dataset(writer.finish())


def rows(shared_data: Path, name: str) -> list[dict[str, Any]]:
    """All rows of one shared file."""
    with gzip.open(shared_data / f"{name}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def case(shared_data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one planted set, in order."""
    return [row for row in rows(shared_data, "audit/planted_sets") if row["case"] == name]
