"""Labels of Argilla and Label Studio: what they document is read, what we write is read again, nothing is guessed."""

import json

import pytest

from holdfast.core.errors import InputError
from holdfast.core.labels import ADJUDICATION, Label, append, read_labels
from holdfast.core.record import Message
from holdfast.workflows.label_exchange import exported, imported
from holdfast.workflows.review_queue import Item

SAID = [
    Label("a", "ann", "score", True, seconds=4.0, note="fine", at="2026-01-01T00:00:00Z"),
    Label("a", "bob", "score", False),
    Label("b", "ann", "score", 4),
    Label("c", "ann", "choice", 2, other="d"),
    Label("c", "bob", "choice", 0, other="d"),
    Label("c", "carol", "choice", 1, other="d"),
]


def _read(tmp_path, tool, rows, question=""):
    path = tmp_path / "given.json"
    path.write_text(json.dumps(rows))
    imported(path, tool, tmp_path / "labels.jsonl", question)
    return read_labels(tmp_path / "labels.jsonl")


@pytest.mark.parametrize("tool", ["argilla", "label-studio"])
def test_what_is_exported_is_imported_again(tmp_path, tool):
    """Answers of every kind come back with their raters and what they are about; a second time nothing is added."""
    rows = exported(SAID, {}, tool)
    back = _read(tmp_path, tool, rows)
    key = ("id", "other", "rater", "kind", "value", "note")
    assert [[getattr(x, k) for k in key] for x in SAID] == [[getattr(x, k) for k in key] for x in back]
    assert (0, len(SAID)) == imported(tmp_path / "given.json", tool, tmp_path / "labels.jsonl")


def test_texts_travel_with_the_labels():
    """Where the records are given, both tools get prompt and answers; the generator stays here."""
    item = Item("c", (Message("user", "Q?"),), "first", "d", "second", "generator-x", "cell-x")
    for tool, part in (("argilla", "fields"), ("label-studio", "data")):
        (row,) = exported(SAID[3:], {item.about: item}, tool)
        assert {"prompt": "Q?", "response": "first", "rival": "second"}.items() <= row[part].items()
        assert "-x" not in json.dumps(row)


def test_label_studio_as_it_documents_its_tasks(tmp_path):
    """Choices, rating, pairwise, text areas, cancelled annotations, people as numbers or with an address."""

    def task(result, **more):
        return {
            "id": 7,
            "data": {"text": "x", "other": "y"},
            "annotations": [{"result": result, "completed_by": 10, **more}],
        }

    def one(type_, value):
        return [{"from_name": "q", "to_name": "text", "type": type_, "value": value, "id": "x"}]

    note = [{"from_name": "why", "to_name": "text", "type": "textarea", "value": {"text": ["because"]}}]
    rows = [
        task(one("choices", {"choices": ["Good"]}) + note, lead_time=4.288, created_at="2021-03-09T22:16:08.728353Z"),
        task(one("rating", {"rating": 3}), completed_by={"id": 3, "email": "bob@example.org"}),
        task(one("pairwise", {"selected": "right"}), completed_by=11),
        task([], was_cancelled=True, completed_by=12),
        task(one("choices", {"choices": ["no"]}), completed_by=13, ground_truth=True),
        {"id": 8, "data": {}, "annotations": [], "predictions": [{"result": one("choices", {"choices": ["Good"]})}]},
    ]
    found = [(x.id, x.rater, x.kind, x.value, x.note, x.seconds) for x in _read(tmp_path, "label-studio", rows)]
    assert [
        ("7", "10", "score", True, "because", 4.288),
        ("7", "bob@example.org", "score", 3, "", None),
        ("7", "11", "choice", 2, "", None),
        ("7", "12", "skip", None, "", None),
        ("7", "13", "score", False, "", None),
    ] == found
    assert [False] * 4 + [True] == [label.decides for label in read_labels(tmp_path / "labels.jsonl")]


def test_argilla_as_it_documents_its_records(tmp_path):
    """Labels, ratings and rankings of `records.to_json`; the question is named where there are several."""

    def record(responses, **metadata):
        parts = {"id": "a", "fields": {"text": "x"}, "metadata": metadata, "suggestions": {}, "vectors": {}}
        return {**parts, "responses": responses, "_server_id": "f0"}

    rank = [{"value": "response-1", "rank": 2}, {"value": "response-2", "rank": 1}]
    rows = [
        record({"label": [{"value": "yes", "user_id": "u1"}, {"value": "no", "user_id": "u2"}]}),
        record({"preference": [{"value": rank, "user_id": "u1"}]}, other="b"),
        record({}),
    ]
    found = [(x.rater, x.kind, x.value, x.other) for x in _read(tmp_path, "argilla", rows)]
    assert [("u1", "score", True, None), ("u2", "score", False, None), ("u1", "choice", 2, "b")] == found
    two = [record({"quality": [{"value": 4, "user_id": "u1"}], "topic": [{"value": "sports", "user_id": "u1"}]})]
    with pytest.raises(InputError, match="quality, topic: name one with --question"):
        _read(tmp_path, "argilla", two)
    assert 4 == _read(tmp_path, "argilla", two, "quality")[-1].value


@pytest.mark.parametrize(
    ("tool", "row", "expected"),
    [
        ("argilla", {"id": "a", "responses": {"q": [{"value": "sports", "user_id": "u"}]}}, "'sports' is none"),
        ("argilla", {"id": "a", "responses": {"q": [{"value": "first", "user_id": "u"}]}}, "`other` is missing"),
        ("argilla", {"responses": {"q": [{"value": 1, "user_id": "u"}]}}, "no 'id'"),
        ("argilla", [], "record 2"),
        ("label-studio", {"id": 1, "annotations": []}, "no 'data'"),
        ("label-studio", {"id": 1, "data": {}, "annotations": [{"result": []}]}, "who made it"),
        (
            "label-studio",
            {"id": 1, "data": {}, "annotations": [{"completed_by": 1, "was_cancelled": True, "lead_time": "2 min"}]},
            "seconds is '2 min'",
        ),
        ("argilla", {"id": "", "responses": {"q": [{"value": 1, "user_id": "u"}]}}, "id is ''"),
        (
            "label-studio",
            {
                "id": 1,
                "data": {},
                "annotations": [
                    {"completed_by": 1, "result": [{"from_name": "b", "type": "rectanglelabels", "value": {}}]}
                ],
            },
            "'rectanglelabels' is none",
        ),
    ],
)
def test_what_means_nothing_here_is_refused_and_nothing_added(tmp_path, tool, row, expected):
    """The record and the answer are named; the good record before it is not added either."""
    good = exported(SAID[:1], {}, tool)
    with pytest.raises(InputError, match=expected):
        _read(tmp_path, tool, [*good, row])
    assert not (tmp_path / "labels.jsonl").exists()


@pytest.mark.parametrize("text", ["{", "{}", '"x"'])
def test_what_is_no_export_is_refused(tmp_path, text):
    """No JSON, and no list: one clear error."""
    (tmp_path / "given.json").write_text(text)
    with pytest.raises(InputError, match=r"given\.json"):
        imported(tmp_path / "given.json", "argilla", tmp_path / "labels.jsonl")


def test_adjudication_is_ground_truth_in_label_studio():
    """The deciding label is marked there; Argilla, which has no mark for it, gets the raters alone."""
    last = Label("a", "carol", "score", True, version=ADJUDICATION)
    (task,) = exported([*SAID[:2], last], {}, "label-studio")
    (record,) = exported([*SAID[:2], last], {}, "argilla")
    assert [False, False, True] == [each["ground_truth"] for each in task["annotations"]]
    assert 2 == len(record["responses"]["good"])


def test_an_import_goes_behind_what_is_there(tmp_path):
    """Labels that were there stay, in their order."""
    append(tmp_path / "labels.jsonl", SAID[3:])
    assert SAID[3:] == _read(tmp_path, "argilla", exported(SAID[:2], {}, "argilla"))[:3]
