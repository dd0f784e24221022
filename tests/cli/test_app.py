"""The command line: the exit codes of the contract, results on stdout, one message for each mistake."""

import json
import re

import pytest

from holdfast.cli import app
from holdfast.core.errors import ConservationError, StoppedError


@pytest.fixture
def data(tmp_path):
    """A small labelled file."""
    path = tmp_path / "data.jsonl"
    rows = [{"text": f"text number {n} about thing {n * 3}", "origin": "human"} for n in range(5)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_help_lists_every_verb(capsys):
    """The overview needs no verb to be loaded and names all of them."""
    assert 0 == app.main([])
    shown = capsys.readouterr().out
    assert [] == [verb for verb in app.VERBS if f"  {verb} " not in shown]


@pytest.mark.parametrize("verb", app.VERBS)
def test_every_verb_has_help_and_json(verb, capsys):
    """Each verb explains itself and takes --json."""
    assert 0 == app.main([verb, "--help"])
    assert "--json" in capsys.readouterr().out


def test_json_is_the_only_thing_on_stdout(data, capsys):
    """One JSON object, nothing before or after it."""
    code = app.main(["audit", str(data), "--json"])
    assert (1, 5) == (code, json.loads(capsys.readouterr().out)["counts"]["records"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["audti"], "Did you mean 'audit'"),
        (["audit"], "Missing argument"),
        (["audit", "nowhere.jsonl"], "nowhere.jsonl"),
        (["audit", "{data}", "--map", "generator"], "is not FIELD=COLUMN"),
        (["audit", "{data}", "--map", "generator=modle"], "modle"),
        (["audit", "{data}", "--html", "no/such/folder/r.html"], "there is no folder"),
        (["audit", "{data}", "--baseline", "{data}"], "is not a report"),
        (["audit", "{data}", "--settings", "none.yaml"], "none.yaml cannot be read"),
        (["audit", "{data}", "--fail-on", "errr"], "--fail-on"),
        (["explain", "synthetic-rato"], "Did you mean 'synthetic-ratio'"),
        (["build"], "holdfast.yaml cannot be read"),
        (["verify", "{data}", "--checks", "maths"], "Did you mean 'math'"),
        (["init", "--template", "quikstart"], "Did you mean 'quickstart'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_2(arguments, expected, data, tmp_path, monkeypatch, capsys):
    """What happened, with which value, and what to do; never a traceback, nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    code = app.main([argument.format(data=data) for argument in arguments])
    said = capsys.readouterr()
    assert (2, "", True, False) == (code, said.out, expected in said.err, "Traceback" in said.err)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(StoppedError("x"), 3), (ConservationError("x"), 4), (RuntimeError("x"), 4), (KeyboardInterrupt(), 130)],
)
def test_each_end_has_its_exit_code(fault, expected, monkeypatch, data):
    """Stopped, a broken law, a bug and an interrupt are told apart."""

    def fails(verb: str, rest: list[str]) -> int:
        raise fault

    monkeypatch.setattr(app, "_run", fails)
    assert expected == app.main(["audit", str(data)])


def test_reports_are_written_where_asked(data, tmp_path, capsys):
    """HTML and SARIF lie where they were asked for, and the note about it is not on stdout."""
    app.main(["audit", str(data), "--html", str(tmp_path / "r.html"), "--sarif", str(tmp_path / "r.sarif"), "--json"])
    json.loads(capsys.readouterr().out)
    assert ("<!doctype html>", "2.1.0") == (
        (tmp_path / "r.html").read_text()[:15].lower(),
        json.loads((tmp_path / "r.sarif").read_text())["version"],
    )


def test_init_writes_a_project_that_plans(tmp_path, monkeypatch, capsys):
    """The starter is complete: plan accepts it as it is. A second init overwrites nothing."""
    monkeypatch.chdir(tmp_path)
    assert [0, 0, 2] == [app.main(["init"]), app.main(["plan"]), app.main(["init"])]
    assert "is already there" in capsys.readouterr().err


def test_doctor_never_prints_a_key(tmp_path, monkeypatch, capsys):
    """It says that a key is set, and nothing of the key."""
    canary = "sk-canary-8d1f0c"
    monkeypatch.setenv("CANARY_KEY", canary)
    path = tmp_path / "holdfast.yaml"
    path.write_text("models: {m: {base_url: 'http://127.0.0.1:9/v1', model: x, key_env: CANARY_KEY}}\n")
    code = app.main(["doctor", "-c", str(path)])
    said = capsys.readouterr()
    assert (2, True, False) == (code, "CANARY_KEY is set" in said.out, canary in said.out + said.err)


def test_the_overview_fits_a_narrow_screen():
    """No line of the overview is wider than 80 columns, where a terminal would break it."""
    assert [] == [line for line in app.overview().splitlines() if len(line) > 80]


@pytest.mark.parametrize("verb", app.VERBS)
def test_help_speaks_of_files_and_numbers(verb, capsys):
    """The help of a verb names what an option takes, not a type of Python."""
    app.main([verb, "--help"])
    shown = capsys.readouterr().out.partition("Options:")[2]
    assert re.search(r"list\[|<(path|str|int|float)", shown) is None


def test_a_preview_is_json_where_asked(tmp_path, capsys):
    """`generate --preview N --json` prints one object with N records and writes nothing."""
    app.main(["init", str(tmp_path)])
    capsys.readouterr()
    assert 0 == app.main(["generate", "-c", str(tmp_path / "holdfast.yaml"), "--preview", "2", "--json"])
    made = json.loads(capsys.readouterr().out)["records"]
    assert ["kept", "kept"] == [record["fate"] for record in made]


def test_an_interrupted_verb_says_how_to_go_on(monkeypatch, data, capsys):
    """Ctrl-C inside a verb ends with 130 and one line that says what to do."""

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.cli.audit.audit", interrupted)
    assert 130 == app.main(["audit", str(data)])
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["filter", "verify"])
def test_an_empty_data_set_ends_with_exit_1(verb, tmp_path, capsys):
    """Nothing kept is not clean, and the manifest on stdout says so too."""
    (tmp_path / "empty.jsonl").touch()
    code = app.main([verb, str(tmp_path / "empty.jsonl"), "--out", str(tmp_path / "out"), "--json"])
    assert (1, False) == (code, json.loads(capsys.readouterr().out)["ok"])
