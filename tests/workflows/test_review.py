"""A desk: answers become labels at once, whoever comes back goes on, undo and adjudication do what they say."""

import json
from datetime import UTC, datetime

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.core.labels import Label, append, read_labels, settled
from holdfast.workflows.review import UNDONE, Answer, Desk, ReviewOptions, disputed, review
from holdfast.workflows.review_queue import Item

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
USUAL, PAIRS = ReviewOptions(), ReviewOptions(pairs=True)


def _desk(tmp_path, options=USUAL, count=6):
    pair = ("", "") if not options.pairs else ("'", "answer 2")
    items = [Item(f"r{n}", (), "answer 1", f"r{n}{pair[0]}" if pair[0] else None, pair[1]) for n in range(count)]
    return Desk(tmp_path / "labels.jsonl", items, "Is it good?", options)


def test_an_answer_is_a_line_at_once(tmp_path):
    """Rater, kind, value, seconds, note, the rubric's digest and the time are on the disk when `save` returns."""
    desk = _desk(tmp_path)
    desk.save("ann", 0, Answer("2", "dull", 3.14159), NOW)
    (label,) = read_labels(desk.path)
    first = desk.queue("ann")[0]
    expected = Label(first.id, "ann", "score", False, None, None, 3.1, "dull", desk.version, "2026-01-02T03:04:05Z")
    assert expected == label


@pytest.mark.parametrize(
    ("options", "key", "expected"),
    [
        (ReviewOptions(), "1", ("score", True, "")),
        (ReviewOptions(), "2", ("score", False, "")),
        (ReviewOptions(), "0", ("skip", None, "cannot tell")),
        (ReviewOptions(), "s", ("skip", None, "")),
        (ReviewOptions(scale=5), "4", ("score", 4, "")),
        (ReviewOptions(scale=5), "1", ("score", 1, "")),
        (PAIRS, "0", ("choice", 0, "")),
        (PAIRS, "s", ("skip", None, "")),
    ],
)
def test_keys_mean_what_the_page_says(tmp_path, options, key, expected):
    """Good and bad, steps of a scale, a tie, cannot tell and skip."""
    label = _desk(tmp_path, options).save("ann", 0, Answer(key), NOW)
    assert expected == (label.kind, label.value, label.note)
    assert type(expected[1]) is type(label.value)


def test_sides_are_undone_in_the_label(tmp_path):
    """Whichever stood left, 1 is for the left one: the value names the better of id and other, side_order the sides."""
    desk = _desk(tmp_path, PAIRS, count=40)
    seen = set()
    for at, item in enumerate(desk.queue("ann")):
        left = desk.save("ann", at, Answer("1"), NOW)
        right = desk.save("ann", at, Answer("2"), NOW)
        turned = desk.turned(item, "ann")
        seen.add(turned)
        assert ((2, 1, "ba") if turned else (1, 2, "ab")) == (left.value, right.value, left.side_order)
    assert {True, False} == seen


def test_who_comes_back_goes_on(tmp_path):
    """A new desk over the same file knows what was answered; another rater begins at the beginning."""
    desk = _desk(tmp_path)
    for at in (0, 1, 3):
        desk.save("ann", at, Answer("1", seconds=10.0 + at), NOW)
    again = _desk(tmp_path)
    assert (2, 4, 0) == (again.following("ann"), again.following("ann", 2), again.following("bob"))
    progress = again.progress("ann")
    assert (3, 6, 33.0) == (progress.done, progress.total, progress.seconds_left)
    assert desk.queue("ann") == again.queue("ann")


def test_what_another_server_writes_is_seen(tmp_path):
    """Two desks over one file: each sees the other's answers on its next look."""
    one, two = _desk(tmp_path), _desk(tmp_path)
    one.save("ann", 0, Answer("1"), NOW)
    two.save("ann", 1, Answer("1"), NOW)
    assert (2, 2) == (one.following("ann"), two.following("ann"))


def test_undo_opens_the_question_again(tmp_path):
    """Undo takes back the last answer, then the one before it; each is asked again, and no label of it counts."""
    desk = _desk(tmp_path)
    for at in (0, 1):
        desk.save("ann", at, Answer("1"), NOW)
    assert [1, 0, None] == [desk.undo("ann", NOW) for _ in range(3)]
    assert (0, {}) == (desk.following("ann"), settled(read_labels(desk.path)))
    assert [UNDONE, UNDONE] == [label.note for label in read_labels(desk.path)[2:]]
    desk.save("ann", 0, Answer("s", UNDONE), NOW)
    assert 1 == _desk(tmp_path).following("ann"), "a skip with that very note is a skip"


def test_a_new_answer_takes_the_place_of_the_old(tmp_path):
    """Answering again keeps one answer per rater; it becomes the last one, which undo takes back first."""
    desk = _desk(tmp_path)
    for at, key in ((0, "1"), (1, "1"), (0, "2")):
        desk.save("ann", at, Answer(key), NOW)
    assert {False, True} == {label.value for label in desk.answers("ann").values()}
    assert 0 == desk.undo("ann", NOW)


def test_what_there_is_not_is_refused(tmp_path):
    """A question or a key that there is not writes nothing."""
    desk = _desk(tmp_path)
    for at, key in ((6, "1"), (-1, "1"), (0, "3"), (0, "")):
        with pytest.raises(UsageError):
            desk.save("ann", at, Answer(key), NOW)
    assert not desk.path.exists()


def _rows(tmp_path, count=8):
    path = tmp_path / "data.jsonl"
    path.write_text(
        "".join(json.dumps({"id": f"{n}", "prompt": f"Q{n}", "response": f"A{n}"}) + "\n" for n in range(count))
    )
    return path


def _give(path, rater, values):
    append(path, [Label(name, rater, "score", value) for name, value in values.items()])


def test_an_adjudicator_settles_what_raters_differ_on(tmp_path):
    """Only the disputed record is asked; what raters said is shown; the label decides and is marked."""
    data, labels = _rows(tmp_path), tmp_path / "labels.jsonl"
    _give(labels, "ann", {"0": True, "1": True, "2": False})
    _give(labels, "bob", {"0": True, "1": False})
    desk = review([data], labels, ReviewOptions(adjudicate=True))
    (item,) = desk.items
    assert ("1", ["ann", "bob"]) == (item.id, [label.rater for label in desk.others(item)])
    label = desk.save("ann", 0, Answer("2"), NOW)
    assert desk.following("ann") is None
    assert desk.following("carol") is None
    assert label.decides
    assert {("0", None): True, ("1", None): False, ("2", None): False} == settled(read_labels(labels))


def test_on_a_scale_one_step_is_no_dispute():
    """Steps 3 and 4 are not settled by anybody else, 2 and 4 are; the two ends of a short scale are."""

    def said(*values):
        return disputed([Label("a", f"r{n}", "score", value) for n, value in enumerate(values)])

    assert [set(), {("a", None)}, set(), {("a", None)}] == [said(3, 4), said(2, 4), said(1, 2), said(True, False)]


def test_nothing_to_ask_is_said(tmp_path):
    """No record, no pair, no dispute, no rubric, no such scale: one clear error each, before a page is served."""
    data = _rows(tmp_path)
    for options, expected in (
        (PAIRS, "no pair of answers"),
        (ReviewOptions(adjudicate=True), "no two raters differ"),
        (ReviewOptions(scale=1), "2 to 9 steps"),
    ):
        with pytest.raises(UsageError, match=expected):
            review([data], tmp_path / "labels.jsonl", options)
    with pytest.raises(InputError, match="rubric"):
        review([data], tmp_path / "labels.jsonl", ReviewOptions(rubric=tmp_path / "no"))
    (tmp_path / "verdicts.jsonl").write_text('{"id": "elsewhere", "ok": true}\n')
    with pytest.raises(InputError, match=r"verdicts\.jsonl has no verdict about"):
        review([data], tmp_path / "labels.jsonl", ReviewOptions(verdicts=tmp_path / "verdicts.jsonl"))
    (tmp_path / "empty.md").write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        review([data], tmp_path / "labels.jsonl", ReviewOptions(rubric=tmp_path / "empty.md"))


def test_a_sample_is_the_same_for_all(tmp_path):
    """Two sessions draw the same records, so that raters overlap; the file says how many there were."""
    data = _rows(tmp_path, 50)
    drawn = []
    for _ in range(2):
        desk = review([data], tmp_path / "labels.jsonl", ReviewOptions(sample=5))
        drawn.append([item.id for item in desk.items])
        assert (5, 50) == (len(desk.items), desk.found)
    assert drawn[0] == drawn[1]
