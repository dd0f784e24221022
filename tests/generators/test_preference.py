"""Preference pairs: two models, one prompt, a stated preference."""

from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.record import Message, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import preference
from holdfast.generators.writing import Draft, Material
from holdfast.models.chat import Answer
from tests.generators.driving import MADE, REAL, brief, drive, made, real, reason

SEED = real("s1", "Why is ice slippery?", "A film of water.")


def writer(**entry: Any) -> Any:
    settings = GeneratorSettings.model_validate({"use": "preference", "model": "big", "against": "small", **entry})
    return preference.writer(Material(settings, seeds=[SEED]))


def pair(seed: int, item: Record = SEED) -> tuple[list[str], Draft]:
    """Answer each call by the name of its model; return the order of the calls and the draft."""
    conversation = writer()(brief(item, seed))
    order, call = [], next(conversation)
    try:
        while True:
            order.append(call.model)
            call = conversation.send(Answer(f"by {call.model or 'big'}"))
    except StopIteration as end:
        return order, end.value


def test_a_pair_in_drawn_order() -> None:
    """Whatever order the models are asked in, the response is that of `model`, the rejected one that of `against`."""
    pairs = [pair(seed) for seed in [*range(30), *range(30)]]
    assert pairs[:30] == pairs[30:]
    assert {("", "small"), ("small", "")} == {tuple(order) for order, _ in pairs}
    for _, draft in pairs:
        assert ("Why is ice slippery?", "by big") == (draft.prompt, draft.response)
        assert {
            "rejected": "by small",
            "chosen_model": "big",
            "rejected_model": "small",
            "preferred_by": "settings",
        } == draft.fields
        assert ("mixed", ("response",), ("s1",)) == (draft.origin, draft.synthetic_fields, draft.parents)


def test_a_made_prompt() -> None:
    """A synthetic seed gives a synthetic record."""
    draft = pair(1, Record("s2", "Why?", "So.", MADE))[1]
    assert ("synthetic", ()) == (draft.origin, draft.synthetic_fields)


def test_turns_of_the_seed() -> None:
    """A conversation is answered after all its turns before the last answer."""
    turns = (Message("system", "Be brief."), Message("user", "Why?"), Message("assistant", "So."))
    calls, draft = drive(writer()(brief(Record("s3", "Be brief.\nWhy?", "So.", REAL, messages=turns))), "a", "b")
    assert [turns[:2]] * 2 == [call.messages for call in calls]
    assert "Be brief.\nWhy?" == draft.prompt


def test_refused() -> None:
    """The same answer twice, an empty answer, a seed without a prompt."""
    assert "same-answer" == reason(writer()(brief(SEED)), "It  melts.", "it melts.")
    assert "empty-answer" == reason(writer()(brief(SEED)), "It melts.", " ")
    assert "no-prompt" == reason(writer()(brief(real("t", "", "plain"))))
    assert made(writer()(brief(SEED)), "It melts.", "It does not melt.")


@pytest.mark.parametrize(
    ("entry", "words"), [({"model": None}, "model"), ({"against": None}, "second"), ({"against": "big"}, "second")]
)
def test_settings(entry: dict[str, Any], words: str) -> None:
    """Two different models are needed."""
    with pytest.raises(UsageError, match=words):
        writer(**entry)
    assert "seeds" == preference.items(GeneratorSettings(use="preference"))
