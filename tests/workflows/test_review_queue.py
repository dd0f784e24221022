"""What is asked, and in which order: pairs are found, draws are fair or informed, each rater has an order of theirs."""

import json

import pytest

from holdfast.core.errors import InputError
from holdfast.core.reader import read
from holdfast.workflows.review_queue import (
    REJECTED,
    Doubt,
    Item,
    Place,
    doubts,
    drawn,
    items,
    order,
    places,
    read_verdicts,
    swapped,
)


def _data(tmp_path, rows):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read([path], spool=tmp_path / "spool")


def test_a_row_with_two_answers_is_a_pair(tmp_path):
    """The chosen and the rejected answer of a preference row are a pair, with the prompt they answer."""
    data = _data(tmp_path, [{"id": "a", "prompt": "Q?", "chosen": "yes", "rejected": "no"}])
    (item,) = items(data, places(data, pairs=True))
    assert ("a", "a" + REJECTED, "yes", "no") == (item.id, item.other, item.response, item.rival)
    assert [("user", "Q?")] == [tuple(turn) for turn in item.turns]


def test_rows_of_two_generators_with_one_prompt_are_pairs(tmp_path):
    """Answers of different generators to one prompt are paired; equal answers, and two of one generator, are not."""
    rows = [
        {"id": "1", "prompt": "Q?", "response": "x", "generator": "m"},
        {"id": "2", "prompt": "Q?", "response": "y", "generator": "m"},
        {"id": "3", "prompt": "Q?", "response": "z", "generator": "n"},
        {"id": "4", "prompt": "Q?", "response": "x", "generator": "n"},
        {"id": "5", "prompt": "R?", "response": "z", "generator": "n"},
    ]
    found = places(_data(tmp_path, rows), pairs=True)
    assert [("1", "3"), ("2", "3"), ("2", "4")] == sorted(each.about for each in found)
    assert {"m / n"} == {each.stratum[0] for each in found}


def test_a_conversation_shows_the_turns_before_its_last_answer(tmp_path):
    """Roles and contents of earlier turns are shown, the answer that is judged only once."""
    turns = [("system", "S"), ("user", "U"), ("assistant", "A"), ("user", "V"), ("assistant", "B")]
    data = _data(tmp_path, [{"id": "a", "messages": [{"role": role, "content": text} for role, text in turns]}])
    (item,) = items(data, places(data, pairs=False))
    assert (turns[:-1], "B") == ([tuple(turn) for turn in item.turns], item.response)


def _place(number, generator, cell="c"):
    return Place(number, (f"{generator}-{number}", None), (generator, cell))


def test_a_sample_takes_from_every_generator_in_turn():
    """Of a thousand records of one generator and three of another, a sample of six has three of each."""
    found = [_place(n, "large") for n in range(1000)] + [_place(n, "small") for n in range(3)]
    taken = [each.stratum[0] for each in drawn(found, 6)]
    assert (3, 3) == (taken.count("large"), taken.count("small"))
    assert len(found) == len(drawn(found, 0))


def test_a_sample_is_the_same_however_the_file_lies():
    """The draw follows from the ids: turned around, the same records are drawn."""
    found = [_place(n, "m") for n in range(100)]
    assert drawn(found, 10) == drawn(found[::-1], 10)


def test_what_judges_doubt_comes_first():
    """Judges who differ come before one who is undecided, before close scores, before sure ones, before none."""
    verdicts = [
        {"id": "m-0", "check": "a", "ok": True, "score": 5},
        {"id": "m-0", "check": "b", "ok": False},
        {"id": "m-1", "check": "a", "ok": None},
        {"id": "m-2", "check": "a", "ok": True, "score": 3},
        {"id": "m-3", "check": "a", "ok": True, "score": 4},
        {"id": "elsewhere", "check": "a", "ok": False, "score": 1},
    ]
    known = doubts(verdicts)
    found = [_place(n, "m") for n in (4, 3, 2, 1, 0)]
    assert [f"m-{n}" for n in range(5)] == [each.about[0] for each in drawn(found, 0, known)]
    assert Doubt(2, 0.25) == known["m-2", None]
    shown = order([Item(f"m-{n}", (), "") for n in range(5)], "ann", known)
    assert ["m-0", "m-1"] == [item.id for item in shown[:2]]


def test_a_judge_without_power_is_no_doubt_about_a_record():
    """Before anybody labelled every record has an undecided line of the panel; only a judge's own doubt comes first."""
    said = [{"id": name, "check": "judge:j", "ok": ok} for name, ok in (("a", True), ("b", None), ("c", False))]
    said += [{"id": name, "check": "judge", "ok": None, "reason": "judge-uncalibrated"} for name in "abc"]
    said += [{"id": "d", "check": "judge", "ok": None, "reason": "judge-suspended"}]
    assert {"a": 2, "b": 1, "c": 2} == {name: doubt.kind for (name, _), doubt in doubts(said).items()}


def test_orders_and_sides_differ_by_rater_and_are_kept():
    """Each rater meets the same items in an order of theirs, the same again; about half have `other` on the left."""
    every = [Item(f"r{n}", (), "x", f"s{n}", "y") for n in range(200)]
    ann, bob = order(every, "ann"), order(every, "bob")
    assert ann == order(every[::-1], "ann")
    assert ann != bob
    assert sorted(ann, key=lambda item: item.id) == sorted(bob, key=lambda item: item.id)
    sides = [[swapped(item, rater) for item in every] for rater in ("ann", "bob")]
    assert all(70 < sum(side) < 130 for side in sides)
    assert 60 < sum(a != b for a, b in zip(*sides, strict=True)) < 140


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", '{"id": "a"}', '{"ok": true}', '{"id": "a", "ok": "yes"}', '{"id": "a", "ok": 1}'),
        *('{"id": "a", "ok": true, ' + part for part in ('"score": "high"}', '"other": ["b"]}', '"check": {}}')),
    ],
)
def test_a_faulty_verdict_is_named(tmp_path, text):
    """File and line stand in the message."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text('{"id": "a", "ok": true}\n' + text + "\n")
    with pytest.raises(InputError, match=r"verdicts\.jsonl:2"):
        read_verdicts(path)
