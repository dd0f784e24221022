"""The view's shelf and index: what is a run, what a search finds, why a record is where it is, what is near it."""

import json
from pathlib import Path

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import load
from holdfast.workflows.build import build
from holdfast.workflows.filter import FilterOptions, filter_files
from holdfast.workflows.init import init
from holdfast.workflows.view import is_run, run_at, view
from holdfast.workflows.view_index import PAGE, Asked
from holdfast.workflows.view_progress import progress


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the quickstart: real and generated problems, near-duplicates rejected, a report."""
    folder = tmp_path_factory.mktemp("built")
    init(folder / "demo")
    build(load(folder / "demo" / "holdfast.yaml"), folder / "run")
    return folder / "run"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A hundred and twenty records in two origins, two of them nearly the same."""
    texts = [
        f"Record number {n} speaks of {'ships' if n % 2 else 'trains'} and {n * 7919} other things." for n in range(118)
    ]
    texts += ["The quick brown fox jumps over the lazy dog near the old stone bridge at dawn today."]
    texts += ["The quick brown fox jumps over the lazy dog near the old stone bridge at dusk today."]
    return write(tmp_path / "rows.jsonl", [{"id": f"r{n}", "text": text} for n, text in enumerate(texts)])


def test_every_record_of_a_build_is_there_with_its_fate(built: Path) -> None:
    """Kept and rejected records add up to the manifest, and each rejected one says by which step and why."""
    counts = json.loads((built / "manifest.json").read_text())["counts"]
    with view([built]) as shelf:
        index = shelf.index(0)
        states = dict(index.facet("state"))
        assert (counts["kept"], counts["rejected"]) == (states["kept"], states["rejected"])
        total, found = index.find(Asked(facets={"reason": "near-duplicate"}))
        assert counts["rejected"] - 3 == total
        record = index.record(found[0]["n"])
        assert record is not None
        assert ("rejected", "filter", "near-duplicate") == (record["state"], record["step"], record["reason"])
        keeper = json.loads(record["detail"])["keeper"]
        assert keeper in [near["id"] for near in index.neighbours(found[0]["n"])]


def test_a_rejected_record_still_says_who_made_it(built: Path) -> None:
    """What a filter writes out without provenance gets it back by id from the generated records, verdict included."""
    with view([built]) as shelf:
        index = shelf.index(0)
        _, found = index.find(Asked(facets={"reason": "near-duplicate"}))
        record = index.record(found[0]["n"])
        assert record is not None
        assert ("synthetic", True) == (record["origin"], bool(record["generator"]))
        assert [("math", True)] == [(said["check"], said["ok"]) for said in record["verdicts"]]


def test_a_search_reads_words_as_they_stand(rows: Path) -> None:
    """A search is whole and without regard to case; what looks like a pattern or a statement is only text."""
    with view([rows]) as shelf:
        index = shelf.index(0)
        assert 59 == index.find(Asked(words="SHIPS"))[0]
        assert 1 == index.find(Asked(words="at dusk"))[0]
        assert [0, 0, 0] == [index.find(Asked(words=w))[0] for w in ("%", ".*", "'; DROP TABLE records; --")]
        assert 120 == index.size


def test_pages_hold_each_record_once_in_order(rows: Path) -> None:
    """Page after page gives every record once, in the order of the file; a page behind the last is empty."""
    with view([rows]) as shelf:
        index = shelf.index(0)
        pages = [index.find(Asked(page=page))[1] for page in (1, 2, 3, 4)]
    assert [PAGE, PAGE, 20, 0] == [len(page) for page in pages]
    assert [f"r{n}" for n in range(120)] == [row["id"] for page in pages for row in page]


def test_neighbours_are_those_that_share_words(rows: Path) -> None:
    """Of two texts that differ in a word each is the other's only neighbour; a text alone has none."""
    with view([rows]) as shelf:
        index = shelf.index(0)
        fox, dusk = index.named("r118"), index.named("r119")
        assert fox is not None
        assert [dusk] == [near["n"] for near in index.neighbours(fox)]
        assert 0.5 < index.neighbours(fox)[0]["similarity"] < 1


def test_records_are_found_by_rule_and_by_verdict(tmp_path: Path, rows: Path) -> None:
    """The evidence of a report beside the file is what its rule finds; verdicts of every outcome can be asked for."""
    finding = {
        "rule": "secrets",
        "severity": "error",
        "message": "m",
        "advice": "a",
        "measurement": None,
        "evidence": [{"id": "r3", "excerpt": "", "note": "a key"}],
        "evidence_total": 1,
        "source": "",
    }
    report = {
        "version": 1, "ok": False, "exit": 1, "counts": {"records": 120, "quarantined": 0}, "inputs": [],
        "measurements": {}, "findings": [finding], "not_judged": [], "accepted": [], "manifest": {},
    }  # fmt: skip
    rows.with_suffix(".report.json").write_text(json.dumps(report))
    with view([rows]) as shelf:
        assert ["r3"] == [row["id"] for row in shelf.index(0).find(Asked(rule="secrets"))[1]]
    out = filter_files([rows], tmp_path / "out", FilterOptions())
    assert out.counts.kept
    lines = [
        {"id": "r1", "check": "math", "version": "1", "ok": ok, "reason": "x", "score": None, "evidence": {}}
        for ok in (None,)
    ]
    write(tmp_path / "out" / "verdicts.jsonl", lines)
    with view([tmp_path / "out"]) as shelf:
        index = shelf.index(0)
        assert "math: undecided" in index.outcomes()
        assert ["r1"] == [row["id"] for row in index.find(Asked(verdict="math: undecided"))[1]]
        assert 0 == index.find(Asked(verdict="math: refused"))[0]


def test_two_runs_are_compared_by_id(tmp_path: Path, rows: Path) -> None:
    """Two sets that share some ids say how many are in both and in one only."""
    other = write(tmp_path / "other.jsonl", [{"id": f"r{n}", "text": f"text {n}"} for n in (1, 2, 500)])
    with view([tmp_path / "run", rows] if is_run(tmp_path / "run") else [rows]) as shelf, view([other]) as second:
        shelf.entries.append(second.entries[0])
        told = shelf.compared(0, 1)
    assert {"both": 2, "new": 118, "old": 1} == told["records"]


def test_progress_says_what_is_done_and_what_is_to_come(tmp_path: Path, built: Path) -> None:
    """A finished build has four steps done; without the later manifests the step at work is begun, the rest to come."""
    assert ["done"] * 4 == [step.state for step in progress(built).steps]
    run = tmp_path / "run"
    (run / "generated" / ".rounds").mkdir(parents=True)
    (run / "generated" / ".rounds" / "000000.round").write_bytes(b"x")
    at = progress(run)
    assert ["begun", "to come", "to come", "to come"] == [step.state for step in at.steps]
    assert ({"rounds": 1}, False) == (dict(at.steps[0].counts), at.finished)
    assert () == run_at(run).parts


def test_nothing_to_view_says_what_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a run under .holdfast the message names what to type."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="holdfast view RUN"), view():
        pass
