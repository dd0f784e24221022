"""Self-Instruct: what is shown, what is asked, and what is refused."""

from random import Random
from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import self_instruct
from holdfast.generators.writing import Brief, Material
from tests.generators.driving import brief, drive, last, made, real, reason

SUBJECTS = ["rivers", "bridges", "poems", "taxes", "bees", "clocks", "maps", "tea", "chess", "roofs", "ferries", "salt"]
SEEDS = [
    real(f"s{at}", f"Explain to a child why {word} matter, in three sentences.") for at, word in enumerate(SUBJECTS)
]
TASK = "List four ways in which a baker could lower the cost of flour."


def material(seeds: Any = SEEDS, **entry: Any) -> Material:
    settings = GeneratorSettings.model_validate({"use": "self_instruct", "model": "m", **entry})
    return Material(settings, seeds=seeds)


def test_a_new_task_and_its_answer() -> None:
    """Eight seeds are shown, the task is asked for and then answered; the seeds shown are the parents."""
    calls, draft = drive(
        self_instruct.writer(material())(brief(topic="baking")), f"Task 9: {TASK}", "Buy more at once."
    )
    assert (TASK, "Buy more at once.", "synthetic") == (draft.prompt, draft.response, draft.origin)
    assert TASK == last(calls[1])
    assert "topic: baking" in last(calls[0])
    assert 8 == len(set(draft.parents))
    shown = [seed.id for seed in SEEDS if seed.prompt in last(calls[0])]
    assert set(shown) == set(draft.parents)


def test_seeds_are_drawn_anew() -> None:
    """The same randomness shows the same seeds, another shows others; `shots` says how many."""
    write = self_instruct.writer(material(shots=3))
    parents = [made(write(Brief({}, 0, Random(seed))), TASK, "A").parents for seed in [*range(20), *range(20)]]
    assert parents[:20] == parents[20:]
    assert {3} == {len(each) for each in parents}
    assert 15 < len(set(parents))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "empty-answer"),
        ("Task 9:", "task-length"),
        ("Do it.", "task-length"),
        ("word " * 151, "task-length"),
        ("Explain to a child why bees matter, in four short sentences.", "copies-seed"),
        ("1. explain TO a child: why rivers matter in three sentences", "copies-seed"),
        ("Draw a house with two windows and a red door.", "not-for-text"),
        ("Describe the attached picture in one sentence.", "not-for-text"),
        ("Play a song that fits a rainy evening at home.", "not-for-text"),
    ],
)
def test_refused(answer: str, expected: str) -> None:
    """Empty, too short or long, near-copies of any seed, and what cannot be done in writing."""
    assert expected == reason(self_instruct.writer(material())(brief()), answer)


@pytest.mark.parametrize(
    "task",
    [
        "Draw a conclusion from these sales figures: 4, 9, 12.",
        "Summarise the plot of a play about two sisters in Riga.",
        "Explain to a plumber how heat pumps differ from gas boilers.",
    ],
)
def test_not_refused(task: str) -> None:
    """Tasks in writing that use a word of the list in another sense, or share an opening with a seed."""
    assert task == made(self_instruct.writer(material())(brief()), task, "A").prompt


def test_an_empty_answer_to_the_task() -> None:
    """A task without an answer is no record."""
    assert "empty-answer" == reason(self_instruct.writer(material())(brief()), TASK, " ")


def test_settings() -> None:
    """A model and two seeds are needed; nothing is used up."""
    with pytest.raises(UsageError, match="model"):
        self_instruct.writer(material(model=None))
    with pytest.raises(UsageError, match="needs 2 seeds"):
        self_instruct.writer(material(SEEDS[:1]))
    assert self_instruct.items(material().entry) is None
