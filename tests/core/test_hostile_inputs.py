"""Each odd input among 100 good rows: the 100 survive with their values, and the odd one is named with its place."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.errors import InputError
from holdfast.core.reader import describe, read

GOOD = [{"id": f"g{number}", "text": f"good row number {number}, with an é"} for number in range(100)]
LINES = [json.dumps(row, ensure_ascii=False).encode() for row in GOOD]

# What stands in the middle of 100 good rows, and what must be said of it: column and reason on line 51.
ODD_LINES = {
    "broken line": (b'{"id": "x",, "text": "y"}', 12, "broken-json"),
    "latin-1 byte": (b'{"text": "caf\xe9"}', 14, "not-utf8: byte 0xe9"),
    "raw NUL": (b'{"text": "a\x00b"}', 12, "nul-byte"),
    "lone surrogate": (b'{"text": "a\\ud800b"}', 12, "lone-surrogate"),
    "NaN": (b'{"text": "a", "score": NaN}', 24, "not-a-number: NaN"),
    "infinity": (b'{"text": "a", "score": -Infinity}', 24, "not-a-number: -Infinity"),
    "number beyond a double": (b'{"text": "a", "score": 1e999}', 24, "number-not-exact"),
    "duplicate key": (b'{"text": "shown", "n": 1, "text": "trained"}', 27, "duplicate-key: 'text'"),
    "nested duplicate key": (b'{"text": "t", "a": {"b": 1, "b": 2}}', 29, "duplicate-key: 'b'"),
    "depth 100 000": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 10 + 63, "too-deep"),
    "17 MB line": (b'{"text": "' + b"a" * 17 * 2**20 + b'"}', 1, "too-long"),
    "an array as row": (b'["text"]', 1, "not-an-object"),
}


def read_one(tmp_path: Path, content: bytes, name: str = "odd.jsonl") -> Dataset:
    path = tmp_path / name
    path.write_bytes(content)
    return read([path], spool=tmp_path / "spool")


def survivors(dataset: Dataset) -> list[dict[str, str]]:
    return [dict(record.fields) for record in dataset.records()]


def named(dataset: Dataset) -> list[tuple[str, int, int, str]]:
    return [(Path(one.file).name, one.line, one.column, one.reason) for one in dataset.quarantine]


@pytest.mark.parametrize("case", ODD_LINES)
def test_odd_line_is_named_and_the_others_kept(case: str, tmp_path: Path) -> None:
    """A line no reader can take as it is costs itself only, and is named with file, line, column and reason."""
    odd, column, reason = ODD_LINES[case]
    dataset = read_one(tmp_path, b"\n".join([*LINES[:50], odd, *LINES[50:]]) + b"\n")
    assert GOOD == survivors(dataset)
    assert [("odd.jsonl", 51, column, reason)] == named(dataset)


@pytest.mark.parametrize("case", [name for name in ODD_LINES if name != "17 MB line"])
def test_odd_line_in_a_large_file_is_named_too(case: str, tmp_path: Path) -> None:
    """The compiled checks of large files find what the plain ones of small files find."""
    odd, column, reason = ODD_LINES[case]
    many = LINES[:50] * 30
    dataset = read_one(tmp_path, b"\n".join([*many, odd, *many]) + b"\n")
    assert 3000 == dataset.rows
    assert [("odd.jsonl", 1501, column, reason)] == named(dataset)


@pytest.mark.parametrize("case", [name for name in ODD_LINES if name != "17 MB line"])
def test_odd_element_of_a_json_array_is_named(case: str, tmp_path: Path) -> None:
    """In a JSON array an odd element costs itself only, with the place in the file."""
    odd, column, reason = ODD_LINES[case]
    dataset = read_one(tmp_path, b"[\n  " + b",\n  ".join([*LINES[:50], odd, *LINES[50:]]) + b"\n]", "odd.json")
    assert GOOD == survivors(dataset)
    assert [("odd.json", 52, column + 2, reason)] == named(dataset)


def test_an_element_that_never_ends_costs_itself_only(tmp_path: Path) -> None:
    """A missing quote in a pretty-printed array does not swallow the elements after it."""
    text = json.dumps([*GOOD[:50], {"id": "odd", "text": "CUT"}, *GOOD[50:]], indent=2, ensure_ascii=False)
    dataset = read_one(tmp_path, text.replace('CUT"', "CUT").encode(), "odd.json")
    assert GOOD == survivors(dataset)
    assert 1 == len(dataset.quarantine)
    assert (203, "broken-json") == (dataset.quarantine[0].line - 1, dataset.quarantine[0].reason)


def test_truncated_tail(tmp_path: Path) -> None:
    """A file cut inside its last row keeps the rows before, and says that the tail was cut."""
    dataset = read_one(tmp_path, b"\n".join([*LINES, b'{"id": "x", "text": "cut he']))
    assert GOOD == survivors(dataset)
    assert [("odd.jsonl", 101, 21, "truncated-tail")] == named(dataset)


def test_an_array_that_is_never_closed(tmp_path: Path) -> None:
    """An array without its bracket keeps its elements and is named as cut."""
    dataset = read_one(tmp_path, b"[" + b",".join(LINES), "odd.json")
    assert GOOD == survivors(dataset)
    assert ["truncated-tail"] == [one.reason for one in dataset.quarantine]


def test_ids_that_change_type_become_strings(tmp_path: Path) -> None:
    """A numeric id among strings is kept, as a string, and changes no other id."""
    dataset = read_one(tmp_path, b"\n".join([*LINES[:50], b'{"id": 17, "text": "t"}', *LINES[50:]]))
    assert 101 == dataset.rows
    assert ["g49", "17", "g50"] == dataset.column("id").to_pylist()[49:52]
    assert () == dataset.quarantine


def test_an_integer_of_26_digits_stays_exact(tmp_path: Path) -> None:
    """No digit is lost, as an id or as a value."""
    digits = "12345678901234567890123456"
    odd = f'{{"id": {digits}, "text": "t", "n": {digits}}}'.encode()
    dataset = read_one(tmp_path, b"\n".join([*LINES[:50], odd, *LINES[50:]]))
    row = dataset.take([50]).to_pylist()[0]
    assert digits == row["id"]
    assert {"id": int(digits), "text": "t", "n": int(digits)} == json.loads(row["fields"])
    assert 101 == dataset.rows


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    """A UTF-8 mark at the start is no part of the first row."""
    dataset = read_one(tmp_path, b"\xef\xbb\xbf" + b"\n".join(LINES))
    assert GOOD == survivors(dataset)
    assert () == dataset.quarantine


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(encoding: str, tmp_path: Path) -> None:
    """A file in another encoding is named as such, and the files beside it are read."""
    (tmp_path / "good.jsonl").write_bytes(b"\n".join(LINES))
    (tmp_path / "odd.jsonl").write_text("\n".join(json.dumps(row) for row in GOOD), encoding=encoding)
    dataset = read([tmp_path / "good.jsonl", tmp_path / "odd.jsonl"], spool=tmp_path / "spool")
    assert GOOD == survivors(dataset)
    assert [("odd.jsonl", 1, 1, f"{encoding[:6]}: convert the file to UTF-8")] == named(dataset)


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", b""), ("a.jsonl", b"\n\n"), ("a.json", b"[]")])
def test_an_empty_file_is_said_to_be_empty(name: str, content: bytes, tmp_path: Path) -> None:
    """Nothing in the file is 0 rows, said in words, and no error."""
    dataset = read_one(tmp_path, content, name)
    assert (0, ()) == (dataset.rows, dataset.quarantine)
    assert "0 records" in describe(dataset)
    assert 0 == dataset.inputs[0].records


def test_truncated_gzip_keeps_the_rows_before_the_cut(tmp_path: Path) -> None:
    """The rows that can be unpacked are kept and the file is named as cut, at the row where it ends."""
    packed = gzip.compress(b"\n".join([*LINES, b'{"id": "odd", "text": "' + bytes(range(65, 91)) * 400 + b'"}']))
    dataset = read_one(tmp_path, packed[:-20], "odd.jsonl.gz")
    assert GOOD == survivors(dataset)
    assert [("odd.jsonl.gz", 101, 1, "truncated-gzip")] == named(dataset)


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    """A wrong checksum is named; what was unpacked before it is kept."""
    packed = bytearray(gzip.compress(b"\n".join(LINES) + b"\n"))
    packed[-6] ^= 0xFF
    dataset = read_one(tmp_path, bytes(packed), "odd.jsonl.gz")
    assert GOOD == survivors(dataset)
    assert ["broken-gzip"] == [one.reason for one in dataset.quarantine]


def test_truncated_zstd_is_named(tmp_path: Path) -> None:
    """A cut zstd file is named; the rows of the frames before the cut are kept."""
    first = pa.compress(b"\n".join(LINES) + b"\n", codec="zstd", asbytes=True)
    second = pa.compress(b'{"id": "odd", "text": "' + bytes(range(65, 91)) * 400 + b'"}', codec="zstd", asbytes=True)
    dataset = read_one(tmp_path, first + second[:-9], "odd.jsonl.zst")
    assert GOOD == survivors(dataset)
    assert ["truncated-zstd"] == [one.reason for one in dataset.quarantine]


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_decompression_bomb_is_stopped(codec: str, tmp_path: Path) -> None:
    """A stream that unpacks out of all proportion ends early and is named; the rows before it are kept."""
    head = b"\n".join(LINES) + b"\n"
    blank = b'{"text": "' + b" " * 100_000 + b'"}\n'
    bomb = head + blank * 2000
    packed = gzip.compress(bomb) if codec == "gz" else pa.compress(bomb, codec="zstd", asbytes=True)
    assert len(packed) * 200 < len(bomb)
    dataset = read_one(tmp_path, packed, f"bomb.jsonl.{codec}")
    assert GOOD == survivors(dataset)[:100]
    assert dataset.rows < 1000
    assert ["decompression-bomb"] == [one.reason for one in dataset.quarantine]


def test_memory_stays_flat_on_an_endless_line(tmp_path: Path) -> None:
    """A 300 MB line is passed over without being held: the reader stays under 300 MB in a process of its own."""
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b"\n".join(LINES) + b"\n" + b'{"text": "')
        for _ in range(300):
            file.write(b"a" * 2**20)
        file.write(b'"}\n' + LINES[0] + b"\n")
    program = (
        "import sys; from pathlib import Path; from holdfast.core.reader import read;"
        "d = read([sys.argv[1]], spool=Path(sys.argv[2]));"
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0];"
        "print(d.rows, d.quarantine[0].line, d.quarantine[0].reason, int(peak) // 1024)"
    )
    command = [sys.executable, "-c", program, str(path), str(tmp_path / "spool")]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert ["101", "101", "too-long"] == words[:3]
    assert int(words[3]) < 300


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jsonl", b"PK\x03\x04rest", "a zip archive"),
        ("a.jsonl", b"\x80\x04\x95pickle", "a pickle, which is never loaded"),
        ("a.parquet", b"PAR1 and then nothing of a Parquet file", "not a readable parquet file"),
        ("a.arrow", b"ARROW1 and then nothing of an Arrow file", "not a readable arrow file"),
    ],
)
def test_a_file_without_rows_ends_in_one_clear_message(name: str, content: bytes, kind: str, tmp_path: Path) -> None:
    """What is no table at all is an InputError that names the file and what it is."""
    with pytest.raises(InputError, match=kind):
        read_one(tmp_path, content, name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that is not there is an InputError with that path."""
    with pytest.raises(InputError, match="no-such-file"):
        read([tmp_path / "no-such-file.jsonl"], spool=tmp_path / "spool")


def test_csv_with_odd_rows(tmp_path: Path) -> None:
    """A row of another width and a quote that is never closed cost their own lines only."""
    rows = [f"c{number},some text number {number}" for number in range(100)]
    rows.insert(50, 'x,"never closed')
    rows.insert(20, "x,y,z")
    dataset = read_one(tmp_path, ("id,text\n" + "\n".join(rows) + "\n").encode(), "odd.csv")
    assert 100 == dataset.rows
    expected = [
        ("odd.csv", 22, 1, "wrong-column-count: 3 of 2"),
        ("odd.csv", 53, 1, "broken-csv: a quote is not closed"),
    ]
    assert expected == sorted(named(dataset), key=lambda one: one[1])


def test_two_stray_quotes_far_apart_do_not_swallow_what_is_between(tmp_path: Path) -> None:
    """Lines that would join to a row of the wrong width are taken apart again."""
    rows = [f"c{number},some text number {number}" for number in range(100)]
    rows.insert(70, 'a 3" pipe, b, c')
    rows.insert(30, 'x,"stray')
    dataset = read_one(tmp_path, ("id,text\n" + "\n".join(rows) + "\n").encode(), "odd.csv")
    assert 100 == dataset.rows
    assert [32, 73] == [one.line for one in dataset.quarantine]
