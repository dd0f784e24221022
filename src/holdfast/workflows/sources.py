"""Generators by the names of the settings: each a source of numbered records for a cell, with its cap."""

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
from holdfast.generators import arithmetic, procedural

Cell = Mapping[str, Any]


class Stream(Protocol):
    """Yields the records of a seed and cell from a position on; with nothing to give it ends at once."""

    def __call__(self, task: str, seed: int, cell: Cell, start: int = 0) -> Iterator[Record]:
        """Yield records from position `start`."""


LIBRARIES: Mapping[str, Stream] = {arithmetic.FAMILY: arithmetic.stream, procedural.FAMILY: procedural.stream}


@dataclass(frozen=True, slots=True)
class Source:
    """One generator. `group` is its entry in the settings; `cap` its largest share of the synthetic part."""

    name: str
    cap: float
    task: str
    stream: Stream

    def records(self, seed: int, cell: Cell, start: int) -> Iterator[tuple[int, Record]]:
        """Yield (position after it, record) from a position on."""
        for record in self.stream(self.task, seed, cell, start):
            start = _next_position(record, start)
            yield start, record


def _next_position(record: Record, before: int) -> int:
    """Positions of our own generators are in the id, because some leave items out; others are counted."""
    tail = record.id.rpartition("-")[2]
    return int(tail) + 1 if record.provenance.seed is not None and tail.isdigit() else before + 1


def sources(settings: Settings) -> tuple[Source, ...]:
    """Return one source per procedural task and per generator of a user's own, in the order of the settings.

    Raises `UsageError` for what does not exist, and `MissingExtraError` where a library is not installed.
    """
    if not settings.generators:
        raise UsageError("The settings name no generators.", "Add generators: [{use: procedural, ...}].")
    found = [source for entry in settings.generators for source in _of(entry)]
    names = [source.name for source in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Generator {twice} is named twice.", "Name each task once; caps are per task.")
    return tuple(found)


def _of(entry: GeneratorSettings) -> Sequence[Source]:
    if entry.use != "procedural":
        return [Source(entry.use, entry.cap, entry.use, _own(entry.use))]
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
    return Source(first.provenance.generator or f"{family}/{task}", cap, task, LIBRARIES[family])


def _own(name: str) -> Stream:
    """Adapt a user's `(random, cell) -> records` to a numbered stream; skipping costs making them again."""
    generator: Generator = find("generators", name, {})

    def stream(task: str, seed: int, cell: Cell, start: int = 0) -> Iterator[Record]:
        random = Random(f"{task}/{seed}/{sorted(cell.items())}")  # seeded data, not secrets
        return islice(generator(random, cell), start, None)

    return stream
