"""Records from reasoning-gym (extra [gym]): procedural tasks that come with a gold answer and their own scorer.

A task is used only after a self-check: its own scorer must accept its own gold answers, and the same seed must give
the same item. Item k depends on (task, seed, cell, k) alone. The library's questions are taken as they are; the
response is its worked answer where it has one, else a sentence and a final `#### answer` line.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from itertools import count
from random import Random
from types import ModuleType
from typing import Any

from holdfast.core.errors import MissingExtraError, UsageError, nearest
from holdfast.core.record import Provenance, Record

FAMILY = "reasoning-gym"
# Levels of the library's own curricula. Level 0 is passed over: it holds few distinct items (single digits).
LEVELS = {"easy": 1, "medium": 2, "hard": 3}
# Tasks whose items change from run to run, found by comparing fresh processes with different hash seeds
# (reasoning-gym 0.1.25, all 105 tasks that need no arguments). Within one process this cannot be noticed.
UNREPEATABLE = {
    "isomorphic_strings": "its items depend on the order of a set",
    "knight_swap": "its items depend on the order of a set",
    "list_functions": "it draws from an unseeded source",
    "polynomial_multiplication": "its items depend on the order of a set",
    "ransom_note": "its items depend on the order of a set",
    "time_intervals": "its items depend on the date",
    "word_ladder": "its items depend on the order of a set",
}
SELF_CHECKED_ITEMS = 5
_LONGEST_FINAL_ANSWER = 60
# Binary floats shown in full, as in "19.249999999999996 hours": no person would write such a problem.
_ROUNDING_NOISE = re.compile(r"\.[0-9]*(?:0{6}|9{6})[0-9]")
_CLOSINGS = (
    "The answer is {}.", "So the answer is {}.", "This gives {}.", "The result is {}.", "Hence the answer: {}.",
    "Working it out yields {}.", "We get {}.", "It comes to {}.", "That leads to {}.", "Solved: {}.",
)  # fmt: skip


def stream(task: str, seed: int, cell: Mapping[str, Any], start: int = 0) -> Iterator[Record]:
    """Yield items of one task without end, from item `start`; nothing when the task cannot serve the cell.

    Raises `UsageError` for a task that is unknown or fails its self-check.
    """
    self_check(task)
    if serves(task, cell):
        for index in count(start):
            if (record := item(task, seed, cell, index)) is not None:
                yield record


def serves(task: str, cell: Mapping[str, Any]) -> bool:
    """True when the task can aim at the cell: its topic is the task, its difficulty one the task has levels for."""
    if set(cell) - {"topic", "difficulty"} or cell.get("topic", task) != task:
        return False
    return "difficulty" not in cell or (cell["difficulty"] in LEVELS and task in _gym().factory.CURRICULA)


def item(task: str, seed: int, cell: Mapping[str, Any], index: int) -> Record | None:
    """Return item `index` with its gold answer in `fields` and full provenance; None for one with rounding noise."""
    difficulty = cell.get("difficulty")
    own_seed = _seed_of(task, seed, difficulty or "", index)
    entry = _dataset(task, difficulty, own_seed)[0]
    if _ROUNDING_NOISE.search(entry["question"] + entry["answer"]):
        return None
    place = "-".join(str(part) for part in (task, difficulty, seed, f"{index:06d}") if part is not None)
    provenance = Provenance(
        origin="synthetic",
        generator=f"{FAMILY}/{task}@{_version()}",
        family=FAMILY,
        depth=1,
        seed=seed,
        cell={"topic": task} if difficulty is None else {"topic": task, "difficulty": difficulty},
    )
    question, gold = entry["question"].strip(), entry["answer"].strip()
    return Record(place, question, _response(entry, gold, Random(own_seed)), provenance, fields={"gold": gold})


@cache
def self_check(task: str) -> None:
    """Raise `UsageError` unless the task exists, repeats from its seed and accepts its own gold answers."""
    tasks = set(_gym().factory.DATASETS)
    if task not in tasks:
        raise UsageError(f"reasoning-gym has no task {task!r}.", nearest(task, tasks))
    remedy = "Leave the task out; others of reasoning-gym pass their self-check."
    if task in UNREPEATABLE:
        raise UsageError(f"reasoning-gym/{task} cannot be repeated: {UNREPEATABLE[task]}.", remedy)
    passed = sum(_gold_passes(task, index) for index in range(SELF_CHECKED_ITEMS))
    if passed < SELF_CHECKED_ITEMS:
        said = f"its own scorer accepts {passed} of {SELF_CHECKED_ITEMS} of its own gold answers"
        raise UsageError(f"reasoning-gym/{task} fails its self-check: {said}.", remedy)


def _gold_passes(task: str, index: int) -> bool:
    seed = _seed_of(task, 0, "self-check", index)
    try:
        dataset = _dataset(task, None, seed)
        entry, again = dataset[0], _dataset(task, None, seed)[0]
        texts = isinstance(entry["answer"], str) and isinstance(entry["question"], str)
        repeats = (entry["question"], entry["answer"]) == (again["question"], again["answer"])
        return texts and repeats and dataset.score_answer(entry["answer"], entry) >= 1.0
    except Exception:  # noqa: BLE001  # whatever a task raises, it has failed its self-check and is refused by name
        return False


def _dataset(task: str, difficulty: str | None, seed: int) -> Any:
    """One data set per item: the library derives item k from seed + k, so that neighbouring seeds would overlap."""
    factory = _gym().factory
    if difficulty is None:
        return factory.create_dataset(task, seed=seed, size=1)
    config = _curriculum(task, difficulty).generate_configuration({"seed": seed, "size": 1})
    return factory.DATASETS[task][0](config=config)


@cache
def _curriculum(task: str, difficulty: str) -> Any:
    curriculum = _gym().factory.create_curriculum(task)
    curriculum.set_global_level(LEVELS[difficulty])
    return curriculum


def _seed_of(task: str, seed: int, difficulty: str, index: int) -> int:
    key = f"{FAMILY}/{task}/{seed}/{difficulty}/{index}"
    # 31 bits, because some tasks hand the seed to NumPy's old interface. A million items hold some 230 collisions,
    # exact duplicates that deduplication removes.
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest(), "big") >> 1


def _response(entry: Mapping[str, Any], gold: str, random: Random) -> str:
    worked = entry["metadata"].get("answer_cot")
    if isinstance(worked, str) and worked.strip():
        steps = worked.split("####")[0].strip()
    elif "\n" in gold or len(gold) > _LONGEST_FINAL_ANSWER:
        return gold
    else:
        steps = "\n".join([*_running_sum(entry["metadata"]), random.choice(_CLOSINGS).format(gold)])
    return f"{steps}\n#### {gold}"


def _running_sum(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the steps of a plain chain of whole numbers, with computed annotations."""
    if metadata.get("source_dataset") != "chain_sum":
        return
    first, *rest = metadata["expression"].split()
    total = int(first)
    for operator, term in zip(rest[::2], rest[1::2], strict=True):
        before, total = total, total + int(operator + term)
        yield f"{before} {operator} {term} = <<{before}{operator}{term}={total}>>{total}"


@cache
def _version() -> str:
    _gym()
    return version("reasoning_gym")


@cache
def _gym() -> ModuleType:
    try:
        import reasoning_gym  # noqa: PLC0415  # optional extra [gym]
        import reasoning_gym.factory  # noqa: PLC0415  # as above
    except ImportError:
        raise MissingExtraError("reasoning-gym", "gym") from None
    module: ModuleType = reasoning_gym
    return module
