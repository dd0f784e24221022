"""Labels are read strictly, appended durably, and the last word of a rater counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.core import durable
from holdfast.core.errors import HoldfastError
from holdfast.core.labels import ADJUDICATION, Label, adjudicated, append, last_said, line, read_labels, settled

ONE = Label("a", "ann", "score", True, seconds=2.5, version="1", at="2026-01-01T00:00:00Z")
PAIR = Label("a", "bob", "choice", 0, other="b", side_order="ba", note="both fine")


def test_what_is_appended_is_read_again(tmp_path):
    """Two appends and one read give the labels in their order."""
    path = tmp_path / "deep/labels.jsonl"
    append(path, [ONE])
    append(path, [PAIR, Label("c", "bob", "skip", None)])
    assert [ONE, PAIR, Label("c", "bob", "skip", None)] == read_labels(path)


def test_an_append_returns_when_the_disk_has_it(tmp_path, monkeypatch):
    """The file is synced, not only written, before `append` returns."""
    steps = []
    monkeypatch.setattr(durable, "watch", lambda step, path: steps.append((step, path.name, path.stat().st_size)))
    append(tmp_path / "labels.jsonl", [ONE])
    assert [("sync", "labels.jsonl", 0)] == steps


def test_two_who_write_at_once_take_turns(tmp_path):
    """Labels that two threads append at the same time are all there, each on a line of its own."""
    path = tmp_path / "labels.jsonl"

    def write(rater):
        for n in range(25):
            append(path, [Label(f"{n}", rater, "score", True)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert 100 == len({(label.id, label.rater) for label in read_labels(path)}) == len(path.read_bytes().splitlines())


def test_a_line_that_was_cut_off_is_harmless(tmp_path):
    """Wherever a line is cut, what stood before is read, and the next label makes the file whole again."""
    path = tmp_path / "labels.jsonl"
    for end in range(1, len(line(PAIR)) - 1, 9):
        path.write_bytes(line(ONE) + line(PAIR)[:end])
        assert [ONE] == read_labels(path)
        append(path, [PAIR])
        assert line(ONE) + line(PAIR) == path.read_bytes()


@pytest.mark.parametrize("text", [b"notes of mine", b"\xff\xfe{", b"[1, 2"])
def test_a_file_of_somebody_else_is_not_cut(tmp_path, text):
    """One line without a break that never was a label is named when it is read, and nothing of it is ever taken off."""
    path = tmp_path / "labels.jsonl"
    path.write_bytes(text)
    with pytest.raises(HoldfastError, match="is no JSON"):
        read_labels(path)
    append(path, [ONE])
    assert text + b"\n" + line(ONE) == path.read_bytes()


def test_what_a_power_cut_left_is_harmless(tmp_path):
    """Zeros in the place of a last line, as some file systems leave them, are no label and go with the next one."""
    path = tmp_path / "labels.jsonl"
    path.write_bytes(line(ONE) + bytes(64))
    assert [ONE] == read_labels(path)
    append(path, [PAIR])
    assert line(ONE) + line(PAIR) == path.read_bytes()


def test_a_last_line_without_its_break_is_whole(tmp_path):
    """An editor that leaves out the last line break loses nobody's label, and the next label starts a new line."""
    path = tmp_path / "labels.jsonl"
    path.write_bytes(line(ONE).rstrip())
    assert [ONE] == read_labels(path)
    append(path, [PAIR])
    assert line(ONE) + line(PAIR) == path.read_bytes()


def test_the_last_word_counts_and_a_skip_takes_it_back():
    """Of three answers by one rater about one record the last counts; a skip after an answer leaves none."""
    no = Label("a", "ann", "score", False)
    assert {("a", None, "ann"): no} == last_said([ONE, ONE, no])
    assert {} == last_said([ONE, Label("a", "ann", "skip", None)])


def test_people_settle_by_more_than_half_or_by_an_adjudicator():
    """Two of three decide, one of two does not; an adjudicator decides against all, and is no vote."""
    said = [Label("a", rater, "score", value) for rater, value in (("x", True), ("y", True), ("z", False))]
    split = [Label("b", "x", "score", True), Label("b", "y", "score", False)]
    assert {("a", None): True} == settled([*said, *split])
    last = Label("a", "x", "score", False, version=f"{ADJUDICATION} 1")
    assert {("a", None): False} == settled([*said, last])
    assert last_said(said) == last_said([*said, last])
    assert {("a", None): last} == adjudicated([*said, last])


def test_true_and_the_worst_of_a_scale_are_two_answers():
    """Two raters of whom one said true and one said 1 did not agree."""
    assert {} == settled([Label("a", "x", "score", True), Label("a", "y", "score", 1)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is no JSON"),
        ("[]", "not an object"),
        ('{"rater": "x", "kind": "score", "value": true}', "id is None"),
        ('{"id": "a", "rater": "", "kind": "score", "value": true}', "rater is ''"),
        ('{"id": "a", "rater": "x", "kind": "star", "value": 1}', "kind is 'star'"),
        ('{"id": "a", "rater": "x", "kind": "score", "value": "good"}', "value of a score is 'good'"),
        ('{"id": "a", "rater": "x", "kind": "choice", "value": true}', "value of a choice is True"),
        ('{"id": "a", "rater": "x", "kind": "choice", "value": 3}', "value of a choice is 3"),
        ('{"id": "a", "rater": "x", "kind": "choice", "value": 1}', "other is missing"),
        ('{"id": "a", "rater": "x", "kind": "skip", "value": null, "version": 2}', "version is 2, not a text"),
        ('{"id": "a", "rater": "x", "kind": "score", "value": true, "seconds": "9"}', "seconds is '9', not a number"),
        ('{"id": "a", "rater": "x", "kind": "score", "value": true, "seconds": [9]}', "seconds is .9., not a number"),
    ],
)
def test_a_faulty_line_is_named(tmp_path, text, expected):
    """File, line number and fault stand in one message."""
    path = tmp_path / "labels.jsonl"
    path.write_text(line(ONE).decode() + text + "\n")
    with pytest.raises(HoldfastError, match=expected) as caught:
        read_labels(path)
    assert f"{path}:2" in str(caught.value)
