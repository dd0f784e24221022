"""`holdfast watch` as it is typed."""

import json
import sys
from pathlib import Path

import pytest

from holdfast.cli.app import main
from tests.metrics.test_blocks import texts


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Records of five generations, narrow from the third on, and a second series that stays as it is."""
    path = tmp_path / "generations.jsonl"
    rows = [
        {"run": run, "generation": step, "text": text}
        for run, sizes in (("a", (400, 400, 60, 60, 60)), ("b", (400,) * 5))
        for step, size in enumerate(sizes)
        for text in texts(250, step, size)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def watched(path: Path, *more: str) -> int:
    return main(["watch", str(path), "--step", "generation", "--text", "text", *more])


def test_an_alarm_is_exit_code_one_and_json(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON is all of stdout and has the keys of the contract."""
    assert 1 == watched(records, "--where", "run=a", "--json")
    told = json.loads(capsys.readouterr().out)
    assert ("NARROWING", "diversity", 2) == (told["state"], told["channel"], told["onset"])
    assert [0, 1, 2, 3, 4] == [check["step"] for check in told["checks"]]


def test_no_alarm_is_exit_code_zero(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A series that stays as it is: 0, and what was not judged is said."""
    assert 0 == watched(records, "--where", "run=b")
    assert "not judged: ood: no reserved real text" in capsys.readouterr().out


def test_files_of_real_text_open_the_other_channels(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --ood, --id and --anchor nothing is blind, and the state is OK."""
    real = tmp_path / "real.txt"
    real.write_text("\n".join(texts(80, 77)))
    given = [part for name in ("--ood", "--id", "--anchor") for part in (name, str(real))]
    assert 0 == watched(records, "--where", "run=b", *given, "--json")
    told = json.loads(capsys.readouterr().out)
    assert ("OK", {}) == (told["state"], told["checks"][-1]["blind"])


def test_the_page_is_written(records: Path, tmp_path: Path) -> None:
    """--html writes one page; a folder that is not there is a mistake found before any work."""
    assert 1 == watched(records, "--where", "run=a", "--html", str(tmp_path / "e.html"))
    assert "NARROWING" in (tmp_path / "e.html").read_text("utf-8")
    assert 2 == watched(records, "--where", "run=a", "--html", str(tmp_path / "no" / "e.html"))


def test_the_hook_runs_at_an_alarm_only(records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command gets the result; one that fails is a note, and the exit code stays that of the alarm."""
    hook = f"{sys.executable} -c \"import sys,pathlib; pathlib.Path(r'{tmp_path}/got').write_text(sys.stdin.read())\""
    assert 0 == watched(records, "--where", "run=b", "--on-alarm", hook)
    assert not (tmp_path / "got").exists()
    assert 1 == watched(records, "--where", "run=a", "--on-alarm", hook)
    assert "NARROWING" == json.loads((tmp_path / "got").read_text("utf-8"))["state"]
    capsys.readouterr()
    assert 1 == watched(records, "--where", "run=a", "--on-alarm", "/no/such/program")
    assert "--on-alarm failed" in capsys.readouterr().err


def test_a_log_is_followed_to_its_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--follow tells each check on stderr and ends at the alarm, --idle ends a quiet log."""
    log = tmp_path / "run.jsonl"
    values = (1.0, 1.0, 0.5, 0.5, 0.5)
    log.write_text("".join(f"{json.dumps({'step': at, 'blocks': {'m': [v] * 10}})}\n" for at, v in enumerate(values)))
    assert 1 == main(["watch", str(log), "--follow", "--idle", "1"])
    assert "step 3: NARROWING" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--where", "run"], "--where 'run' is not COLUMN=VALUE"),
        (["--where", "ran=a"], "Did you mean 'run'"),
        ([], "comes again after step"),
        (["--webhook", "http://example.invalid/"], "not an http address on this machine"),
        (["--where", "run=a", "--decoding", "temp"], "no column 'temp'"),
        (["--where", "run=b", "--on-alarm", "sh -c 'open"], "No closing quotation"),
        (["--where", "run=b", "--webhook", "http://127.0.0.1:99999/"], "not an http address on this machine"),
        (["--where", "run=b", "--webhook", "http://[::1"], "not an http address on this machine"),
        (["--where", "run=b", "--html", "."], "cannot be written"),
        (["--where", "run=a", "--from", "9"], "no step to check from step 9 on"),
    ],
)
def test_mistakes_are_one_message(
    records: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, and what to do, with exit code 2."""
    assert 2 == watched(records, *more)
    assert said in capsys.readouterr().err
