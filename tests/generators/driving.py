"""Drive conversations with given answers, which are data, and look at what they ask and make."""

from random import Random
from typing import Any

from holdfast.core.record import Message, Provenance, Record
from holdfast.generators.writing import Brief, Draft
from holdfast.models.chat import Answer, Call, Conversation, NoRecord

MADE = Provenance(origin="synthetic")
REAL = Provenance(origin="real")


def brief(item: Record | None = None, seed: int = 1, **cell: Any) -> Brief:
    return Brief(cell, 4, Random(seed), item)


def drive(conversation: Conversation[Draft], *answers: Answer | str) -> tuple[list[Call], Draft | NoRecord]:
    """Return the calls of a conversation that is sent `answers`, and how it ended; all answers must be asked for."""
    calls: list[Call] = []
    left = [Answer(answer) if isinstance(answer, str) else answer for answer in answers]
    try:
        calls.append(next(conversation))
        while True:
            assert left, f"asked for one answer more: {calls[-1].messages}"
            calls.append(conversation.send(left.pop(0)))
    except StopIteration as end:
        assert not left, "not all answers were asked for"
        return calls, end.value
    except NoRecord as end:
        return calls, end


def made(conversation: Conversation[Draft], *answers: Answer | str) -> Draft:
    end = drive(conversation, *answers)[1]
    assert isinstance(end, Draft), end
    return end


def reason(conversation: Conversation[Draft], *answers: Answer | str) -> str:
    end = drive(conversation, *answers)[1]
    assert isinstance(end, NoRecord), end
    assert "rejected" == end.fate
    return end.reason


def last(call: Call) -> str:
    """Return the last message of a call."""
    return call.messages[-1].content


def real(name: str, prompt: str = "", response: str = "", **fields: Any) -> Record:
    return Record(name, prompt, response, REAL, fields=fields)


def users(*texts: str) -> tuple[Message, ...]:
    return tuple(Message("user", text) for text in texts)
