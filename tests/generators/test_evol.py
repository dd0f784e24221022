"""Evol-Instruct: how a seed evolves, and the signs of a failed evolution."""

from random import Random
from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import evol
from holdfast.generators.writing import Brief, Material
from tests.generators.driving import brief, drive, last, made, real, reason

SEED = real("s1", "Name three uses of salt.", "Food, roads, soap.")
EVOLVED = "Name three uses of salt before 1800, with one source for each."


def material(**entry: Any) -> Material:
    settings = GeneratorSettings.model_validate({"use": "evol", "model": "m", **entry})
    return Material(settings, seeds=[SEED])


def test_rewrite_check_answer() -> None:
    """Three calls: the rewriting, the comparison at temperature 0, the answer to the new instruction."""
    calls, draft = drive(evol.writer(material(against="j"))(brief(SEED, topic="trade")), EVOLVED, "No.", "An answer.")
    assert SEED.prompt in last(calls[0])
    assert "topic: trade" in last(calls[0])
    assert [("", {}), ("j", {"temperature": 0}), ("", {})] == [(call.model, call.decoding) for call in calls]
    assert EVOLVED == last(calls[2])
    assert (EVOLVED, "An answer.", ("s1",), "synthetic") == (draft.prompt, draft.response, draft.parents, draft.origin)


def test_directions() -> None:
    """Deeper draws among four ways, broader has one, both draw among all; the record says which."""
    found = {}
    for evolve in (("deeper",), ("broader",), ("deeper", "broader")):
        write = evol.writer(material(evolve=evolve))
        drafts = [made(write(Brief({}, 0, Random(seed), SEED)), EVOLVED, "no", "A.b c") for seed in range(60)]
        found[evolve] = {draft.fields["evolved"] for draft in drafts}
    assert set(evol.DEEPER) == found["deeper",]
    assert {"breadth"} == found["broader",]
    assert {*evol.DEEPER, "breadth"} == found["deeper", "broader"]


def test_the_same_brief_asks_the_same() -> None:
    """The way of evolving comes from the record's randomness alone."""
    write = evol.writer(material())
    asked = [
        last(drive(write(brief(SEED, seed)), EVOLVED, "no", "Salt.")[0][0]) for seed in [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    ]
    assert asked[:5] == asked[5:]
    assert 1 < len(set(asked))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([" "], "empty-answer"),
        (["#Rewritten Prompt#: " + EVOLVED], "prompt-leaked"),
        (["Here is the rewritten prompt: " + EVOLVED], "prompt-leaked"),
        (["Like the given prompt, name three uses."], "prompt-leaked"),
        (["----- " + EVOLVED], "prompt-leaked"),
        (["name three  uses of salt."], "unchanged"),
        (["What is it?!"], "only-stop-words"),
        ([EVOLVED, "Yes"], "no-gain"),
        ([EVOLVED, "**yes**, they are"], "no-gain"),
        ([EVOLVED, "Perhaps"], "gain-unclear"),
        ([EVOLVED, "no", ""], "empty-answer"),
        ([EVOLVED, "no", "I am sorry, I cannot do that."], "sorry"),
        ([EVOLVED, "no", "It is what it is..."], "only-stop-words"),
        ([EVOLVED, "no", "?!"], "only-stop-words"),
    ],
)
def test_failed_evolutions(answers: list[str], expected: str) -> None:
    """Each sign of failure has its reason, and nothing more is asked after it."""
    assert expected == reason(evol.writer(material())(brief(SEED)), *answers)


def test_what_is_no_failure() -> None:
    """A long answer may say sorry, yes is an answer, and a seed's own words are no leak."""
    write = evol.writer(material())
    assert made(write(brief(SEED)), EVOLVED, "no", "Sorry " + "salt " * 80)
    assert made(write(brief(SEED)), EVOLVED, "no", "Yes.")
    seed = real("s2", "What does 'given prompt' mean?")
    assert made(write(brief(seed)), "What does 'given prompt' mean in a shell of 1980?", "no", "A sign.")


def test_settings() -> None:
    """A model, seeds and a direction are needed; each record uses one seed."""
    for entry, words in (({"model": None}, "model"), ({"evolve": ()}, "direction")):
        with pytest.raises(UsageError, match=words):
            evol.writer(material(**entry))
    with pytest.raises(UsageError, match="needs 1 seeds"):
        evol.writer(Material(material().entry))
    with pytest.raises(UsageError, match="no record to start from"):
        drive(evol.writer(material())(brief()))
    assert "seeds" == evol.items(material().entry)
