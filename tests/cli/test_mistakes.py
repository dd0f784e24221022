"""Ten mistakes that people make: each ends in one message that says what to do, and in no traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.cli import app
from holdfast.core.rundir import only_writer
from holdfast.workflows.init import init
from tests.workflows.test_generate_durable import mounted

MODEL = """
version: 1
name: asked
real: [{path: real.jsonl}]
models:
  m: {base_url: "http://127.0.0.1:9/v1", model: x, family: y, key_env: HOLDFAST_TEST_NO_KEY}
generators: [{use: prompt, model: m, template: task.j2, cap: 1.0}]
cells: {grid: {topic: [ratios]}, quota: 2}
accepted_risks: [{rule: generator-concentration, reason: a test, owner: me, until: 2099-01-01}]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The quickstart, as `holdfast init` writes it, as the working directory."""
    init(tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    monkeypatch.delenv("HOLDFAST_TEST_NO_KEY", raising=False)
    return tmp_path / "demo"


def edited(old: str, new: str) -> None:
    """Change the settings of the quickstart in one place."""
    path = Path("holdfast.yaml")
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def ends(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command; return its exit code and all it said."""
    code = app.main(arguments)
    said = capsys.readouterr()
    return code, " ".join((said.out + said.err).split())


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["audit", "nowhere.jsonl"], 2, ("there is no such file", "Check the path")),
        (["audit", "poor.jsonl", "--map", "text=txet"], 2, ("there is no column 'txet'", "Known: answer")),
        (["audit", "poor.jsonl", "--evl", "real.jsonl"], 2, ("there is no option --evl", "Did you mean '--eval'?")),
        (
            ["audit", "real.jsonl", "--eval", "real.jsonl"],
            1,
            ("contain an item of the held-out set", "holdfast filter"),
        ),
        (["audit", "poor.jsonl", "--encoder", "minilm-l66"], 2, ("minilm-l66", "Known: ")),
    ],
    ids=["wrong path", "wrong column", "wrong option", "eval equals train", "wrong encoder"],
)
def test_a_wrong_argument(
    arguments: list[str], code: int, says: tuple[str, ...], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong path, column, option or encoder, and a held-out set that is the training set: named, with the remedy."""
    ended, said = ends(arguments, capsys)
    assert code == ended, said
    assert [] == [words for words in says if words not in said], said
    assert "Traceback" not in said


def test_an_empty_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file is a finding that names it, and nothing else is found of it."""
    Path("empty.jsonl").touch()
    ended, said = ends(["audit", "empty.jsonl"], capsys)
    assert (1, True) == (ended, "empty.jsonl holds no readable record" in said)
    assert "Check the path and the bad lines" in said


def test_a_typo_in_the_settings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown key is named with its file and line and the key that was meant."""
    edited("generators:", "generatorz:")
    ended, said = ends(["plan"], capsys)
    assert (2, True) == (ended, "unknown key 'generatorz'. Did you mean 'generators'?" in said)


def test_settings_of_another_version(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version that cannot be read is named, with the one that can, and where to read what changed."""
    edited("version: 1", "version: 0")
    ended, said = ends(["plan"], capsys)
    assert (2, True) == (ended, "version: this Holdfast reads version 1" in said)
    assert "CHANGELOG.md" in said


def test_a_key_that_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model whose key is not in the environment is refused by the name of the variable, before anything is made."""
    Path("asked.yaml").write_text(MODEL)
    Path("task.j2").write_text("Write a problem about {{ cell.topic }}.")
    ended, said = ends(["build", "-c", "asked.yaml", "--out", "out"], capsys)
    assert (2, True) == (ended, "HOLDFAST_TEST_NO_KEY" in said), said
    assert "export HOLDFAST_TEST_NO_KEY" in said


def test_two_writers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second command on the folder of a running one is refused and says what to do."""
    with only_writer(Path("out")):
        ended, said = ends(["filter", "poor.jsonl", "--dedup", "exact", "--out", "out"], capsys)
    assert (2, True) == (ended, "is being written by another run. Wait for it, or use another folder." in said), said


def test_a_disk_without_room(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A disk of one megabyte stops the build, resumable, and says to free space."""
    disk = tmp_path / "disk"
    rows = [{"id": f"r{n}", "text": os.urandom(500).hex()} for n in range(2_000)]
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    mounted(disk)
    try:
        ended, said = ends(["filter", "many.jsonl", "--dedup", "exact", "--out", str(disk / "out")], capsys)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    assert (3, True) == (ended, "Free space" in said), said


def test_no_extra(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs a package that is not installed is one line with the command that installs it."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    ended, said = ends(["view", "poor.jsonl", "--no-browser", "--quiet"], capsys)
    assert (2, True) == (ended, "pip install 'holdfast[web]'" in said), said
