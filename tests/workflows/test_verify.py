"""verify: every record gets a verdict, a fate and a reason; nothing is lost; a killed run goes on."""

import gzip
import json
from pathlib import Path

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.workflows import verify as module
from holdfast.workflows.verify import VerifyOptions, verify_files

RIGHT = {"question": "What is 3 * 4?", "response": "3 * 4 = <<3*4=12>>12\n#### 12", "gold": "12"}
WRONG = {"question": "What is 3 * 4?", "response": "#### 13", "gold": "12"}
STEP = {"question": "What is 3 * 4?", "response": "3 * 4 = <<3*4=13>>13\n#### 12", "gold": "12"}
OPEN = {"question": "Write a poem.", "response": "Roses are red."}
NAMED = {"question": "What is the capital of France?", "response": "Paris", "gold": "Paris"}


def written(path: Path, rows: list[dict], tail: str = "") -> Path:
    """Write rows as JSON Lines, with ids."""
    lines = [json.dumps({"id": f"r{number}", **row}) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n" + tail)
    return path


def rows(path: Path) -> list[dict]:
    """All rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_records_are_routed_by_their_data(tmp_path: Path) -> None:
    """Without checks, mathematics goes to the math check and what nothing can verify is undecided."""
    file = written(tmp_path / "in.jsonl", [RIGHT, WRONG, STEP, OPEN, NAMED], tail="{broken\n")
    manifest = verify_files([file], tmp_path / "out")
    assert {"in": 6, "kept": 1, "rejected": 2, "undecided": 2, "failed": 1, "pending": 0} == manifest.counts.to_dict()
    assert ["r0"] == [row["id"] for row in rows(tmp_path / "out/kept.jsonl")]
    reasons = {row["id"]: row["holdfast_reason"] for row in rows(tmp_path / "out/rejected.jsonl")}
    assert {"r1": "math: wrong-answer", "r2": "math: wrong-step"} == reasons
    reasons = {row["id"]: row["holdfast_reason"] for row in rows(tmp_path / "out/undecided.jsonl")}
    assert {"r3": "subjective", "r4": "no-verifier"} == reasons
    assert 1 == len(rows(tmp_path / "out/quarantine.jsonl"))


def test_rows_keep_their_columns_and_carry_the_verdict(tmp_path: Path) -> None:
    """A kept row has every value it came with, and the verdict in the nested column; unjudged rows get no mark."""
    file = written(tmp_path / "in.jsonl", [{**RIGHT, "mine": 12345678901234567890123456}, OPEN])
    verify_files([file], tmp_path / "out")
    kept = rows(tmp_path / "out/kept.jsonl")[0]
    assert {"id": "r0", **RIGHT, "mine": 12345678901234567890123456} == {
        k: v for k, v in kept.items() if k != "holdfast"
    }
    assert {"math": True} == kept["holdfast"]["checks"]
    assert {} == rows(tmp_path / "out/undecided.jsonl")[0]["holdfast"]["checks"]


def test_verdicts_have_the_published_keys(tmp_path: Path) -> None:
    """verdicts.jsonl holds one row per record and check, with the keys of the contract."""
    verify_files([written(tmp_path / "in.jsonl", [RIGHT, WRONG])], tmp_path / "out", VerifyOptions(("math",)))
    said = rows(tmp_path / "out/verdicts.jsonl")
    assert [["id", "check", "version", "ok", "reason", "score", "evidence", "ms"]] * 2 == [list(row) for row in said]
    assert [("r0", True, "correct"), ("r1", False, "wrong-answer")] == [
        (row["id"], row["ok"], row["reason"]) for row in said
    ]


def test_named_checks_judge_every_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With checks named, each record needs all of them; a user's own check is one function."""
    (tmp_path / "brevity_check.py").write_text(
        "from holdfast.core.verdict import Verdict\n"
        "def short(record):\n"
        "    return Verdict(len(record.response) < 20, 'too-long')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    file = written(tmp_path / "in.jsonl", [RIGHT, WRONG, {**RIGHT, "response": "#### 12"}, OPEN])
    options = VerifyOptions(("math", "brevity_check:short"))
    manifest = verify_files([file], tmp_path / "out", options)
    assert {"r2"} == {row["id"] for row in rows(tmp_path / "out/kept.jsonl")}
    reasons = {row["id"]: row["holdfast_reason"] for row in rows(tmp_path / "out/rejected.jsonl")}
    assert {"r0": "brevity_check:short: too-long", "r1": "math: wrong-answer"} == reasons
    assert {"math": {"failed": 1, "passed": 2, "undecided": 1}, "brevity_check:short": {"failed": 1, "passed": 3}} == (
        manifest.more["checks"]
    )


def test_a_killed_run_judges_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stop between shards the committed verdicts are read, not made again, and the result is the same."""
    (tmp_path / "counting_check.py").write_text(
        "from holdfast.core.verdict import Verdict\n"
        "calls = []\n"
        "def check(record):\n"
        "    calls.append(record.id)\n"
        "    return Verdict(record.id != 'r3', 'is-three')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    files = [written(tmp_path / "in.jsonl", [OPEN] * 10)]
    original = module.write_dataset

    def stop(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_dataset", stop)
    with pytest.raises(KeyboardInterrupt):
        verify_files(files, tmp_path / "out", VerifyOptions(("counting_check:check",)))
    assert not (tmp_path / "out/manifest.json").exists()
    monkeypatch.setattr(module, "write_dataset", original)
    manifest = verify_files(files, tmp_path / "out", VerifyOptions(("counting_check:check",)))
    from counting_check import calls  # noqa: PLC0415  # written by this test

    assert 10 == len(calls)
    assert (9, 1) == (manifest.counts.kept, manifest.counts.rejected)
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
        "kept.jsonl", "manifest.json", "rejected.jsonl", "undecided.jsonl", "verdicts.jsonl",
    ]  # fmt: skip


def test_mistakes_are_one_message_and_write_nothing(tmp_path: Path) -> None:
    """An unknown check names the nearest, an unknown file is said, and no folder is made."""
    file = written(tmp_path / "in.jsonl", [RIGHT])
    with pytest.raises(UsageError, match="Did you mean 'math'"):
        verify_files([file], tmp_path / "out", VerifyOptions(("maths",)))
    with pytest.raises(InputError):
        verify_files([tmp_path / "absent.jsonl"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_real_solutions(shared_data: Path, tmp_path: Path) -> None:
    """The shared GSM8K solutions, read as they lie: every record has its fate, no wrong answer is kept."""
    file = shared_data / "verify/gsm8k_solutions_6systems.jsonl.gz"
    manifest = verify_files([file], tmp_path)
    with gzip.open(tmp_path / "kept.jsonl.gz", "rt", encoding="utf-8") as lines:
        kept = [json.loads(line) for line in lines]
    assert {True} == {row["is_correct"] for row in kept}
    assert 7914 == manifest.counts.given == len(kept) + manifest.counts.rejected
    assert len(kept) >= 0.998 * 4175


def test_verdicts_of_other_columns_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run that read other columns leaves nothing that a second run would trust."""
    file = written(tmp_path / "in.jsonl", [{"question": "3 * 4?", "a": "#### 12", "b": "#### 13", "gold": "12"}])
    original = module.write_dataset
    monkeypatch.setattr(module, "write_dataset", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        verify_files([file], tmp_path / "out", VerifyOptions(("math",), {"prompt": "question", "response": "a"}))
    monkeypatch.setattr(module, "write_dataset", original)
    options = VerifyOptions(("math",), {"prompt": "question", "response": "b"})
    assert 1 == verify_files([file], tmp_path / "out", options).counts.rejected


def test_verdicts_of_other_checks_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run under one check leaves nothing that a run under another would trust."""
    code = "from holdfast.core.verdict import Verdict\ndef yes(record): return Verdict(True)\n"
    (tmp_path / "two_checks.py").write_text(f"{code}def no(record): return Verdict(False, 'no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = written(tmp_path / "in.jsonl", [OPEN])
    original = module.write_dataset
    monkeypatch.setattr(module, "write_dataset", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        verify_files([file], tmp_path / "out", VerifyOptions(("two_checks:yes",)))
    monkeypatch.setattr(module, "write_dataset", original)
    assert 1 == verify_files([file], tmp_path / "out", VerifyOptions(("two_checks:no",))).counts.rejected


def test_processes_give_the_same_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts judged in processes of their own end in the same files, times aside."""
    monkeypatch.setattr(module, "PART", 3)
    file = written(tmp_path / "in.jsonl", [RIGHT, WRONG, STEP, OPEN] * 2)
    one = verify_files([file], tmp_path / "one")
    two = verify_files([file], tmp_path / "two", VerifyOptions(workers=2))
    assert (one.counts, one.reasons, one.more) == (two.counts, two.reasons, two.more)
    said = [[{**row, "ms": None} for row in rows(tmp_path / name / "verdicts.jsonl")] for name in ("one", "two")]
    assert said[0] == said[1]
    assert (tmp_path / "one/kept.jsonl").read_bytes() == (tmp_path / "two/kept.jsonl").read_bytes()


def test_what_nothing_verifies_is_counted_by_domain(tmp_path: Path) -> None:
    """Subjective work is told from what lacks a verifier; the manifest has both by domain, and each check's reasons."""
    ids = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    asked = {"prompt": "No commas.", "response": "Yes, sir", **ids}
    pair = {"source": "Version information", "target": "Informations de version", "lang": "en-fr"}
    for name, records in {"a": [RIGHT, OPEN, NAMED], "b": [asked], "c": [pair]}.items():
        verify_files([written(tmp_path / f"{name}.jsonl", records)], tmp_path / name)
    more = [json.loads((tmp_path / name / "manifest.json").read_bytes()) for name in "abc"]
    assert {"subjective": 1, "other": 1} == more[0]["unverifiable"]
    assert {"not-followed": 1} == more[1]["reasons_of_checks"]["instructions"]
    assert {"passed": 1} == more[2]["checks"]["translation"]


def test_a_batch_that_raises_is_judged_record_by_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One record that breaks a user's batch is undecided alone; the others have their verdicts."""
    (tmp_path / "batch_check.py").write_text(
        "from holdfast.core.verdict import Verdict\n"
        "class Check:\n"
        "    def __call__(self, record): return Verdict(bool(1 / len(record.prompt)))\n"
        "    def batch(self, records): return [self(record) for record in records]\n"
        "check = Check()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    file = written(tmp_path / "in.jsonl", [{"prompt": "", "response": "a"}, {"prompt": "b", "response": "b"}])
    manifest = verify_files([file], tmp_path / "out", VerifyOptions(("batch_check:check",)))
    assert (1, 1) == (manifest.counts.kept, manifest.counts.undecided)
