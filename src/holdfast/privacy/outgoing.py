"""Outgoing: what a prompt may hold before it leaves for a model. Nothing is sent that was not looked at.

Prompts are made of seeds, documents and cells, and a provider keeps what it is sent. The same finders as for training
text look at every message: personal data, secrets, hidden text (docs/privacy.md says what they find and miss). They
fail closed: where a finder cannot answer, the call is not sent and its record ends as failed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from holdfast.core.record import Message
from holdfast.models.chat import NoRecord
from holdfast.privacy import hidden, personal, secrets
from holdfast.privacy.leaks import Leak, compiled, find, redact
from holdfast.privacy.outline import likely, outline, signed

Policy = Literal["redact", "reject", "off"]

# Reasons of a call that is not sent.
HELD_BACK = "private-prompt"
NOT_SCREENED = "not-screened"

_BY_RULE = (
    (personal.RULE, signed(compiled(personal.RECOGNISERS))),
    (secrets.RULE, signed(compiled(secrets.RECOGNISERS))),
)


@dataclass(frozen=True, slots=True)
class Screening:
    """Messages as they may be sent, and how many leaks of each kind were found in them."""

    messages: tuple[Message, ...]
    kinds: Mapping[str, int] = field(default_factory=dict)


def screened(messages: Sequence[Message], policy: Policy) -> tuple[Message, ...]:
    """Return the messages as they may be sent; `screen` says more."""
    return screen(messages, policy).messages


def screen(messages: Sequence[Message], policy: Policy) -> Screening:
    """Return messages without leaks, each replaced by its kind (`redact`), or as they are where nothing was found.

    With `off` nothing is looked at. Raises `NoRecord`: rejected (`private-prompt`, kinds and counts in its detail)
    for a leak under `reject`, failed (`not-screened`) where a finder fails, under any policy but `off`.
    """
    if policy == "off":
        return Screening(tuple(messages))
    try:
        found = [leaks_of(message.content) for message in messages]
        clean = tuple(_without(message, leaks) for message, leaks in zip(messages, found, strict=True))
    except Exception as error:  # whatever goes wrong in a finder, the text has not been looked at
        raise NoRecord("failed", NOT_SCREENED, type(error).__name__) from error
    kinds = Counter(leak.kind for leaks in found for leak in leaks)
    if kinds and policy == "reject":
        raise NoRecord("rejected", HELD_BACK, ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())))
    return Screening(clean, dict(sorted(kinds.items())))


def leaks_of(text: str) -> list[Leak]:
    """Return what all finders find in one text, personal data first. The outline spares most of their work."""
    seen = outline(text)
    found = [leak for rule, recognisers in _BY_RULE for leak in find(rule, likely(recognisers, seen), text)]
    return found if text.isascii() else [*found, *hidden.hidden_text(text)]


def _without(message: Message, leaks: list[Leak]) -> Message:
    return Message(message.role, redact(message.content, leaks)) if leaks else message
