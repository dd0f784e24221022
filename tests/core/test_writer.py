"""Records out of a data set and back: the user's values are exact, provenance survives, bytes are the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.dataset import Dataset, Quarantined, ShardWriter, table_of
from holdfast.core.errors import InputError
from holdfast.core.reader import read
from holdfast.core.record import Message, Provenance, Record
from holdfast.core.shapes import RowShape
from holdfast.core.writer import FORMATS, FileFormat, write_dataset, write_quarantine, write_reasons, write_rows

PROVENANCE = Provenance(
    origin="mixed",
    synthetic_fields=("response",),
    source="wiki",
    licence="MIT",
    generator="gpt-4o",
    family="gpt",
    revision="2024-08-06",
    parents=("a", "b"),
    depth=2,
    seed=2**40,
    decoding={"temperature": 0.7, "stop": ["\n"]},
    cell={"topic": "ratios", "hard": True},
)
CHECKS = {"math": True, "judge": None, "length": False}


def made(tmp_path: Path, count: int = 5) -> Dataset:
    """A data set of records with full provenance, one of them without any."""
    records = [
        Record(f"m{number}", f"prompt {number}", f"answer {number} é\nsecond line", PROVENANCE, checks=CHECKS)
        for number in range(count)
    ]
    records.append(Record("plain", "", "only text", Provenance()))
    (tmp_path / "made").mkdir(exist_ok=True)
    writer = ShardWriter(tmp_path / "made")
    writer.write(table_of(records))
    return Dataset(writer.finish())


def again(path: Path, tmp_path: Path) -> Dataset:
    return read([path], spool=tmp_path / f"spool-of-{path.name}")


@pytest.mark.parametrize("form", FORMATS)
def test_provenance_survives_every_format(form: FileFormat, tmp_path: Path) -> None:
    """Every member of the provenance, and the checks, come back as they were."""
    path = write_dataset(tmp_path / f"kept.{form}", made(tmp_path), form=form)
    found = list(again(path, tmp_path).records())
    assert [PROVENANCE] * 5 + [Provenance()] == [record.provenance for record in found]
    assert [CHECKS] * 5 + [{}] == [record.checks for record in found]
    assert form == again(path, tmp_path).inputs[0].format


@pytest.mark.parametrize("form", FORMATS)
def test_equal_content_gives_equal_bytes(form: FileFormat, tmp_path: Path) -> None:
    """Writing twice gives the same file, whatever the path is called."""
    dataset = made(tmp_path)
    first = write_dataset(tmp_path / "a" / f"kept.{form}", dataset, form=form)
    second = write_dataset(tmp_path / "b" / f"other.{form}", dataset, form=form)
    assert first.read_bytes() == second.read_bytes()
    assert ["kept." + form] == [path.name for path in (tmp_path / "a").iterdir()]


def test_own_columns_keep_their_text(tmp_path: Path) -> None:
    """A line comes out as it went in, number by number, with the nested column behind it."""
    line = '{"id": "a", "text":"t", "n": 12345678901234567890123456, "f": 1.50, "e": "\\u00e9"}'
    (tmp_path / "in.jsonl").write_text(line)
    path = write_dataset(tmp_path / "out.jsonl", again(tmp_path / "in.jsonl", tmp_path))
    assert path.read_text().startswith(line[:-1] + ',"holdfast":{"origin":"unknown",')


def test_writing_what_was_written_changes_nothing(tmp_path: Path) -> None:
    """The nested column is replaced and not nested again: the second round gives the bytes of the first."""
    first = write_dataset(tmp_path / "one.jsonl", made(tmp_path))
    second = write_dataset(tmp_path / "two.jsonl", again(first, tmp_path))
    assert first.read_bytes() == second.read_bytes()
    assert all("holdfast" not in record.fields for record in again(second, tmp_path).records())


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_columns_of_parquet_keep_their_types(form: FileFormat, tmp_path: Path) -> None:
    """Dates, decimals, bytes, NaN and nested types come out of the file they were in, for the chosen rows."""
    table = pa.table(
        {
            "text": [f"text number {number}" for number in range(10_000)],
            "when": pa.array(range(10_000), type=pa.timestamp("ns", tz="UTC")),
            "price": pa.array([12] * 10_000, type=pa.decimal128(20, 4)),
            "raw": [b"\xff"] * 10_000,
            "score": [float("inf")] * 10_000,
            "small": pa.array([[1, 2]] * 10_000, type=pa.list_(pa.int8())),
        }
    )
    source = tmp_path / f"in.{form}"
    pq.write_table(table, source) if form == "parquet" else pa.ipc.new_file(source, table.schema).write_table(table)
    if form == "arrow":
        with pa.ipc.new_file(source, table.schema) as writer:
            writer.write_table(table)
    path = write_dataset(tmp_path / f"out.{form}", again(source, tmp_path), [9_999, 5, 4_100])
    found = pq.read_table(path) if form == "parquet" else pa.ipc.open_file(path).read_all()
    assert table.take([5, 4_100, 9_999]).equals(found.drop_columns(["holdfast"]))


def test_a_parquet_file_that_changed_is_not_written_from(tmp_path: Path) -> None:
    """Rows are not taken from another file than the one that was read."""
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["one of these"]}), source)
    dataset = again(source, tmp_path)
    pq.write_table(pa.table({"text": ["another text"]}), source)
    with pytest.raises(InputError, match="no longer the file"):
        write_dataset(tmp_path / "out.parquet", dataset)
    assert not (tmp_path / "out.parquet").exists()


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4), form=st.sampled_from(["csv", "tsv"]))
def test_csv_keeps_every_string(
    cells: list[tuple[str, str]], form: FileFormat, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Quotes, delimiters, line breaks of all kinds and formulas go out and come back as they are."""
    folder = tmp_path_factory.mktemp("csv")
    rows = [{"text": text, "note": note} for text, note in cells]
    write_rows(folder / "in.jsonl", rows)
    path = write_dataset(folder / f"out.{form}", read([folder / "in.jsonl"], spool=folder / "1"), form=form)
    found = read([path], spool=folder / "2")
    assert () == found.quarantine
    assert rows == [dict(record.fields) for record in found.records()]


MIXED_ROWS = [
    {"id": "a", "text": "t", "n": 1, "tags": ["x"], "meta": {"k": 1}, "big": 10**30},
    {"id": "b", "text": "u", "n": 2.5, "tags": [], "meta": {"k": "other type"}, "big": None},
]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_json_values_in_columns_are_exact_or_text(form: FileFormat, tmp_path: Path) -> None:
    """A column that no one type holds exactly becomes JSON text; nothing is rounded or dropped."""
    write_rows_as_json(tmp_path / "in.jsonl", MIXED_ROWS)
    path = write_dataset(tmp_path / f"out.{form}", again(tmp_path / "in.jsonl", tmp_path), form=form)
    found = [dict(record.fields) for record in again(path, tmp_path).records()]
    assert [{"k": 1}, {"k": "other type"}] == [json.loads(row["meta"]) for row in found]
    assert [str(10**30), None] == [row["big"] for row in found]
    assert [["x"], []] == [row["tags"] for row in found]


def write_rows_as_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


SHAPED: dict[RowShape, Callable[[dict[str, Any]], Any]] = {
    "messages": lambda row: [turn["content"] for turn in row["messages"]],
    "sharegpt": lambda row: [turn["value"] for turn in row["conversations"]],
    "alpaca": lambda row: [row["instruction"], row["output"]],
    "prompt-completion": lambda row: [row["prompt"], row["completion"]],
    "text": lambda row: row["text"].split("\n", 1),
}


@pytest.mark.parametrize("shape", SHAPED)
def test_a_shape_for_trainers_keeps_text_and_provenance(shape: RowShape, tmp_path: Path) -> None:
    """Every trainer's shape holds prompt and response, reads back to the same text and keeps the nested column."""
    path = write_dataset(tmp_path / "train.jsonl", made(tmp_path), shape=shape)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert ["prompt 0", "answer 0 é\nsecond line"] == SHAPED[shape](rows[0])
    found = list(again(path, tmp_path).records())
    assert [record.text for record in made(tmp_path).records()] == [record.text for record in found]
    assert PROVENANCE == found[0].provenance


def test_turns_are_written_as_turns(tmp_path: Path) -> None:
    """A conversation of several turns keeps all of them in both chat shapes."""
    turns = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"), Message("user", "v"))
    (tmp_path / "made").mkdir()
    writer = ShardWriter(tmp_path / "made")
    writer.write(table_of([Record("a", "s\nu", "a", messages=turns)]))
    for shape in ("messages", "sharegpt"):
        path = write_dataset(tmp_path / f"{shape}.jsonl", Dataset(writer.shards), shape=shape)
        assert turns == next(again(path, tmp_path).records()).messages


def test_reasons_stand_beside_the_rows(tmp_path: Path) -> None:
    """Rejected rows are the user's own, in data set order, each with its own reason whatever order was asked."""
    path = write_reasons(tmp_path / "rejected.jsonl", made(tmp_path), [3, 1], ["too short", 'a "duplicate"'])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [("m1", 'a "duplicate"'), ("m3", "too short")] == [(row["id"], row["holdfast_reason"]) for row in rows]
    assert "mixed" == rows[0]["holdfast"]["origin"]


def test_quarantine_file(tmp_path: Path) -> None:
    """Unreadable lines are listed with file, line, column and reason."""
    path = write_quarantine(tmp_path / "quarantine.jsonl", [Quarantined("a.jsonl", 3, 7, "broken-json")])
    assert {"file": "a.jsonl", "line": 3, "column": 7, "reason": "broken-json"} == json.loads(path.read_text())


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """A file is whole or as it was; no temporary file stays behind."""
    path = write_rows(tmp_path / "a.jsonl", [{"n": 1}])
    with pytest.raises(TypeError):
        write_rows(path, [{"n": 2}, {"n": object()}])
    assert '{"n":1}\n' == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_nothing_chosen_is_an_empty_file(tmp_path: Path) -> None:
    """An empty selection is written as an empty file of the format, and reads as 0 rows."""
    for form in FORMATS:
        path = write_dataset(tmp_path / f"none.{form}", made(tmp_path), [], form=form)
        assert 0 == again(path, tmp_path).rows


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_column_of_ones_own_called_holdfast_is_not_lost(tmp_path: Path, form: FileFormat) -> None:
    """What is not our object moves to `holdfast_own`; the next reading sees both."""
    rows = [{"text": "one two", "holdfast": "mine"}, {"text": "three four", "holdfast": "yours"}]
    source = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), source)
    else:
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_dataset(tmp_path / f"b.{form}", read([source], spool=tmp_path / "1"))
    again = [record.fields for record in read([tmp_path / f"b.{form}"], spool=tmp_path / "2").records()]
    assert ["mine", "yours"] == [row["holdfast_own"] for row in again]
