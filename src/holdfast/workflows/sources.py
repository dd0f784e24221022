"""Generators by the names of the settings: each a source of numbered records for a cell, with its cap.

Two kinds: streams, which make records at once (procedural ones, and your own functions of random and cell), and
writers, which hold a conversation for each record (`workflows.writers`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, Protocol

from holdfast.core.errors import UsageError, nearest
from holdfast.core.plugins import find
from holdfast.core.record import Record
from holdfast.core.settings import GeneratorSettings, Settings
from holdfast.core.verdict import Generator
from holdfast.generators import arithmetic, procedural, tables
from holdfast.workflows.materials import Materials
from holdfast.workflows.writers import WRITERS, Written, is_writer, written

Cell = Mapping[str, Any]


class Stream(Protocol):
    """Yields the records of a seed and cell from a position on; with nothing to give it ends at once."""

    def __call__(self, task: str, seed: int, cell: Cell, start: int = 0) -> Iterator[Record]:
        """Yield records from position `start`."""


LIBRARIES: Mapping[str, Stream] = {
    arithmetic.FAMILY: arithmetic.stream,
    procedural.FAMILY: procedural.stream,
    tables.FAMILY: tables.stream,
}


@dataclass(frozen=True, slots=True)
class Streamed:
    """A generator that makes records at once. `name` is how its records name it; `cap` its largest share."""

    name: str
    cap: float
    task: str
    stream: Stream

    @property
    def generator(self) -> str:
        """How its records name it."""
        return self.name

    @property
    def shipped(self) -> bool:
        """True for a library of ours, which every node has; a user's own generator is here only."""
        return self.stream in LIBRARIES.values()

    def records(self, seed: int, cell: Cell, start: int) -> Iterator[tuple[int, Record]]:
        """Yield (position after it, record) from a position on."""
        for record in self.stream(self.task, seed, cell, start):
            start = _next_position(record, start)
            yield start, record


Source = Streamed | Written


def _next_position(record: Record, before: int) -> int:
    """Positions of our own generators are in the id, because some leave items out; others are counted."""
    tail = record.id.rpartition("-")[2]
    return int(tail) + 1 if record.provenance.seed is not None and tail.isdigit() else before + 1


def sources(settings: Settings, materials: Materials | None = None) -> tuple[Source, ...]:
    """Return one source per procedural task, writer and generator of a user's own, in the order of the settings.

    Raises `UsageError` for what does not exist, and `MissingExtraError` where a library is not installed.
    """
    if not settings.generators:
        raise UsageError("The settings name no generators.", "Add generators: [{use: procedural, ...}].")
    materials = materials or Materials(settings)
    found = [source for entry in settings.generators for source in _of(entry, settings, materials)]
    names = [source.name for source in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        remedy = "Name each task once, or give writers a name of their own; caps are per name."
        raise UsageError(f"Generator {twice} is named twice.", remedy)
    return tuple(found)


def _of(entry: GeneratorSettings, settings: Settings, materials: Materials) -> Sequence[Source]:
    if is_writer(entry):
        return [written(entry, settings, materials)]
    if entry.use != "procedural":
        return [Streamed(entry.name or entry.use, entry.cap, entry.use, _own(entry.use))]
    family = entry.family or arithmetic.FAMILY
    if family not in LIBRARIES:
        raise UsageError(f"There is no procedural family {family!r}.", nearest(family, LIBRARIES))
    if not entry.tasks:
        raise UsageError(f"Procedural generator {family} names no tasks.", f"Known to arithmetic: {arithmetic.TASKS}.")
    return [_checked(family, task, entry.cap) for task in entry.tasks]


def _checked(family: str, task: str, cap: float) -> Source:
    """Return a source whose task exists and passes its self-check, so that a mistake is found before any work.

    It is named as its records name their generator, version and all, so that caps find them later.
    """
    first = next(LIBRARIES[family](task, 0, {}))
    return Streamed(first.provenance.generator or f"{family}/{task}", cap, task, LIBRARIES[family])


def _own(name: str) -> Stream:
    """Adapt a user's `(random, cell) -> records` to a numbered stream; skipping costs making them again."""
    generator: Generator = find("generators", name, dict.fromkeys(WRITERS, ""))

    def stream(task: str, seed: int, cell: Cell, start: int = 0) -> Iterator[Record]:
        random = Random(f"{task}/{seed}/{sorted(cell.items())}")  # seeded data, not secrets
        return islice(generator(random, cell), start, None)

    return stream
