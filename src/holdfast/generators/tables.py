"""Code, JSON and table tasks with answers known by construction: a generator that needs no extra, key or network.

`json-extract` asks for the facts of a text as JSON, `table-query` for a number out of a table, `python-function` for a
function; each record carries what its verifier needs (`schema`, `gold`, `tests`). Item k depends on (task, seed, cell,
k) alone, never on how many items were asked for before. All wording is our own.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from itertools import count
from random import Random
from typing import Any

from holdfast.core.errors import UsageError, nearest
from holdfast.core.record import Provenance, Record
from holdfast.generators import tables_extract, tables_function, tables_query
from holdfast.generators.tables_item import Item

FAMILY = "tables"
VERSION = "1"
DIFFICULTIES = ("easy", "hard")
MAKERS: Mapping[str, Callable[[Random, bool], Item]] = {
    "json-extract": tables_extract.make,
    "python-function": tables_function.make,
    "table-query": tables_query.make,
}
TASKS = tuple(MAKERS)


def stream(task: str, seed: int, cell: Mapping[str, Any], start: int = 0) -> Iterator[Record]:
    """Yield items of one task without end, from item `start`; nothing when the task cannot serve the cell."""
    if task not in MAKERS:
        raise UsageError(f"{FAMILY} has no task {task!r}.", nearest(task, TASKS))
    if serves(task, cell):
        for index in count(start):
            yield item(task, seed, cell, index)


def serves(task: str, cell: Mapping[str, Any]) -> bool:
    """True when the task can aim at the cell: its topic is the task, its difficulty easy or hard, nothing else."""
    if set(cell) - {"topic", "difficulty"}:
        return False
    return cell.get("topic", task) == task and cell.get("difficulty", "easy") in DIFFICULTIES


def item(task: str, seed: int, cell: Mapping[str, Any], index: int) -> Record:
    """Return item `index`: the task, its answer, what its verifier needs in `fields`, and full provenance."""
    difficulty = cell.get("difficulty")
    random = Random(_seed_of(task, seed, difficulty or "", index))
    difficulty = difficulty or random.choice(DIFFICULTIES)
    made = MAKERS[task](random, difficulty == "hard")
    place = "-".join(str(part) for part in (task, cell.get("difficulty"), seed, f"{index:06d}") if part is not None)
    provenance = Provenance(
        origin="synthetic",
        generator=f"{FAMILY}/{task}@{VERSION}",
        family=FAMILY,
        depth=1,
        seed=seed,
        cell={"topic": task, "difficulty": difficulty},
    )
    return Record(place, made.prompt, made.response, provenance, fields=made.fields)


def _seed_of(task: str, seed: int, difficulty: str, index: int) -> int:
    key = f"{FAMILY}/{task}@{VERSION}/{seed}/{difficulty}/{index}"
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
