"""Run files: whole or absent, conserved, one writer."""

import os
import subprocess
import sys

import orjson
import pytest

from holdfast.core.dataset import Input
from holdfast.core.errors import ConservationError, InputError, MachineError, UsageError
from holdfast.core.rundir import Counts, Manifest, begin, only_writer, read_manifest, spare, write_bytes


def test_a_manifest_that_loses_a_record_is_refused(tmp_path):
    """in = kept + rejected + undecided + failed + pending, or nothing is written and the exit code is 4."""
    with pytest.raises(ConservationError) as caught:
        Manifest("filter", Counts(given=10, kept=7, rejected=2)).write(tmp_path)
    assert (4, None) == (caught.value.exit_code, read_manifest(tmp_path))


def test_a_manifest_has_the_keys_of_the_contract(tmp_path):
    """The published keys are there, and `in` is called in."""
    Manifest("filter", Counts(3, 2, 1), reasons={"b": 1, "a": 0}).write(tmp_path)
    written = read_manifest(tmp_path)
    head = ["version", "verb", "ok", "counts", "reasons", "files", "settings_digest", "inputs"]
    expected = [*head, "code_version", "seeds", "runner", "digests", "digest"]
    assert (expected, 3, ["a", "b"]) == (list(written), written["counts"]["in"], list(written["reasons"]))


def test_equal_runs_give_equal_bytes(tmp_path):
    """Nothing in a manifest depends on when or where it was written."""
    for name in ("a", "b"):
        Manifest("mix", Counts(1, 1), seeds={"settings": 7}).write(tmp_path / name)
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """When the disk refuses, the old content stands and no temporary file stays."""
    path = tmp_path / "x"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "not bytes")
    assert (b"old", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_a_second_writer_is_refused(tmp_path):
    """Two processes never write one folder; the lock falls with its holder."""
    code = (
        "from pathlib import Path\nfrom holdfast.core.rundir import only_writer\n"
        f"with only_writer(Path({str(tmp_path)!r})): print('in')"
    )
    command = [sys.executable, "-c", code]
    with only_writer(tmp_path):
        second = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    third = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert (True, "in\n") == ("is being written by another run" in second.stderr, third.stdout)


def test_a_second_writer_in_one_process_is_refused(tmp_path):
    """The same holds inside one process."""
    with only_writer(tmp_path), pytest.raises(UsageError), only_writer(tmp_path):
        pass


def test_the_manifest_is_plain_json(tmp_path):
    """Anybody's parser reads it."""
    Manifest("mix", Counts(0)).write(tmp_path)
    assert 0 == orjson.loads((tmp_path / "manifest.json").read_bytes())["counts"]["in"]


def test_a_folder_that_cannot_be_one_is_a_mistake_not_a_bug(tmp_path):
    """A file in the place of the folder ends in exit code 2 and names the path."""
    (tmp_path / "taken").write_text("x")
    with pytest.raises(MachineError) as caught, only_writer(tmp_path / "taken"):
        pass
    assert (2, True) == (caught.value.exit_code, "taken" in str(caught.value))


def test_an_input_is_never_overwritten(tmp_path):
    """A run whose output would take the name of an input is refused; inputs of other names may lie there."""
    begin(tmp_path, [Input(str(tmp_path / "data.jsonl"), "", 1, "jsonl")])
    with pytest.raises(UsageError, match="would be overwritten"):
        begin(tmp_path, [Input(str(tmp_path / "kept.jsonl"), "", 1, "jsonl")])


def test_an_older_manifest_does_not_vouch_for_a_new_run(tmp_path):
    """A folder with a manifest is complete, so that a second run takes the first one's away before it writes."""
    Manifest("filter", Counts(0)).write(tmp_path)
    begin(tmp_path, [])
    assert read_manifest(tmp_path) is None


def test_what_a_run_is_compared_with_is_spared_too(tmp_path):
    """The folder of the run itself, and a file or a glob of ours in it, are refused; a file of another name is not."""
    (tmp_path / "eval.jsonl").touch()
    spare(tmp_path, [tmp_path / "mine.jsonl", tmp_path.parent, tmp_path / "*.csv"])
    for path in (tmp_path, tmp_path / "eval.jsonl", f"{tmp_path}/*.jsonl"):
        with pytest.raises(UsageError, match="would be overwritten"):
            spare(tmp_path, [path])


@pytest.mark.parametrize("text", ["[1]", "{", '{"name": "my app"}', '{"verb": "mix", "files": ["a"]}'])
def test_a_manifest_of_another_tool_is_refused_and_stays(tmp_path, text):
    """What is called manifest.json and is none of ours is told, never overwritten, and no bug."""
    (tmp_path / "manifest.json").write_text(text)
    for act in (read_manifest, lambda folder: begin(folder, [])):
        with pytest.raises(InputError, match="not a manifest of Holdfast"):
            act(tmp_path)
    assert text == (tmp_path / "manifest.json").read_text()
