"""Checks of the tests that ask models, importable wherever they run."""

from typing import Any

from holdfast import Record, Verdict
from holdfast.core.record import Message
from holdfast.generators.writing import Brief, Draft, user
from holdfast.models.chat import Conversation


def any_text(record: Record) -> Verdict:
    """Accept every response that says something."""
    return Verdict(bool(record.response.strip()))


def strict(record: Record) -> Verdict:
    """Refuse every second response, by its length."""
    return Verdict(len(record.prompt) % 2 == 0, "odd")


def nothing(brief: Brief) -> Conversation[Draft | None]:
    """A writer that forgets to return."""
    yield user(f"Say {brief.number}.")
    return None


def number(brief: Brief) -> Conversation[Draft]:
    """A writer whose prompt is no text."""
    answer = yield user(f"Say {brief.number}.")
    prompt: Any = brief.number
    return Draft(prompt, answer.text)


def half_a_character(brief: Brief) -> Conversation[Draft]:
    """A writer whose response cannot be written."""
    answer = yield user(f"Say {brief.number}.")
    return Draft("Say it.", answer.text + "\ud800")


def leaking_column(brief: Brief) -> Conversation[Draft]:
    """A writer with an address in a column of its own."""
    answer = yield user(f"Say {brief.number}.")
    return Draft("Say it.", answer.text, fields={"rejected": [f"Write to john.smith{brief.number}@corp-mail.com."]})


def leaking_turn(brief: Brief) -> Conversation[Draft]:
    """A writer with an address in the first of its turns."""
    answer = yield user(f"Say {brief.number}.")
    turns = [
        ("system", f"Write to john.smith{brief.number}@corp-mail.com."),
        ("user", "Say it."),
        ("assistant", answer.text),
    ]
    return Draft("Say it.", answer.text, tuple(Message(*turn) for turn in turns))
