"""verify-manifest: whatever changes after a run is told, whichever byte, row or field it is."""

import json
import shutil
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import InputError
from holdfast.core.reader import read
from holdfast.core.rundir import manifest_digest
from holdfast.core.writer import write_dataset
from holdfast.workflows.filter import filter_files
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.reserve import ReserveOptions, reserve
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


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders that reserve, with a set of another register, and mix wrote: one in JSON Lines, one in Parquet."""
    folder = tmp_path_factory.mktemp("runs")
    rows = [{"text": sentence(n), "source": "ab"[n % 5 == 0]} for n in range(40)]
    real = written(folder / "real.jsonl", rows)
    made = pa.Table.from_pylist([{"text": sentence(100 + n), "generator": "g"} for n in range(20)])
    pq.write_table(made, folder / "made.parquet")
    reserve([real], folder / "sealed", ReserveOptions(5, ood="source=b"))
    train = read([folder / "sealed/train.jsonl"], spool=folder / "spool")
    write_dataset(folder / "real.parquet", train, form="parquet")
    options = MixOptions(max_synthetic=0.2, held_out=(folder / "sealed",))
    mix([folder / "real.parquet"], [folder / "made.parquet"], folder / "mixed", options)
    return [folder / "sealed", folder / "mixed"]


def leaves(value, path=()):
    """Yield the path of every value in a manifest, containers that are empty among them."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not parts:
        yield path
    for key, part in parts:
        yield from leaves(part, (*path, key))


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else "x"


def test_every_field_of_a_manifest_is_guarded(run, runs, tmp_path):
    """Every value of three verbs' manifests changed, and every one removed: all are told, and nothing else is."""
    missed = []
    for folder in (run, *runs):
        copy = Path(shutil.copytree(folder, tmp_path / folder.name))
        whole = json.loads((copy / "manifest.json").read_text())
        assert verify_manifest(copy).ok
        for path in leaves(whole):
            for removed in (False, True):
                changed = json.loads(json.dumps(whole))
                place = reduce(lambda part, key: part[key], path[:-1], changed)
                if removed:
                    del place[path[-1]]
                else:
                    place[path[-1]] = other(place[path[-1]])
                (copy / "manifest.json").write_text(json.dumps(changed))
                if "manifest.json" not in {each.file for each in verify_manifest(copy).broken}:
                    missed.append((folder.name, path, removed))
    assert [] == missed


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_of_any_data_set_is_told(runs, data):
    """Sealed sets, seal, training sets and rejected rows: one byte changed, cut off or added at a random place."""
    folder = data.draw(st.sampled_from(runs))
    name = data.draw(st.sampled_from([name for name in files(folder) if name != "manifest.json"]))
    whole = (folder / name).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = whole[place]
    parts = {"changed": bytes([byte ^ data.draw(st.integers(1, 255))]), "cut": b"", "added": bytes([byte, byte])}
    (folder / name).write_bytes(whole[:place] + parts[data.draw(st.sampled_from(sorted(parts)))] + whole[place + 1 :])
    try:
        broken = verify_manifest(folder).broken
    finally:
        (folder / name).write_bytes(whole)
    assert [(name, "was changed")] == [(each.file, each.what) for each in broken]


@pytest.mark.parametrize("change", ["removed", "doubled", "moved", "edited"])
def test_any_row_is_told(runs, change):
    """In every file of rows each row is removed, doubled, moved to the end, or loses its last letter."""
    missed = []
    for path in [path for folder in runs for path in sorted(folder.glob("*.jsonl"))]:
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        for number, line in enumerate(lines[:-1]):
            rest = lines[:number] + lines[number + 1 :]
            made = {"removed": rest, "doubled": [*lines, line], "moved": [*rest, line]}
            made["edited"] = [*lines[:number], line[:-3] + line[-2:], *lines[number + 1 :]]
            path.write_bytes(b"".join(made[change]))
            if path.name not in {each.file for each in verify_manifest(path.parent).broken}:
                missed.append((path.name, number))
        path.write_bytes(whole)
    assert [] == missed
