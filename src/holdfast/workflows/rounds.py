"""Rounds: what a generation has committed, one file each, and what the next round depends on.

A round file is made of sections of finished lines (one for each result file, two of numbers) and ends in one line of
JSON: where each section begins and the state after the round. So a run that goes on reads one line per round, and the
result files are put together by copying bytes.
"""

import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.durable import remove
from holdfast.core.files import HALF_WRITTEN
from holdfast.core.rundir import write_bytes

FOLDER = ".rounds"
RESULTS = ("kept", "rejected", "undecided", "failed", "verdicts")
# Contents and n-grams met for the first time, as 64-bit numbers; two of a million contents are mistaken for one with a
# chance of one in forty million.
NUMBERS = ("seen", "grams")
# The reason of a record whose content was accepted before.
REPEATED = "exact-duplicate"
Key = tuple[int, int]
# How the members of a state are kept as JSON: by (source, cell), of which some are counters; and counters of names.
PAIRED, COUNTED = ("positions", "accepted", "drawn", "repeats", "spent", "novelty"), ("accepted", "drawn", "repeats")
PLAIN = ("fates", "reasons", "leaks", "served", "ignored")


@dataclass(frozen=True, slots=True)
class Line:
    """One position worked off: what came of it, as the lines of the result files. `content` is None without a record.

    `next` is the position after it; `grams` are those of its `runs` sampled n-grams that no record had before; `cost`
    is what its answers cost.
    """

    source: int
    cell: int
    next: int
    fate: str
    reason: str
    row: bytes
    content: int | None = None
    verdicts: tuple[bytes, ...] = ()
    grams: tuple[int, ...] = ()
    cost: float = 0.0
    leaks: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    runs: int = 0


@dataclass(slots=True)
class State:
    """Everything the next round depends on; keys are (source, cell). `of_source` and `of_cell` sum up `accepted`."""

    rounds: int = 0
    positions: dict[Key, int] = field(default_factory=dict)
    accepted: Counter[Key] = field(default_factory=Counter)
    drawn: Counter[Key] = field(default_factory=Counter)
    repeats: Counter[Key] = field(default_factory=Counter)
    cost: dict[int, float] = field(default_factory=dict)
    spent: dict[Key, str] = field(default_factory=dict)
    novelty: dict[Key, Sequence[int]] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    of_source: Counter[int] = field(default_factory=Counter)
    of_cell: Counter[int] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)
    grams: set[int] = field(default_factory=set)

    def add(self, line: Line) -> None:
        """Take one line into account."""
        key = (line.source, line.cell)
        if line.content is not None:
            self.seen.add(line.content)
        self.grams.update(line.grams)
        new, runs = self.novelty.get(key, (0, 0))
        self.novelty[key] = [new + len(line.grams), runs + line.runs]
        self.repeats[key] += line.reason == REPEATED
        self.positions[key] = line.next
        self.drawn[key] += 1
        self.fates[line.fate] += 1
        self.cost[line.source] = self.cost.get(line.source, 0.0) + line.cost
        self.leaks.update(line.leaks)
        self.served.update(line.served)
        self.ignored.update(line.ignored)
        if line.fate == "kept":
            self.accept(key, 1)
        else:
            self.reasons[line.reason] += 1

    def accept(self, key: Key, count: int) -> None:
        """Count accepted records of a source and cell."""
        self.accepted[key] += count
        self.of_source[key[0]] += count
        self.of_cell[key[1]] += count

    def to_dict(self) -> dict[str, Any]:
        """Return what the next round depends on, without the numbers, as plain JSON."""
        pairs = {name: [[*key, value] for key, value in getattr(self, name).items()] for name in PAIRED}
        plain = {name: dict(getattr(self, name)) for name in PLAIN}
        return {**pairs, **plain, "cost": [[source, cost] for source, cost in self.cost.items()]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], rounds: int) -> "State":
        """Return the state that `to_dict` wrote."""
        state = cls(rounds, cost=dict(values["cost"]))
        for name in PAIRED:
            pairs = {(source, cell): value for source, cell, value in values[name]}
            setattr(state, name, Counter(pairs) if name in COUNTED else pairs)
        for name in PLAIN:
            setattr(state, name, Counter(values[name]))
        for source, cell, count in values["accepted"]:
            state.of_source[source] += count
            state.of_cell[cell] += count
        return state


@dataclass(frozen=True, slots=True)
class Rounds:
    """The committed rounds of one folder."""

    out: Path

    def path(self, number: int) -> Path:
        """Return the file of a round."""
        return self.out / FOLDER / f"{number:06d}.round"

    def restore(self) -> State:
        """Return the state after the last committed round; what a killed one left half-written is removed."""
        for path in (self.out / FOLDER).glob(HALF_WRITTEN):
            remove(path)
        number, values = 0, None
        seen, grams = array("Q"), array("Q")
        while self.path(number).exists():
            index = _index(self.path(number))
            values = index["state"]
            seen.frombytes(self.section(number, "seen", index))
            grams.frombytes(self.section(number, "grams", index))
            number += 1
        state = State() if values is None else State.from_dict(values, number)
        state.seen.update(seen)
        state.grams.update(grams)
        return state

    def commit(self, state: State, lines: Sequence[Line]) -> None:
        """Write one round whole, with the state after it: `state` has taken its lines into account already."""
        write_bytes(self.path(state.rounds), _packed(state, lines))
        state.rounds += 1

    def section(self, number: int, name: str, index: Mapping[str, Any] | None = None) -> bytes:
        """Return one section of a round."""
        start, length = (index or _index(self.path(number)))["sections"][name]
        with self.path(number).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def results(self, name: str, rounds: int) -> Iterator[bytes]:
        """Yield the bytes of one result file, round by round."""
        for number in range(rounds):
            yield self.section(number, name)

    def clear(self) -> None:
        """Remove all rounds, the last one first: what is left at any moment is a run that can go on."""
        number = 0
        while self.path(number).exists():
            number += 1
        for each in reversed(range(number)):
            remove(self.path(each))


def sections(lines: Sequence[Line]) -> dict[str, bytes]:
    """Return the sections of result lines that a round has."""
    parts: dict[str, list[bytes]] = {name: [] for name in RESULTS}
    for line in lines:
        parts[line.fate].append(line.row)
        parts["verdicts"] += line.verdicts
    return {name: b"".join(row + b"\n" for row in rows) for name, rows in parts.items()}


def _packed(state: State, lines: Sequence[Line]) -> bytes:
    numbers = {
        "seen": array("Q", [line.content for line in lines if line.content is not None]).tobytes(),
        "grams": array("Q", [gram for line in lines for gram in line.grams]).tobytes(),
    }
    places, at, body = {}, 0, []
    for name, data in {**sections(lines), **numbers}.items():
        places[name] = [at, len(data)]
        body.append(data)
        at += len(data)
    index = orjson.dumps({"sections": places, "state": state.to_dict()})
    return b"".join([*body, b"\n", index, b"\n"])


def _index(path: Path) -> dict[str, Any]:
    """Read the last line of a round file, which holds no line break."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        wanted = 1 << 16
        while True:
            file.seek(max(0, size - wanted))
            tail = file.read()[:-1]
            cut = tail.rfind(b"\n")
            if cut >= 0 or wanted >= size:
                index: dict[str, Any] = orjson.loads(tail[cut + 1 :])
                return index
            wanted *= 4
