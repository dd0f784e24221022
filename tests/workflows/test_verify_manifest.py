"""verify-manifest: whatever changes after a run is told, whichever byte, row or field it is."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import InputError
from holdfast.core.rundir import manifest_digest
from holdfast.workflows.filter import filter_files
from holdfast.workflows.verify_manifest import verify_manifest
from tests.rules.views import sentence
from tests.workflows.test_filter import written


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder that filter wrote, with kept, rejected and quarantined rows."""
    folder = tmp_path_factory.mktemp("run")
    source = written(folder / "data.jsonl", [{"id": f"r{n}", "text": sentence(n % 8)} for n in range(10)])
    source.write_text(source.read_text() + "{broken\n")
    filter_files([source], folder / "out")
    return folder / "out"


def files(run):
    """The files that the manifest lists, and itself."""
    return sorted([*json.loads((run / "manifest.json").read_text())["digests"], "manifest.json"])


def test_an_untouched_run_agrees(run):
    """All files are listed with their digests, and nothing disagrees."""
    proof = verify_manifest(run)
    assert (True, 3, ["kept.jsonl", "manifest.json", "quarantine.jsonl", "rejected.jsonl"]) == (
        proof.ok,
        proof.files,
        files(run),
    )


@given(st.data())
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_told(run, data):
    """One byte of one file, the manifest among them, changed to another value: always found, and the file is named."""
    name = data.draw(st.sampled_from(files(run)))
    whole = (run / name).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    (run / name).write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    try:
        broken = verify_manifest(run).broken
    finally:
        (run / name).write_bytes(whole)
    if name != "manifest.json" or not _same_value(whole, place, byte):
        assert name in {each.file for each in broken}


def _same_value(whole, place, byte):
    """White space between the values of a manifest means nothing: the values are the same."""
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    try:
        return json.loads(changed) == json.loads(whole)
    except ValueError:
        return False


@pytest.mark.parametrize("change", ["row", "field", "missing", "extra"])
def test_rows_fields_and_files_are_told(run, change, tmp_path):
    """A row left out, a count raised, a file gone, a file nobody wrote: each is named."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    if change == "row":
        (copy / "kept.jsonl").write_text("".join((copy / "kept.jsonl").read_text().splitlines(keepends=True)[1:]))
    elif change == "field":
        _raise_count(copy / "manifest.json")
    elif change == "missing":
        (copy / "rejected.jsonl").unlink()
    else:
        (copy / "train.jsonl").write_text("{}\n")
    expected = {
        "row": {"kept.jsonl": "was changed"},
        "field": {"manifest.json": "was changed"},
        "missing": {"rejected.jsonl": "is missing"},
        "extra": {"train.jsonl": "is in no manifest"},
    }
    found = {each.file: each.what for each in reversed(verify_manifest(copy).broken)}
    assert expected[change] == found


def _raise_count(path: Path) -> None:
    values = json.loads(path.read_text())
    values["counts"]["kept"] += 1
    path.write_text(json.dumps(values))


def test_a_manifest_that_breaks_the_law_is_told_even_with_a_fresh_digest(run, tmp_path):
    """Counts that do not add up are told although somebody renewed the manifest's own digest."""
    values = json.loads((run / "manifest.json").read_text())
    values["counts"]["kept"] += 1
    values["digests"] = {}
    (tmp_path / "manifest.json").write_text(json.dumps(values | {"digest": manifest_digest(values)}))
    assert ["records came in" in each.what for each in verify_manifest(tmp_path).broken] == [True]


def test_a_folder_without_manifest_is_told(tmp_path):
    """There is nothing to prove where nothing was written."""
    with pytest.raises(InputError, match=r"There is no manifest\.json"):
        verify_manifest(tmp_path)
