"""Files into a data set: every format, ids, limits and samples, and no value changed on the way."""

import gzip
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from holdfast.core.dataset import Dataset
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reader import describe, read
from holdfast.core.reading.jsonkernel import _measure, _split, measure
from holdfast.core.reading.jsonkernel import split as split_values
from holdfast.core.reading.jsonmembers import members, with_member, without

ROWS = [{"id": f"r{number}", "text": f"line one of {number}\nline two, with é and 水"} for number in range(30)]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def write_as(path: Path, form: str) -> Path:
    """Write ROWS to `path` in a format, with another tool than our writer."""
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    table = pa.Table.from_pylist(ROWS)
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "arrow":
        feather.write_feather(table, path, compression="zstd")
    elif form == "stream":
        with path.open("wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    elif form in ("csv", "tsv"):
        mark = "," if form == "csv" else "\t"
        quoted = [f'{row["id"]}{mark}"{row["text"]}"\r\n' for row in ROWS]
        path.write_bytes((f"id{mark}text\r\n" + "".join(quoted)).encode())
    else:
        content = {
            "jsonl": lines,
            "gz": gzip.compress(lines[:500]) + gzip.compress(lines[500:]),
            "zst": pa.compress(lines, codec="zstd", asbytes=True),
            "json": json.dumps(ROWS).encode(),
            "pretty": json.dumps(ROWS, indent=2).encode(),
            "objects": "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(),
        }
        path.write_bytes(content[form])
    return path


FORMATS = {
    "jsonl": "jsonl",
    "gz": "jsonl.gz",
    "zst": "jsonl.zst",
    "json": "json",
    "pretty": "json",
    "objects": "json",
    "parquet": "parquet",
    "arrow": "arrow",
    "stream": "arrow",
    "csv": "csv",
    "tsv": "tsv",
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_found_by_content(form: str, tmp_path: Path) -> None:
    """Under a name that says nothing, every format gives the same rows, ids and texts."""
    dataset = read([write_as(tmp_path / "data", form)], spool=tmp_path / "spool")
    assert ROWS == [dict(record.fields) for record in dataset.records()]
    assert [(row["id"], row["text"]) for row in ROWS] == [(one.id, one.response) for one in dataset.records()]
    assert FORMATS[form] == dataset.inputs[0].format
    assert () == dataset.quarantine


def test_rows_of_plain_text(tmp_path: Path) -> None:
    """Paragraphs are records where blank lines part them, else lines are; `describe` says which."""
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\n")
    (tmp_path / "b.txt").write_text("one\ntwo\n")
    first = read([tmp_path / "a.txt"], spool=tmp_path / "1")
    second = read([tmp_path / "b.txt"], spool=tmp_path / "2")
    assert [("a.txt:1", "one\ntwo"), ("a.txt:5", "three")] == [(one.id, one.text) for one in first.records()]
    assert ["one", "two"] == [one.text for one in second.records()]
    assert "one record per paragraph" in describe(first)
    assert "one record per line" in describe(second)


def test_a_datasets_folder(tmp_path: Path) -> None:
    """A saved `datasets` dictionary is read by its state file, training split only, and that is said."""
    for split in ("test", "train"):
        folder = tmp_path / "saved" / split
        folder.mkdir(parents=True)
        write_as(folder / "data-00000-of-00001.arrow", "stream")
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
        (folder / "state.json").write_text(json.dumps(state))
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    dataset = read([tmp_path / "saved"], spool=tmp_path / "spool")
    assert ROWS == [dict(record.fields) for record in dataset.records()]
    assert "only the split 'train'" in describe(dataset)


def test_a_split_name_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    """A hostile split name is refused and not followed."""
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["../elsewhere"]}')
    with pytest.raises(InputError, match="elsewhere"):
        read([tmp_path], spool=tmp_path / "spool")


def test_a_folder_of_files_reads_the_train_files(tmp_path: Path) -> None:
    """Beside files of other splits only those of the training split are read."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_as(folder / "train-00000-of-00001.parquet", "parquet")
    write_as(folder / "test-00000-of-00001.parquet", "parquet")
    dataset = read([folder], spool=tmp_path / "spool")
    assert 30 == dataset.rows
    assert "only the train files" in describe(dataset)


def test_globs_and_several_files_keep_their_order(tmp_path: Path) -> None:
    """Records come in the order of the inputs, and each knows its input and row."""
    for name in ("b", "a"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"text": f"{name}{number}"} for number in range(3)])
    dataset = read([str(tmp_path / "*.jsonl"), tmp_path / "b.jsonl"], spool=tmp_path / "spool")
    assert ["a0", "a1", "a2", "b0", "b1", "b2", "b0", "b1", "b2"] == [one.text for one in dataset.records()]
    assert [0, 0, 0, 1, 1, 1, 2, 2, 2] == dataset.column("input").to_pylist()
    assert [1, 2, 3] * 3 == dataset.column("row").to_pylist()


def test_ids_are_the_given_ones_where_unique(tmp_path: Path) -> None:
    """A doubled, empty or missing id becomes file:row; no two records ever share one, not even by spite."""
    ids = ["a", "b", "a", None, "", "data.jsonl:1", 7]
    write_jsonl(tmp_path / "data.jsonl", [{"id": one, "text": "t"} for one in ids])
    dataset = read([tmp_path / "data.jsonl"], spool=tmp_path / "spool")
    expected = ["data.jsonl:1", "b", "data.jsonl:3", "data.jsonl:4", "data.jsonl:5", "data.jsonl:6", "7"]
    assert expected == dataset.column("id").to_pylist()


def test_ids_are_unique_across_inputs(tmp_path: Path) -> None:
    """Two files that count from 0 keep their records apart."""
    for name in ("a.jsonl", "b.jsonl"):
        write_jsonl(tmp_path / name, [{"id": 0, "text": "t"}])
    dataset = read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], spool=tmp_path / "spool")
    assert ["a.jsonl:1", "b.jsonl:1"] == dataset.column("id").to_pylist()


def test_a_sample_is_a_repeatable_draw(tmp_path: Path) -> None:
    """The same seed draws the same records, in file order, and not simply the first."""
    path = write_jsonl(tmp_path / "data.jsonl", [{"id": f"{number:03}", "text": "t"} for number in range(200)])
    drawn = [read([path], spool=tmp_path / name, sample=50).column("id").to_pylist() for name in "23"]
    assert drawn[0] == drawn[1] == sorted(drawn[0])
    assert 50 == len(set(drawn[0]))
    assert drawn[0] != [f"{number:03}" for number in range(50)]


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    """It is told the bytes read, in order, up to all of them."""
    path = write_jsonl(tmp_path / "data.jsonl", [{"text": f"t{number}"} for number in range(5000)])
    told: list[tuple[str, int, int]] = []
    read([path], spool=tmp_path / "s", progress=lambda *each: told.append(each))
    assert ("reading data.jsonl", path.stat().st_size, path.stat().st_size) == told[-1]


def test_shards_are_bounded_and_cover_all(tmp_path: Path) -> None:
    """More rows than one shard holds make several shards with consecutive first indices."""
    write_jsonl(tmp_path / "data.jsonl", [{"text": f"t{number}"} for number in range(120_000)])
    dataset = read([tmp_path / "data.jsonl"], spool=tmp_path / "spool")
    assert 120_000 == dataset.rows
    assert len(dataset.shards) > 1
    assert "t119999" == dataset.take([119_999]).column("response")[0].as_py()
    ends = [shard.first + shard.rows for shard in dataset.shards]
    assert [0, *ends[:-1]] == [shard.first for shard in dataset.shards]


def test_a_mapped_column_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """The message names the columns that exist and the nearest one; an unknown field is refused as well."""
    path = write_jsonl(tmp_path / "data.jsonl", [{"question": "q", "solution": "s"}])
    with pytest.raises(UsageError, match="Did you mean 'question'"):
        read([path], spool=tmp_path / "spool", mapping={"prompt": "qestion"})
    with pytest.raises(UsageError, match="Did you mean 'prompt'"):
        read([path], spool=tmp_path / "spool", mapping={"promt": "question"})


def test_dates_decimals_and_bytes_of_parquet_have_a_text_form(tmp_path: Path) -> None:
    """Values that JSON has no form for are text in the fields, and NaN is null and counted in `describe`."""
    table = pa.table(
        {
            "text": ["a", "b"],
            "when": pa.array([0, 1], type=pa.timestamp("ns")),
            "price": pa.array([None, 12], type=pa.decimal128(10, 2)),
            "raw": pa.array([b"\xff", b"x"]),
            "score": [float("nan"), 0.5],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = read([tmp_path / "a.parquet"], spool=tmp_path / "spool")
    second = list(dataset.records())[1].fields
    assert {"when": "1970-01-01 00:00:00.000000001", "price": "12.00", "raw": "eA=="} == {
        name: second[name] for name in ("when", "price", "raw")
    }
    assert "1 NaN" in describe(dataset)


def test_a_value_that_is_no_utf8_costs_its_row_only(tmp_path: Path) -> None:
    """Arrow strings that are none are refused row by row, and the others are kept."""
    texts = pa.array([b"good", b"caf\xe9", b"good too"]).view(pa.string())
    with (tmp_path / "a.arrow").open("wb") as file, pa.ipc.new_stream(file, pa.schema([("text", pa.string())])) as out:
        out.write_table(pa.table({"text": texts}))
    dataset = read([tmp_path / "a.arrow"], spool=tmp_path / "spool")
    assert ["good", "good too"] == [record.text for record in dataset.records()]
    assert [(2, "unreadable-value")] == [(one.line, one.reason) for one in dataset.quarantine]


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_files_never_end_in_a_traceback(form: str, tmp_path: Path) -> None:
    """60 files of every format with random bytes changed, cut or put in: rows, named faults, or one InputError."""
    whole = write_as(tmp_path / "whole", form).read_bytes()
    draw = random.Random(7)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3, 10))):
            at = draw.randrange(len(data))
            data[at : at + draw.choice((0, 1, 1, 15))] = draw.randbytes(draw.choice((0, 1, 1, 5)))
        (tmp_path / "damaged").write_bytes(data[: draw.choice((len(data), len(data), draw.randrange(len(data))))])
        with suppress(InputError):
            assert all(record.id for record in read([tmp_path / "damaged"], spool=tmp_path / "spool").records())


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def without_surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


ROW = st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=5).filter(without_surrogates)


def same(expected: Any, actual: Any) -> bool:
    """Equal in value and in type: 1 is not 1.0, True is not 1."""
    return json.dumps(expected) == json.dumps(actual)


def fields_of(dataset: Dataset) -> list[Mapping[str, Any]]:
    return [json.loads(text) for text in dataset.column("fields").to_pylist()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=5), ascii_only=st.booleans(), array=st.booleans())
def test_values_never_change(
    rows: list[dict[str, Any]], ascii_only: bool, array: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever JSON holds comes out of `fields` with the same value and type, and no row is lost."""
    rows = [{key: value for key, value in row.items() if key != "holdfast"} for row in rows]
    folder = tmp_path_factory.mktemp("values")
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    text = json.dumps(rows, ensure_ascii=ascii_only, indent=1) if array else "\n".join(lines)
    (folder / ("a.json" if array else "a.jsonl")).write_text(text, "utf-8", newline="")
    dataset = read([folder / ("a.json" if array else "a.jsonl")], spool=folder / "spool")
    assert () == dataset.quarantine
    assert same(rows, fields_of(dataset))


def test_a_member_written_with_escapes_is_replaced_too() -> None:
    """A name spelled with escapes is the same name: no second member hides beside the one put in."""
    assert b'{"a":1,"holdfast":2}' == with_member(b'{"\\u0068oldfast": 9, "a":1}', "holdfast", b"2")


@given(row=ROW, name=st.text(max_size=5))
@example(row={"\x7f": None, "": None}, name="\x7f")
def test_a_member_goes_in_and_out_without_touching_the_others(row: dict[str, Any], name: str) -> None:
    """Adding and removing one member keeps the text of all others byte for byte."""
    raw = json.dumps(row, ensure_ascii=False, indent=1).encode()
    added = with_member(raw, name, b'{"x":1.50}')
    others = [text for key, text in members(raw) if key != name]
    assert same({**{key: row[key] for key in row if key != name}, name: {"x": 1.5}}, json.loads(added))
    assert others == [text for _, text in members(without(added, name))]


@given(lines=st.lists(st.text(st.sampled_from('{}[]:,"\\ 12a'), max_size=30).map(str.encode), min_size=1, max_size=6))
def test_compiled_and_plain_kernels_agree(lines: list[bytes]) -> None:
    """What numba compiles counts the same as the same function run by Python, on any bytes."""
    data = np.frombuffer(b"\n".join(lines), dtype=np.uint8)
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    out = np.zeros((3, len(lines)), dtype=np.int64)
    _measure(data, ends, out[0], out[1], out[2])
    assert measure(lines) == tuple(row.tolist() for row in out)
    for base in (0, 1):
        found = []
        for function in (_split, _split.py_func):
            state = np.array([base, 0, 0, -1, 0], dtype=np.int64)
            spans = np.zeros((2, len(data) + 1), dtype=np.int64)
            count = function(data, base, state, spans[0], spans[1])
            found.append((count, state.tolist(), spans.tolist()))
        assert found[0] == found[1]


@pytest.mark.parametrize("size", [9, 200_000])
def test_stray_closing_brackets_have_room(size: int) -> None:
    """Every byte may end a value; compiled code, which checks no bounds, writes no further than it may."""
    state = np.array([1, 0, 0, -1, 0], dtype=np.int64)
    assert size == len(split_values(b"1" + b"}" * size, 1, state))


def test_of_several_inputs_one_must_have_a_mapped_column(tmp_path: Path) -> None:
    """The file that has the column is read by it, the other as it is; a column of neither is a mistake."""
    (tmp_path / "a.jsonl").write_text('{"text": "one", "by": "gpt-4o"}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "two", "origin": "human"}\n')
    both = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    dataset = read(both, mapping={"generator": "by"}, spool=tmp_path / "spool")
    assert ["synthetic", "real"] == dataset.column("origin").to_pylist()
    with pytest.raises(UsageError, match="there is no column 'bye'"):
        read(both, mapping={"generator": "bye"}, spool=tmp_path / "again")


@pytest.mark.parametrize("key", ["holdfast", "\\u0068oldfast"])
def test_a_member_is_replaced_however_its_key_is_written(key: str) -> None:
    """A key with escaped letters is the same key: no object ends up with it twice."""
    raw = b'{"a": 1, "' + key.encode() + b'": {"old": true}}'
    assert b'{"a": 1,"holdfast":{}}' == with_member(raw, "holdfast", b"{}")
