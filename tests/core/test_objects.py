"""Object stores: read and written on a real server, and a finished folder is there whole or not at all."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest

from holdfast.cli.app import main
from holdfast.core import durable, objects
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reader import read
from tests.conftest import missing

ROWS = [{"id": f"r{number}", "text": f"The same words, or nearly, number {number // 2}."} for number in range(20)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    if find_spec("moto") is None or find_spec("flask") is None:
        missing("moto[s3] and flask")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket `shop`, and an environment in which this process finds the server."""
    values = {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    objects._fetched.cache_clear()
    place = server.removeprefix("http://")
    made = pafs.S3FileSystem(
        access_key="a", secret_key="b", endpoint_override=place, scheme="http", region="us-east-1",
        allow_bucket_creation=True, allow_bucket_deletion=True,
    )  # fmt: skip
    made.create_dir("shop")
    yield made
    made.delete_dir("shop")


def put(store: Any, place: str, rows: list[dict[str, str]]) -> None:
    """Put rows as JSON Lines."""
    with store.open_output_stream(place) as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows).encode())


def content(store: Any, place: str) -> dict[str, bytes]:
    """All objects under a place, by name."""
    found = store.get_file_info(pafs.FileSelector(place, recursive=True, allow_not_found=True))
    return {
        each.path.removeprefix(f"{place}/"): store.open_input_stream(each.path).read()
        for each in found
        if each.type == pafs.FileType.File
    }


def test_a_verb_reads_and_writes_a_store(store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """filter from s3:// to s3:// leaves the files that it writes here, and names addresses, not temporary folders."""
    put(store, "shop/raw/data.jsonl", ROWS)
    (tmp_path / "data.jsonl").write_bytes(content(store, "shop/raw")["data.jsonl"])
    assert 0 == main(["filter", str(tmp_path / "data.jsonl"), "--out", str(tmp_path / "out")])
    capsys.readouterr()
    assert 0 == main(["filter", "s3://shop/raw/data.jsonl", "--out", "s3://shop/clean"])
    assert "files in s3://shop/clean: kept.jsonl" in capsys.readouterr().out
    sent, here = content(store, "shop/clean"), {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    manifest = json.loads(sent.pop("manifest.json"))
    del here["manifest.json"]
    assert (here, "s3://shop/raw/data.jsonl") == (sent, manifest["inputs"][0]["path"])


def test_a_folder_of_a_store_is_read_as_one_here_is(store: Any, tmp_path: Path) -> None:
    """All data files under a prefix, nested ones too, in order, named by their addresses."""
    put(store, "shop/set/a.jsonl", ROWS[:3])
    put(store, "shop/set/deep/b.jsonl", ROWS[3:5])
    data = read(["s3://shop/set"], spool=tmp_path)
    assert (5, ["s3://shop/set/a.jsonl", "s3://shop/set/deep/b.jsonl"]) == (
        data.rows,
        [one.path for one in data.inputs],
    )


def test_a_finished_folder_is_there_whole_or_not_at_all(store: Any, tmp_path: Path) -> None:
    """Killed before any step of sending, the new manifest is not there; sent again, all is as if never killed."""
    source = tmp_path / "source"
    source.mkdir()
    old, new = {"kept": "kept.jsonl", "rejected": "rejected.jsonl"}, {"kept": "kept.jsonl"}
    finished = {"kept.jsonl": b"new", "manifest.json": json.dumps({"files": new, "age": "new"}).encode()}
    for name, data in finished.items():
        (source / name).write_bytes(data)
    for steps in range(4):
        for name, data in {"kept.jsonl": b"old", "rejected.jsonl": b"old", "manifest.json": b""}.items():
            with store.open_output_stream(f"shop/out/{name}") as file:
                file.write(data or json.dumps({"files": old, "age": "old"}).encode())
        killed = _killed_after(steps, source)
        there = content(store, "shop/out")
        whole = {name: there.get(name) for name in finished} == finished
        if "manifest.json" in there and json.loads(there["manifest.json"])["age"] == "new":
            assert (whole, killed) == (True, False)
        elif "manifest.json" in there:
            assert b"old" == there["kept.jsonl"] == there["rejected.jsonl"]
        objects._put_all(source, "shop/out")
        assert finished == content(store, "shop/out")


def _killed_after(steps: int, source: Path) -> bool:
    """Send `source` in a process of its own that ends before step number `steps`; return whether it did."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom holdfast.core import durable, objects\n"
        "left = [int(sys.argv[1])]\n"
        "def watch(step, path):\n"
        "    if not left[0]: os._exit(9)\n"
        "    left[0] -= 1\n"
        "durable.watch = watch\n"
        "objects._put_all(Path(sys.argv[2]), 'shop/out')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(durable.__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", code, str(steps), str(source)], env=environment, check=False)
    assert ended.returncode in (0, 9)
    return ended.returncode == 9


def test_what_is_not_there_or_not_known_is_said(store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing object, another scheme, and a verb that keeps its place in its folder: one message each."""
    with pytest.raises(InputError, match="there is no such object or folder"):
        read(["s3://shop/gone.jsonl"], spool=tmp_path)
    with pytest.raises(UsageError, match="Known: s3://BUCKET/KEY"):
        read(["ftp://shop/gone.jsonl"], spool=tmp_path)
    assert 2 == main(["generate", "--out", "s3://shop/made"])
    assert "generate keeps its place in --out" in capsys.readouterr().err
