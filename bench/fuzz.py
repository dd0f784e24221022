"""Made inputs for every reader, the settings and the report's JSON: python -m bench.fuzz [--minutes 10].

Each target runs so long, in a process of its own, on valid files that were cut, flipped, doubled and spliced, and on
bytes that are no file at all (Hypothesis makes both, and shrinks what fails). A crash is anything but a result or a
HoldfastError; of the report's JSON also a ValueError is an answer. What crashed is printed as bytes that can be pasted
into a test; exit code 1 where anything did.
"""

import argparse
import gzip
import io
import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from holdfast.core.errors import HoldfastError
from holdfast.core.reader import read
from holdfast.core.settings import load
from holdfast.core.verdict import Evidence, Finding, Measurement
from holdfast.report.report import Report

ROOT = Path(__file__).resolve().parent.parent
ROWS: list[dict[str, Any]] = [
    {"id": "a", "prompt": "What is 2 + 2?", "response": "4", "origin": "real"},
    {
        "id": "b",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello \u00e9 \u4e2d"}],
    },
    {"instruction": "Say", "input": "", "output": "it", "generator": "gpt-4o", "n": 12345678901234567890123456},
    {"text": "plain", "holdfast": {"origin": "synthetic", "depth": 1, "checks": {"math": True}}},
    {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": None}], "date": "2021-02-03"},
    {"chosen": "yes", "rejected": "no", "prompt": ["a", {"b": 1}], "extra": {"deep": [[[[1.5e300]]]]}},
]
BATCH = 50


def main() -> None:
    """Run every target for its time, print what came of it, and end with 1 where something crashed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--targets", nargs="*", default=list(TARGETS))
    given_ = parser.parse_args()
    crashed = 0
    for name in given_.targets:
        tried = multiprocessing.get_context("spawn").Value("q", 0)
        child = multiprocessing.get_context("spawn").Process(target=fuzzed, args=(name, given_.minutes * 60, tried))
        child.start()
        child.join()
        crashed += child.exitcode != 0
        print(
            f"{name}: {tried.value:,} inputs, {'no crash' if child.exitcode == 0 else f'CRASH ({child.exitcode})'}",
            flush=True,
        )
    sys.exit(int(crashed > 0))


def fuzzed(name: str, seconds: float, tried: Any) -> None:
    """Try made inputs on one target until the time is over; raises with the smallest input that crashes it."""
    valid, attempt = TARGETS[name]
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:

        @seed(number)
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(spoiled(valid()))
        def once(data: bytes) -> None:
            tried.value += 1
            attempt(data)

        once()
        number += 1


@st.composite
def spoiled(draw: st.DrawFn, valid: bytes) -> bytes:
    """Draw bytes that once were a valid file, or never were one."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(valid)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(("flip", "cut", "double", "insert", "tail")))
        if kind == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del data[at:end]
        elif kind == "double":
            data[at:at] = data[at:end]
        elif kind == "insert":
            data[at:at] = draw(st.sampled_from(AWKWARD))
        else:
            del data[at:]
    return bytes(data)


AWKWARD = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"{" * 80,
    b"[" * 80,
    b'"',
    b"\r",
    b"\n",
    b",",
    b"\xef\xbb\xbf",
    b"null",
    b"-0",
    b": ",
    b"- ",
    b"&a *a",
    b"!!python/object:os.system",
    b"\xe2\x80\xa8",
    b'{"a":1,"a":2}',
    b"9" * 40,
    b"\t",
    b"#",
)


def reader(suffix: str) -> Callable[[bytes], None]:
    """Return what reads bytes as a file of that name, and all its records."""

    def attempt(data: bytes) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"made{suffix}"
            path.write_bytes(data)
            with suppress(HoldfastError):
                for record in read([path], spool=Path(folder) / "spool").records():
                    record.digest  # noqa: B018  # every property of a record holds

    return attempt


def settings_file(data: bytes) -> None:
    """Read bytes as holdfast.yaml."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "holdfast.yaml"
        path.write_bytes(data)
        with suppress(HoldfastError):
            load(path)


def report_json(data: bytes) -> None:
    """Read bytes as the JSON of a report, and write what was read in all its forms."""
    with suppress(ValueError, HoldfastError):
        report = Report.from_dict(orjson.loads(data))
        json.loads(report.to_json())
        with TemporaryDirectory() as folder:
            report.to_html(Path(folder) / "report.html")
            report.to_sarif(Path(folder) / "report.sarif")


def lines() -> bytes:
    """Rows as JSON Lines."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in ROWS)


def array() -> bytes:
    """Rows as one JSON array."""
    return json.dumps(ROWS, indent=1).encode()


def separated(mark: str) -> Callable[[], bytes]:
    """Return what makes rows with a separator."""
    return f'id{mark}prompt{mark}response\n1{mark}"a ""b""\nc"{mark}\u00e9\n2{mark}x{mark}"y"\n'.encode


def parquet() -> bytes:
    """Rows as Parquet."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"id": str(n), "prompt": "p", "response": f"r{n}"} for n in range(20)]), sink)
    return sink.getvalue()


def arrow() -> bytes:
    """Rows as an Arrow file."""
    table, sink = pa.Table.from_pylist([{"text": f"r{n}", "tags": ["a"]} for n in range(20)]), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def report() -> bytes:
    """A report with everything in it."""
    measured = Measurement(0.5, 0.4, None, 10, "share", detail={"a": [1, None, {"b": "c"}]})
    finding = Finding("exact-duplicates", "error", "m", "a", measured, (Evidence("x", "e", "y", 0.5, "n"),), 3, "s")
    made = Report(
        False,
        1,
        {"records": 10, "quarantined": 0},
        (),
        {"exact-duplicates": measured},
        (finding,),
        (),
        (),
        {"verb": "audit"},
    )
    return made.to_json().encode()


TARGETS: dict[str, tuple[Callable[[], bytes], Callable[[bytes], None]]] = {
    "jsonl": (lines, reader(".jsonl")),
    "json": (array, reader(".json")),
    "csv": (separated(","), reader(".csv")),
    "tsv": (separated("\t"), reader(".tsv")),
    "text": (lambda: "One.\n\nTwo \u00e9.\n".encode() * 3, reader(".txt")),
    "jsonl.gz": (lambda: gzip.compress(lines(), mtime=0), reader(".jsonl.gz")),
    "jsonl.zst": (lambda: zstandard.compress(lines()), reader(".jsonl.zst")),
    "parquet": (parquet, reader(".parquet")),
    "arrow": (arrow, reader(".arrow")),
    "settings": ((ROOT / "examples" / "chat" / "holdfast.yaml").read_bytes, settings_file),
    "report": (report, report_json),
}


if __name__ == "__main__":
    main()
