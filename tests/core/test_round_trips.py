"""Provenance survives other tools: what pyarrow and duckdb read, shuffle, filter, merge and write says the same after.

pandas, polars and datasets are no dependencies: bench/round_trips.py sends the same set through them.
"""

import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bench.round_trips import HEAD, TARGETS, TOOLS, lost, records, write
from holdfast.workflows.filter import filter_files


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A mixed set as JSON Lines, Parquet and CSV, by ending."""
    return {path.suffix[1:]: path for path in write(tmp_path_factory.mktemp("mixed"))}


@pytest.mark.parametrize("end", TARGETS["duckdb"])
@pytest.mark.parametrize("source", ["jsonl", "parquet", "csv"])
def test_duckdb(mixed, tmp_path, source, end):
    """Read, shuffled and written by DuckDB: structs, structs as text, structs with the keys of all rows."""
    target = tmp_path / f"out.{end}"
    subprocess.run([sys.executable, "-c", HEAD + TOOLS["duckdb"], str(mixed[source]), str(target)], check=True)
    assert (120, {}) == (len(records(target)), lost(records(mixed[source]), records(target)))


def test_filter_and_merge(mixed, tmp_path):
    """The real half through a filter of DuckDB, the other through pyarrow, merged again: nothing is lost."""
    source = mixed["parquet"]
    duckdb.sql(f"copy (select * from '{source}' where holdfast.origin = 'real') to '{tmp_path}/a.parquet'")
    table = pq.read_table(source)
    made = table.filter(pc.not_equal(pc.struct_field(table["holdfast"], "origin"), "real"))
    pq.write_table(made, tmp_path / "b.parquet")
    parts = [pq.read_table(tmp_path / f"{name}.parquet") for name in "ab"]
    merged = pa.concat_tables([parts[1].cast(parts[0].schema), parts[0]])
    with pa.OSFile(str(tmp_path / "all.arrow"), "wb") as file, pa.ipc.new_file(file, merged.schema) as writer:
        writer.write_table(merged)
    assert {} == lost(records(source), records(tmp_path / "all.arrow"))


def test_shards(mixed, tmp_path):
    """Cut into seven shards, read as a folder."""
    table = pq.read_table(mixed["parquet"])
    for number in range(7):
        (tmp_path / "shards").mkdir(exist_ok=True)
        pq.write_table(table.slice(number * 18, 18), tmp_path / f"shards/part-{number}.parquet")
    assert {} == lost(records(mixed["parquet"]), records(tmp_path / "shards"))


def test_our_own_filter(mixed, tmp_path):
    """What holdfast filter keeps has the provenance it had; only verdicts are added."""
    kept = filter_files([mixed["jsonl"]], tmp_path / "out").files["kept"]
    before, after = records(mixed["jsonl"]), records(tmp_path / "out" / kept)
    for digest, told in after.items():
        told["checks"] = {name: ok for name, ok in told["checks"].items() if name in before[digest]["checks"]}
    assert {} == lost({digest: before[digest] for digest in after}, after)


def test_a_loss_is_seen(mixed, tmp_path):
    """The comparison itself notices a lost generator, a parent and a changed text."""
    path = tmp_path / "out.jsonl"
    text = mixed["jsonl"].read_text()
    text = text.replace('"maker-1@1"', "null", 1).replace('"real-7"', '"real-8"', 1)
    path.write_text(text.replace("It is 9.", "It is 8."))
    assert {"generator", "parents", "digest"} <= lost(records(mixed["jsonl"]), records(path)).keys()
