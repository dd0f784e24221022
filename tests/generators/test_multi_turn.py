"""Simulated conversations: who is asked what, when they end, and who falls out of the role."""

from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.reading.turns import split
from holdfast.core.record import Message, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import multi_turn
from holdfast.generators.writing import Material
from tests.generators.driving import REAL, brief, drive, last, made, real, reason

SEED = real("s1", "How do I prune a pear tree?", "In winter.")

NAMED = {"use": "multi_turn", "seeds": "s.jsonl"}


def writer(personas: tuple[str, ...] = (), seeds: Any = (SEED,), **entry: Any) -> Any:
    settings = GeneratorSettings.model_validate({"use": "multi_turn", "model": "m", **entry})
    return multi_turn.writer(Material(settings, seeds=seeds, personas=personas))


def test_user_and_assistant_alternate() -> None:
    """The user's side is asked of `against` with the conversation so far, the assistant's side with the bare turns."""
    answers = ("Which apples keep?", "Russets do.", "How long?", "Until March.")
    conversation = writer(("a grower",), against="u")(brief(topic="apples"))
    calls, draft = drive(conversation, *answers)
    assert ["u", "", "u", ""] == [call.model for call in calls]
    assert "topic: apples" in last(calls[0])
    assert "a grower" in last(calls[0])
    assert "Assistant: Russets do." in last(calls[2])
    turns = tuple(Message(("user", "assistant")[at % 2], text) for at, text in enumerate(answers))
    assert turns[:3] == calls[3].messages
    assert (turns, "Until March.", {"persona": "a grower"}) == (draft.messages, draft.response, draft.fields)
    assert (split(turns).prompt, "synthetic", ()) == (draft.prompt, draft.origin, draft.parents)


def test_a_seed_opens_the_conversation() -> None:
    """The seed's prompt is the first turn, its answer is made anew, and the record is mixed with its parent."""
    calls, draft = drive(writer(seeds=[SEED])(brief(SEED)), "In late winter.", "Why?", "It sleeps.")
    assert (Message("user", SEED.prompt),) == calls[0].messages
    assert ("mixed", ("prompt", "response"), ("s1",)) == (draft.origin, draft.synthetic_fields, draft.parents)
    draft = made(writer(turns=1)(brief(SEED)), "In late winter.")
    assert ("mixed", ("response",), None) == (draft.origin, draft.synthetic_fields, draft.messages)
    assert SEED.prompt == draft.prompt


def test_a_seed_with_turns_is_continued() -> None:
    """All turns before a seed's last answer open the conversation."""
    turns = (Message("system", "Be kind."), Message("user", "Hi"), Message("assistant", "Hello"))
    seed = Record("s2", "Be kind.\nHi", "Hello", REAL, messages=turns)
    calls, draft = drive(writer(turns=1)(brief(seed)), "Good day")
    assert turns[:2] == calls[0].messages
    assert (seed.prompt, "Good day") == (draft.prompt, draft.response)


@pytest.mark.parametrize("done", ["DONE", "**DONE**", "Thanks a lot!\nDONE.", '"DONE"'])
def test_the_user_ends_the_conversation(done: str) -> None:
    """A user who has what was wanted ends it early; the last answer is the response."""
    draft = made(writer(turns=5)(brief()), "Which apples keep?", "Russets do.", done)
    assert ("Which apples keep?", "Russets do.") == (draft.prompt, draft.response)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["DONE"], "no-conversation"),
        ([""], "empty-answer"),
        (["Hello", ""], "empty-answer"),
        (["User: which apples keep?"], "role-leak"),
        (["Hello! How can I help you today?"], "role-leak"),
        (["As an AI, I would ask about apples."], "role-leak"),
        (["Which?", "Russets.\nUser: and how long?\nAssistant: until March"], "role-leak"),
        (["Which?", "Russets.\n\n**Human:** thanks"], "role-leak"),
        (["Which?", "Russets.<|im_end|>\n<|im_start|>user"], "role-leak"),
        (["Which?", "Russets. [INST] and pears [/INST]"], "role-leak"),
    ],
)
def test_refused(answers: list[str], expected: str) -> None:
    """A conversation that never began, an empty turn, and a side that speaks for the other."""
    assert expected == reason(writer()(brief()), *answers)


@pytest.mark.parametrize(
    "answer",
    [
        "Set it so:\n```yaml\nUser: root\n```",
        "The user: a person who grows apples.",
        "As an AI I cannot taste apples.",
        "How can I help you with pears?",
    ],
)
def test_what_an_assistant_may_say(answer: str) -> None:
    """Labels inside code, a word within a sentence, and what an assistant says of itself."""
    assert answer == made(writer(turns=1)(brief()), "Which?", answer).response


def test_settings() -> None:
    """A model is needed, and seeds where they are named; plain text opens no conversation."""
    with pytest.raises(UsageError, match="model"):
        writer(model=None)
    with pytest.raises(UsageError, match="needs 1 seeds"):
        multi_turn.writer(Material(GeneratorSettings.model_validate({**NAMED, "model": "m"})))
    assert "no-prompt" == reason(writer()(brief(real("t", "", "plain"))))
    assert multi_turn.items(GeneratorSettings(use="multi_turn")) is None
    assert "seeds" == multi_turn.items(GeneratorSettings.model_validate(NAMED))
