"""Conversations: a simulated user and an assistant take turns, each a model of its own or the same one.

As in UltraChat (Ding et al. 2023, arXiv:2305.14233): the user's side is asked for as such, with the whole conversation
before it, and stops when it has what it wanted. A side that falls out of its role ends the record.
"""

import re
from collections.abc import Sequence
from typing import Literal

from holdfast.core.record import Message, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.generators.writing import (
    Brief,
    Draft,
    Material,
    Write,
    asked,
    asking,
    need_model,
    need_seeds,
    text_of,
    user,
)
from holdfast.models.chat import Call, Conversation, NoRecord

DONE = "DONE"
# A line that opens a turn in a transcript, or a mark of a chat template.
_LABEL = re.compile(
    r"^[ \t>*#]*(?:User|Human|Person|Assistant|AI|Bot)[ \t*]*:"
    r"|<\|?(?:im_start|im_end|user|assistant|start_of_turn)\b|\[/?INST\]",
    re.MULTILINE,
)
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
# What only an assistant says of itself.
_SERVING = re.compile(
    r"\bhow (?:can|may) i (?:help|assist) you\b|\bas an ai\b|\bi(?:'m| am) (?:an ai|here to (?:help|assist))\b",
    re.IGNORECASE,
)

ASK = """You play a person who writes to an assistant.{persona}{subject}

{so_far}

Write the person's next message, as that person would: short, plain, one request or question, building on what was \
said. Do not answer for the assistant and write no names or labels before the message.{end}"""
END = f"\nIf the person has what they wanted and would write no more, answer with {DONE} alone."
START = "The conversation has not begun. The person opens it."


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:
    """Return "seeds" where the settings name a file of them: their prompts then open the conversations."""
    return "seeds" if entry.seeds else None


def writer(material: Material) -> Write:
    """Return the writer. Raises `UsageError` without a model, or where seeds are named and there are none."""
    entry = material.entry
    need_model(entry)
    if entry.seeds:
        need_seeds(material)

    def write(brief: Brief) -> Conversation[Draft]:
        persona = brief.random.choice(material.personas) if material.personas else ""
        turns = list(asking(brief.item)) if brief.item else []
        for turn in range(entry.turns):
            if turn or brief.item is None:
                said = text_of((yield _next_of_user(turns, persona, brief, entry)))
                if _is_done(said):
                    break
                turns.append(Message("user", _in_role(said, "user")))
            answer = text_of((yield Call(tuple(turns))))
            turns.append(Message("assistant", _in_role(answer, "assistant")))
        return _draft(turns, persona, brief.item)

    return write


def _next_of_user(turns: Sequence[Message], persona: str, brief: Brief, entry: GeneratorSettings) -> Call:
    """Return the call for the user's next message. The conversation is quoted, so that any chat template serves it."""
    told = "\n\n".join(f"{'Person' if turn.role == 'user' else 'Assistant'}: {turn.content}" for turn in turns)
    subject = "; ".join(f"{name}: {value}" for name, value in brief.cell.items())
    text = ASK.format(
        persona=f"\nThe person: {persona}" if persona else "",
        subject=f"\nWhat it is about: {subject}" if subject else "",
        so_far=f"The conversation so far:\n\n{told}" if told else START,
        end=END if told else "",
    )
    return user(text, model=entry.against or "")


def _is_done(said: str) -> bool:
    """True when the user's last line says that the conversation is over."""
    return said.splitlines()[-1].strip(" .!*\"'") == DONE


def _in_role(said: str, role: str) -> str:
    """Return a message. Raises `NoRecord` (`role-leak`) where it holds turns of a transcript or is the other's."""
    bare = _FENCED.sub("", said)
    found = _LABEL.search(bare) or (_SERVING.search(bare) if role == "user" else None)
    if found:
        raise NoRecord("rejected", "role-leak", f"{role}: {found[0].strip()}")
    return said


def _draft(turns: Sequence[Message], persona: str, item: Record | None) -> Draft:
    """Return the record: its prompt is all before the last answer. An opening taken from a real seed makes it mixed."""
    if not turns:
        raise NoRecord("rejected", "no-conversation")
    fields = {"persona": persona} if persona else {}
    if item is None:
        return asked(turns[:-1], turns[-1].content, fields=fields)
    real = item.provenance.origin in ("real", "mixed")
    more_than_answer = len(turns) > len(asking(item)) + 1
    made = ("prompt", "response") if more_than_answer else ("response",)
    return asked(
        turns[:-1],
        turns[-1].content,
        fields=fields,
        origin="mixed" if real else "synthetic",
        synthetic_fields=made if real else (),
        parents=(item.id,),
    )
