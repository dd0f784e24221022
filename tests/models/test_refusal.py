"""Refusals are told by how they open; answers that only sound alike are not taken for one."""

import pytest

from holdfast.models.refusal import LONGEST, is_refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, but I can\u2019t assist with that request.",
    "I am very sorry, I cannot provide instructions for this.",
    "Sorry, I can't do that.",
    "I cannot fulfill this request.",
    "I can't help with that.",
    "I'm unable to assist with that request. Is there anything else?",
    "As an AI language model, I cannot generate harmful content.",
    "I'm sorry, but as an AI developed by Acme, I can't discuss it.",
    "Unfortunately, I'm not able to write that.",
    "I apologize, but I must decline.",
    "I won't.",
    "**I'm sorry, but I cannot comply with your request.**",
    "I'm not comfortable writing this content.",
]

ANSWERS = [
    "",
    "42",
    "I'm sorry for your loss. She was a wonderful person.",
    "Sorry, the shop is closed on Sundays.",
    "I can't help but smile when the kettle sings.",
    "I cannot swim, so I stayed on the shore.",
    "I will not forget the summer in Riga.",
    "I can't write with my left hand, he said.",
    "Unfortunately, I cannot find my keys, so I will be late.",
    "The assistant said: I'm sorry, but I can't help with that.",
    "Can't help with that? Call 112.",
    "def is_sorry(): return True",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_told(text: str) -> None:
    """The openers that chat models use are refusals."""
    assert is_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_left_alone(text: str) -> None:
    """Apologies, stories and quotations are answers."""
    assert not is_refusal(text)


def test_a_long_answer_is_none() -> None:
    """What goes on for more than a few sentences is no mere refusal."""
    assert is_refusal(REFUSALS[0])
    assert not is_refusal(REFUSALS[0] + " Here is what I can do." * LONGEST)
