"""Chat calls and their answers as values, and conversations: generators that yield calls and are sent the answers.

A conversation is plain code: it asks, looks at the answer, asks again, and returns what it made. The same answers give
the same calls and the same result, so that a killed run replays it from the ledger and pays for nothing twice.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from holdfast.core.record import Message

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Call:
    """One request for one answer. `model` is a name of the settings; empty is the generator's own.

    `decoding` goes over the wire as it stands (temperature, top_p, min_p, max_tokens, seed, stop, logprobs ...).
    `schema` asks for JSON of that shape. Calls that differ in nothing but `sample` are two samples of one prompt.
    """

    messages: tuple[Message, ...]
    model: str = ""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that are charged for. `output` holds those of the reasoning, which `reasoning` counts apart."""

    input: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered. `served` is the model that the endpoint says answered, `value` the JSON asked for.

    `reasoning` is what came before the answer (`reasoning_content`, or a leading <think> part), kept apart from it.
    `ignored` names parameters that were asked for and had no effect, as far as the answer shows it.
    """

    text: str
    served: str = ""
    finish: str = ""
    usage: Usage = Usage()
    reasoning: str = ""
    value: Any = None
    logprobs: Any = None
    fingerprint: str | None = None
    id: str | None = None
    ignored: tuple[str, ...] = ()


class NoRecord(Exception):  # noqa: N818  # the end of a conversation, not a mistake of a program
    """A conversation ends without a record: `rejected` for what the model did, `failed` for what was never answered.

    `reason` is of a closed vocabulary and counted; `detail` says more about this one.
    """

    def __init__(self, fate: Literal["rejected", "failed"], reason: str, detail: str = "") -> None:
        super().__init__(f"{fate}: {reason} {detail}".strip())
        self.fate: Literal["rejected", "failed"] = fate
        self.reason = reason
        self.detail = detail


Conversation = Generator[Call, Answer, Made]
