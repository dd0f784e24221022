"""The command line of review: what it prints without a page, and what it refuses."""

import json

import pytest

from holdfast.cli import app
from holdfast.core.labels import Label, append, read_labels


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two records and the labels of two raters, in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"{n}", "prompt": f"Q{n}", "response": f"A{n}", "generator": "m"} for n in range(2)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    values = {"ann": (True, False), "bob": (True, True)}
    append(
        tmp_path / "labels.jsonl",
        [Label(f"{n}", r, "score", v) for r, said in values.items() for n, v in enumerate(said)],
    )
    return tmp_path


def test_agreement_on_the_screen_and_as_json(folder, capsys):
    """The table says raters, disputes and figures by generator; --json prints the report alone."""
    assert 0 == app.main(["review", "--agreement", "labels.jsonl", "data.jsonl"])
    shown = capsys.readouterr().out
    assert "2 things labelled: ann 2, bob 2\n1 disputed, 0 adjudicated\n" in shown
    assert "  m                2  0.50 0.00" in shown
    assert 0 == app.main(["review", "--agreement", "labels.jsonl", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (1, 2, 0.5) == (report["version"], report["things"], report["agreement"]["good"]["overall"]["raw"]["value"])


def test_export_and_import(folder, capsys):
    """What is printed for a tool is read again into another file, once."""
    assert 0 == app.main(["review", "data.jsonl", "--export", "argilla"])
    rows = json.loads(capsys.readouterr().out)
    assert "A0" == rows[0]["fields"]["response"]
    (folder / "given.json").write_text(json.dumps(rows))
    for expected in ("4 labels added to other.jsonl\n", "0 labels added to other.jsonl, 4 were there\n"):
        assert 0 == app.main(["review", "given.json", "--import", "argilla", "--labels", "other.jsonl"])
        assert expected == capsys.readouterr().out
    key = lambda label: (label.id, label.rater)  # noqa: E731  # a name for the order
    assert sorted(read_labels(folder / "labels.jsonl"), key=key) == sorted(read_labels(folder / "other.jsonl"), key=key)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "no file was given"),
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["data.jsonl", "--pairs"], "no pair of answers"),
        (["data.jsonl", "--scale", "12"], "--scale 12"),
        (["data.jsonl", "--rubric", "nowhere.md"], "nowhere.md cannot be read"),
        (["data.jsonl", "--verdicts", "nowhere.jsonl"], "no file of verdicts nowhere.jsonl"),
        (["data.jsonl", "--labels", "data.jsonl"], "data.jsonl:1 is no label"),
        (["--agreement", "nowhere.jsonl"], "no file of labels nowhere.jsonl"),
        (["data.jsonl", "--import", "argilla"], "data.jsonl is no JSON"),
        (["data.jsonl", "--import", "doccano"], "--import"),
        (["data.jsonl", "--judge", "verdicts.jsonl"], "--verdicts"),
        (["data.jsonl", "--question", "good"], "--import"),
        (["data.jsonl", "--pairs", "--scale", "5"], "--scale 5 means nothing"),
        (["data.jsonl", "--rater", " "], "no name of a rater"),
        (["data.jsonl", "--rater", "a\x1b[2Jnn"], "<U+001B>"),
    ],
)
def test_a_mistake_is_one_message(folder, arguments, expected, capsys):
    """Exit 2, nothing on stdout, what is wrong and where on stderr; no page is served."""
    assert 2 == app.main(["review", *arguments])
    shown = capsys.readouterr()
    assert ("", True) == (shown.out, expected in shown.err), shown.err
