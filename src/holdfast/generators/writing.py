"""What generators that write share: the brief they are given, the draft they return, and what they draw from.

A writer is a function `brief -> conversation`; the conversation yields calls, is sent answers and returns a draft.
Everything random comes from the brief, so that record n of a cell is the same whoever was killed in between.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from holdfast.core.errors import InputError, UsageError
from holdfast.core.reading.turns import split
from holdfast.core.record import Message, Origin, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.models.chat import Answer, Call, Conversation, NoRecord


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


def need_model(entry: GeneratorSettings) -> None:
    """Raise `UsageError` unless the settings of the generator name a model."""
    if entry.model is None:
        raise UsageError(
            f"Generator {entry.use} names no model.", "Add model: NAME, one of the models: of the settings."
        )


def need_seeds(material: Material, least: int = 1) -> None:
    """Raise `UsageError` unless there are `least` seeds to draw from."""
    if len(material.seeds) < least:
        said = f"Generator {material.entry.use} needs {least} seeds and has {len(material.seeds)}."
        raise UsageError(said, "Add seeds: FILE with more records, or real: data, which is used without seeds.")


def need_documents(material: Material) -> None:
    """Raise `UsageError` unless there are documents."""
    if not material.documents:
        raise UsageError(f"Generator {material.entry.use} has no documents.", "Add documents: FILE, one text a record.")


def item_of(brief: Brief, use: str) -> Record:
    """Return the seed or document of a brief. Raises `UsageError` where the caller gave none."""
    if brief.item is None:
        raise UsageError(f"Generator {use} was given no record to start from.", "Give each brief an item.")
    return brief.item


def read_text(material: Material, path: Path, what: str) -> str:
    """Return the text of a file of the settings. Raises `InputError` for one that cannot be read as UTF-8."""
    place = material.folder / path
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: the {what} cannot be read: {error}.", "Give a UTF-8 text file.") from None


def asked(messages: Sequence[Message], answer: str, **more: Any) -> Draft:
    """Return the draft of an exchange: its prompt is what reading the messages back gives.

    One user turn and its answer need no messages; with more, they are kept on the draft.
    """
    turns = (*messages, Message("assistant", answer))
    parts = split(turns)
    alone = len(turns) == 2 and turns[0].role == "user"
    return Draft(parts.prompt, parts.response, None if alone else turns, **more)


def answered(item: Record) -> tuple[Origin, tuple[str, ...]]:
    """Return origin and synthetic fields of the prompt of `item` with a made answer: mixed where the prompt is real.

    A prompt of unknown origin is not counted as real, so that the whole is synthetic.
    """
    origin = item.provenance
    real = origin.origin == "real" or (origin.origin == "mixed" and "prompt" not in origin.synthetic_fields)
    return ("mixed", ("response",)) if real and item.prompt else ("synthetic", ())


def reworked(item: Record) -> tuple[Origin, tuple[str, ...]]:
    """Return origin and synthetic fields of `item` with its response reworked: mixed where any of it is real."""
    origin = item.provenance
    if origin.origin not in ("real", "mixed"):
        return "synthetic", ()
    return "mixed", tuple(dict.fromkeys((*origin.synthetic_fields, "response")))


def with_response(item: Record, response: str, **fields: Any) -> Draft:
    """Return the draft of `item` with its response replaced by a reworking of it; `item` is the parent."""
    origin, made = reworked(item)
    messages = item.messages
    if messages is not None:
        last = max((at for at, turn in enumerate(messages) if turn.role == "assistant"), default=None)
        turns = [Message(turn.role, response) if at == last else turn for at, turn in enumerate(messages)]
        messages = tuple(turns) if last is not None else None
    return Draft(item.prompt, response, messages, fields, origin, made, (item.id,))


def asking(item: Record) -> tuple[Message, ...]:
    """Return the messages that ask for the response of `item`: its turns before it, or its prompt as one user turn.

    Raises `NoRecord` (`no-prompt`) for plain text.
    """
    if not item.prompt.strip():
        raise NoRecord("rejected", "no-prompt", item.id)
    turns = item.messages or ()
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=0)
    return turns[:last] or (Message("user", item.prompt),)


def aim(cell: Mapping[str, Any]) -> str:
    """Return a line that says what a text is to be about, with a line break before it; nothing for an empty cell."""
    return "\nIt must fit this: " + "; ".join(f"{name}: {value}" for name, value in cell.items()) if cell else ""


def draw_seeds(material: Material, random: Random, wanted: int, besides: Record | None = None) -> list[Record]:
    """Return `wanted` different seeds in drawn order, never `besides`; fewer where there are no more."""
    found = random.sample(material.seeds, min(wanted + 1, len(material.seeds))) if wanted else []
    return [seed for seed in found if besides is None or seed.id != besides.id][:wanted]


def text_of(answer: Answer) -> str:
    """Return the text of an answer, stripped. Raises `NoRecord` for an empty one (`empty-answer`)."""
    text = answer.text.strip()
    if not text:
        raise NoRecord("rejected", "empty-answer")
    return text


def user(text: str, **more: Any) -> Call:
    """Return a call of one user message."""
    return Call((Message("user", text),), **more)


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
