"""Word problems with worked steps, made from seeds alone: a generator that needs no extra, key or network.

A problem is a small chain of computed steps with a wording (`generators.problem`). Numbers are drawn until every
step comes out as a person would set it; the steps are then computed with exact fractions and written with
`<<3*4=12>>` annotations and a final `#### 12` line, the form of GSM8K (Cobbe et al. 2021, arXiv:2110.14168).
Item k depends on (task, seed, cell, k) alone, never on how many items were asked for before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from itertools import count
from random import Random
from typing import Any

from holdfast.core.errors import UsageError, nearest
from holdfast.core.record import Provenance, Record
from holdfast.generators.problem import ASIDES, THINGS, Problem
from holdfast.generators.problems_money import PERCENTAGES, SHOPPING
from holdfast.generators.problems_things import MEASURES, SHARING
from holdfast.generators.problems_work import RATES, SCHEDULES
from holdfast.generators.wording import Person, choose, sentence

FAMILY = "arithmetic"
VERSION = "1"
PROBLEMS: Mapping[str, tuple[Problem, ...]] = {
    "measures": MEASURES,
    "percentages": PERCENTAGES,
    "rates": RATES,
    "schedules": SCHEDULES,
    "sharing": SHARING,
    "shopping": SHOPPING,
}
TASKS = tuple(PROBLEMS)
DIFFICULTIES = ("easy", "hard")
# How often a problem is told with a fact beside the point.
_ASIDE = 0.5
# A problem whose ranges give no whole steps in this many draws is a mistake in its ranges.
_MOST_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class _Solved:
    """Numbers drawn for a problem and the value of each step, under their names."""

    values: Mapping[str, Fraction]
    steps: tuple[tuple[str, str], ...]


def stream(task: str, seed: int, cell: Mapping[str, Any], start: int = 0) -> Iterator[Record]:
    """Yield problems of one task without end, from item `start`; nothing when the task cannot serve the cell."""
    if task not in PROBLEMS:
        raise UsageError(f"arithmetic has no task {task!r}.", nearest(task, TASKS))
    if serves(task, cell):
        for index in count(start):
            yield item(task, seed, cell, index)


def serves(task: str, cell: Mapping[str, Any]) -> bool:
    """True when the task can aim at the cell: its topic is the task, its difficulty easy or hard, nothing else."""
    if set(cell) - {"topic", "difficulty"}:
        return False
    return cell.get("topic", task) == task and cell.get("difficulty", "easy") in DIFFICULTIES


def item(task: str, seed: int, cell: Mapping[str, Any], index: int) -> Record:
    """Return item `index`: question, worked answer, gold answer in `fields`, and full provenance."""
    difficulty = cell.get("difficulty")
    random = Random(_seed_of(task, seed, difficulty or "", index))
    difficulty = difficulty or random.choice(DIFFICULTIES)
    problem = random.choice([problem for problem in PROBLEMS[task] if problem.difficulty == difficulty])
    solved = _solve(problem, random)
    question, answer, gold = _write(problem, solved, random)
    place = "-".join(str(part) for part in (task, cell.get("difficulty"), seed, f"{index:06d}") if part is not None)
    provenance = Provenance(
        origin="synthetic",
        generator=f"{FAMILY}/{task}@{VERSION}",
        family=FAMILY,
        depth=1,
        seed=seed,
        cell={"topic": task, "difficulty": difficulty},
    )
    return Record(place, question, answer, provenance, fields={"gold": gold})


def _seed_of(task: str, seed: int, difficulty: str, index: int) -> int:
    key = f"{FAMILY}/{task}@{VERSION}/{seed}/{difficulty}/{index}"
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def _solve(problem: Problem, random: Random) -> _Solved:
    """Draw numbers until every step is positive, printable and, where it counts things, whole."""
    for _ in range(_MOST_DRAWS):
        values = {name: Fraction(random.choice(choices)) for name, choices in problem.numbers.items()}
        for name, expression in problem.given.items():
            values[name], _written = compute(expression, values)
        if all(values[name] > 0 for name in problem.given) and (steps := _steps(problem, values)):
            return _Solved(values, tuple(steps))
    raise AssertionError(f"problem {problem.name} has no whole solution within its ranges")


def _steps(problem: Problem, values: dict[str, Fraction]) -> list[tuple[str, str]]:
    """Compute the steps into `values`; return their names and written forms, nothing when one does not fit."""
    steps = []
    for step in problem.steps:
        value, written = compute(step.expression, values)
        if not _fits(value, step.whole):
            return []
        values[step.name] = value
        steps.append((step.name, written))
    return steps


def _fits(value: Fraction, whole: bool) -> bool:
    return value > 0 and (value.denominator == 1 if whole else (value * 100).denominator == 1)


def compute(expression: str, values: Mapping[str, Fraction]) -> tuple[Fraction, str]:
    """Compute 'a * b + 3' strictly from left to right; return the value and the expression in numbers.

    Problems never mix ranks in one step, so that left to right is what the written expression means.
    """
    first, *rest = expression.split()
    total = _operand(first, values)
    written = number(total)
    for operator, name in zip(rest[::2], rest[1::2], strict=True):
        operand = _operand(name, values)
        written += f"{operator}{number(operand)}"
        if operator == "/":
            total /= operand
        else:
            total = {"+": total + operand, "-": total - operand, "*": total * operand}[operator]
    return total, written


def _operand(name: str, values: Mapping[str, Fraction]) -> Fraction:
    return values[name] if name in values else Fraction(name)


def number(value: Fraction) -> str:
    """Write a number as people do: 12, 0.5, 2.25."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.4f}".rstrip("0").rstrip(".")


def _write(problem: Problem, solved: _Solved, random: Random) -> tuple[str, str, str]:
    person = Person.draw(random)
    words = {name: choose(random, random.choice(THINGS[pool])) for name, pool in problem.things.items()}
    slots = {**words, **{name: number(value) for name, value in solved.values.items()}}
    facts = list(problem.facts)
    if not problem.ordered:
        random.shuffle(facts)
    parts = [random.choice(problem.openings), *facts]
    if random.random() < _ASIDE:
        parts.insert(random.randrange(1, len(parts)), random.choice(ASIDES))
    parts.append(problem.question)
    question = " ".join(sentence(random, part, slots, person) for part in parts if part)
    lines = []
    for step, (name, written) in zip(problem.steps, solved.steps, strict=True):
        spaced = written.replace("+", " + ").replace("-", " - ").replace("*", random.choice((" * ", " x ")))
        calc = f"{spaced} = <<{written}={slots[name]}>>{slots[name]}"
        paid = f"{spaced} = $<<{written}={slots[name]}>>{slots[name]}"
        lines.append(sentence(random, step.wording, {**slots, "calc": calc, "paid": paid}, person))
    gold = slots[problem.steps[-1].name]
    return question, "\n".join([*lines, f"#### {gold}"]), gold
