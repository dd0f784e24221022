"""What generators that write share: the brief they are given, the draft they return, and what they draw from.

A writer is a function `brief -> conversation`; the conversation yields calls, is sent answers and returns a draft.
Everything random comes from the brief, so that record n of a cell is the same whoever was killed in between.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from holdfast.core.record import Message, Origin, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.models.chat import Conversation


@dataclass(frozen=True, slots=True)
class Brief:
    """What one record is to be: its cell, its number in it, the seed or document it starts from, its own randomness."""

    cell: Mapping[str, Any]
    number: int
    random: Random
    item: Record | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before its provenance. `parents` are ids of records it was made from; `fields` its other columns.

    `origin` is mixed where part of it is real, and `synthetic_fields` then names what was made.
    """

    prompt: str
    response: str
    messages: tuple[Message, ...] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = "synthetic"
    synthetic_fields: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """What a generator works with, read once: its settings, the seeds (real training records), documents, personas.

    `folder` is where the relative paths of the settings begin; `seed` is the seed of the run.
    """

    entry: GeneratorSettings
    folder: Path = Path()
    seed: int = 0
    seeds: Sequence[Record] = ()
    documents: Sequence[Record] = ()
    personas: Sequence[str] = ()


Write = Callable[[Brief], Conversation[Draft]]


def drawn(decoding: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """Return decoding settings with each range `[low, high]` of numbers replaced by a draw from it.

    A range of two whole numbers gives a whole number. Lists of other lengths or kinds (stop words) stay as they are.
    """
    return {name: _draw(value, random) for name, value in decoding.items()}


def _draw(value: Any, random: Random) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2 or any(type(each) not in (int, float) for each in value):
        return value
    low, high = value
    return random.randint(low, high) if type(low) is type(high) is int else round(random.uniform(low, high), 3)
