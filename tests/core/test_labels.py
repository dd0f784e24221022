"""Labels are read strictly, appended durably, and the last word of a rater counts."""

import pytest

from holdfast.core.errors import HoldfastError
from holdfast.core.labels import Label, append, last_said, line, read_labels

ONE = Label("a", "ann", "score", True, seconds=2.5, version="1", at="2026-01-01T00:00:00Z")
PAIR = Label("a", "bob", "choice", 0, other="b", side_order="ba", note="both fine")


def test_what_is_appended_is_read_again(tmp_path):
    """Two appends and one read give the labels in their order."""
    path = tmp_path / "deep/labels.jsonl"
    append(path, [ONE])
    append(path, [PAIR, Label("c", "bob", "skip", None)])
    assert [ONE, PAIR, Label("c", "bob", "skip", None)] == read_labels(path)


def test_a_torn_last_line_does_not_swallow_the_next(tmp_path):
    """A label that was cut off by a death stays one faulty line; the next one stands on its own."""
    path = tmp_path / "labels.jsonl"
    path.write_bytes(line(ONE) + b'{"id": "b", "ra')
    append(path, [PAIR])
    assert line(PAIR) == path.read_bytes().splitlines(keepends=True)[-1]


def test_the_last_word_counts_and_a_skip_takes_it_back():
    """Of three answers by one rater about one record the last counts; a skip after an answer leaves none."""
    no = Label("a", "ann", "score", False)
    assert {("a", None, "ann"): no} == last_said([ONE, ONE, no])
    assert {} == last_said([ONE, Label("a", "ann", "skip", None)])


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
    ],
)
def test_a_faulty_line_is_named(tmp_path, text, expected):
    """File, line number and fault stand in one message."""
    path = tmp_path / "labels.jsonl"
    path.write_text(line(ONE).decode() + text + "\n")
    with pytest.raises(HoldfastError, match=expected) as caught:
        read_labels(path)
    assert f"{path}:2" in str(caught.value)
