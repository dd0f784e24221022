"""Small tables and questions that one number answers, with the numbers that it is computed from."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from holdfast.generators.tables_item import GOODS, NAMES, TOWNS, Item
from holdfast.generators.wording import choose


class _Kind(NamedTuple):
    """What a table is about: its rows, their groups, and two columns of numbers."""

    row: str
    rows: tuple[str, ...]
    group: str
    groups: tuple[str, ...]
    columns: tuple[tuple[str, int, int], ...]


class _Table(NamedTuple):
    """A drawn table: `rows` are (name, group, numbers)."""

    kind: _Kind
    rows: list[tuple[str, str, tuple[int, ...]]]


_Asked = tuple[str, str, int]
_STOCK = (("Stock", 0, 400), ("Sold", 0, 250), ("Price", 2, 90))
_GAMES = (("Points", 0, 120), ("Games", 1, 40), ("Fouls", 0, 30))
_TRAVEL = (("Visitors", 20, 9000), ("Hotels", 1, 80), ("Trains", 1, 60))
_SCHOOL = (("Pupils", 5, 160), ("Lessons", 2, 30), ("Tests", 0, 25))
_KINDS = (
    _Kind("Article", GOODS, "Shelf", ("north", "south", "cellar"), _STOCK),
    _Kind("Member", NAMES, "Team", ("red", "blue", "green"), _GAMES),
    _Kind("Town", TOWNS, "Region", ("coast", "hills", "plain"), _TRAVEL),
    _Kind("Teacher", NAMES, "Subject", ("music", "art", "history"), _SCHOOL),
)


def make(random: Random, hard: bool) -> Item:
    """Return a table of four to nine rows with a question over one group or condition, or over whole columns."""
    kind = random.choice(_KINDS)
    size = random.randint(6, 9) if hard else random.randint(4, 6)
    rows = [
        (name, random.choice(kind.groups), tuple(random.randint(low, high) for _, low, high in kind.columns))
        for name in random.sample(kind.rows, size)
    ]
    table = _Table(kind, rows)
    question, worked, gold = random.choice(_HARD if hard else _EASY)(random, table)
    intro = choose(random, "[Look at the table.|Here is a table.|The table below is complete.|Use this table.]")
    closing = choose(random, "[|Answer with a number.|One number answers it.|Give the number.]")
    prompt = f"{intro}\n\n{_written(table)}\n\n{question} {closing}".rstrip()
    return Item(prompt, f"{worked}\n#### {gold}", {"gold": str(gold)})


def _written(table: _Table) -> str:
    heads = [table.kind.row, table.kind.group, *(name for name, _, _ in table.kind.columns)]
    lines = [heads, ["---"] * len(heads)]
    lines += [[name, group, *map(str, numbers)] for name, group, numbers in table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _column(random: Random, table: _Table) -> tuple[int, str]:
    place = random.randrange(len(table.kind.columns))
    return place, table.kind.columns[place][0]


def _sum(numbers: Sequence[int]) -> str:
    """Return 'a + b = c', or the number alone."""
    return f"{' + '.join(map(str, numbers))} = {sum(numbers)}" if len(numbers) > 1 else f"{sum(numbers)}"


def _total(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    numbers = [row[2][place] for row in table.rows]
    ask = f"[What is the total of|What do all rows add up to in|How much is the sum over] the column {name}?"
    return choose(random, ask), _sum(numbers), sum(numbers)


def _cell(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    row = random.choice(table.rows)
    ask = f"[What is|Which number is given as|How much is] {name} for {row[0]}?"
    return choose(random, ask), f"The row of {row[0]} has {row[2][place]} under {name}.", row[2][place]


def _range(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    numbers = [row[2][place] for row in table.rows]
    ask = f"[By how much do the largest and the smallest number differ in|How far apart are the extremes of] {name}?"
    gap = max(numbers) - min(numbers)
    return choose(random, ask), f"{max(numbers)} - {min(numbers)} = {gap}", gap


def _count_over(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    limit = random.choice(table.rows)[2][place]
    found = [row[0] for row in table.rows if row[2][place] >= limit]
    ask = f"[How many rows have {name} of at least {limit}?|Count the rows with {name} of at least {limit}.]"
    return choose(random, ask), f"These have it: {'; '.join(found)}.", len(found)


def _group_total(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    group = random.choice(table.rows)[1]
    numbers = [row[2][place] for row in table.rows if row[1] == group]
    where = f"rows whose {table.kind.group} is {group}"
    ask = f"[What is the total of {name} over the {where}?|Add up {name} for the {where}.]"
    return choose(random, ask), _sum(numbers), sum(numbers)


def _between_groups(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    one, other = random.sample(table.kind.groups, 2)
    sums = {group: [row[2][place] for row in table.rows if row[1] == group] for group in (one, other)}
    low, high = sorted((one, other), key=lambda group: sum(sums[group]))
    gap = sum(sums[high]) - sum(sums[low])
    ask = f"[By how much do the totals of {name} differ between|How far apart in total {name} are] {one} and {other}?"
    worked = f"{high}: {_sum(sums[high])}\n{low}: {_sum(sums[low])}\n{sum(sums[high])} - {sum(sums[low])} = {gap}"
    return choose(random, ask), worked, gap


def _products(random: Random, table: _Table) -> _Asked:
    (one, first), (other, second) = ((place, table.kind.columns[place][0]) for place in random.sample(range(3), 2))
    rows = random.sample(table.rows, 3)
    products = [row[2][one] * row[2][other] for row in rows]
    names = f"{rows[0][0]}, {rows[1][0]} and {rows[2][0]}"
    ask = f"Multiply {first} by {second} for each of {names}. [What is the sum?|What do the three add up to?]"
    lines = [f"{row[2][one]} * {row[2][other]} = {each}" for row, each in zip(rows, products, strict=True)]
    return choose(random, ask), "\n".join([*lines, _sum(products)]), sum(products)


def _largest_in_group(random: Random, table: _Table) -> _Asked:
    place, name = _column(random, table)
    aim = next(each for each in range(len(table.kind.columns)) if each != place)
    group = random.choice(table.rows)[1]
    rows = [row for row in table.rows if row[1] == group]
    best = max(row[2][place] for row in rows)
    found = [row for row in rows if row[2][place] == best]
    target = table.kind.columns[aim][0]
    ask = (
        f"Of the rows whose {table.kind.group} is {group}, take the one with the largest {name} (the first of several)."
        f" [What is its {target}?|How much is its {target}?]"
    )
    return choose(random, ask), f"It is {found[0][0]}, with {name} {best}.", found[0][2][aim]


_EASY: tuple[Callable[[Random, _Table], _Asked], ...] = (_total, _cell, _range, _count_over)
_HARD: tuple[Callable[[Random, _Table], _Asked], ...] = (_group_total, _between_groups, _products, _largest_in_group)
