"""Cells: the grid of what is wanted, with a quota of accepted records for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import inf

from holdfast.core.errors import UsageError, nearest
from holdfast.core.settings import Cells


@dataclass(frozen=True, slots=True)
class Quota:
    """One cell and how many accepted records it is to have. `name` is like 'difficulty=hard,topic=rates'."""

    name: str
    cell: Mapping[str, str]
    wanted: int


def quotas(cells: Cells, more: int = 0) -> tuple[Quota, ...]:
    """Return all cells of the grid in its order; without a grid one cell 'all'. `more` records are dealt out evenly.

    A weight such as {"difficulty=hard": 2} multiplies the quota of every cell that matches all its parts.
    """
    if empty := next((axis for axis, values in cells.grid.items() if not values), None):
        raise UsageError(f"cells.grid: {empty!r} has no values.", "Give it at least one, or leave it out.")
    weights = [(_parts(key, cells), weight) for key, weight in cells.weights.items()]
    if wrong := next((key for key, weight in cells.weights.items() if not 0 <= weight < inf), None):
        raise UsageError(f"cells.weights: {wrong!r} has the weight {cells.weights[wrong]}.", "Give 0 or more.")
    grid = [dict(zip(cells.grid, values, strict=True)) for values in product(*cells.grid.values())]
    found = []
    for number, cell in enumerate(grid):
        wanted = float(cells.quota)
        for parts, weight in weights:
            if parts.items() <= cell.items():
                wanted *= weight
        extra = more // len(grid) + (number < more % len(grid))
        found.append(Quota(cell_name(cell), cell, round(wanted) + extra))
    return tuple(found)


def cell_name(cell: Mapping[str, str]) -> str:
    """Return the name of a cell, its parts in alphabetical order."""
    return ",".join(f"{key}={value}" for key, value in sorted(cell.items())) or "all"


def _parts(key: str, cells: Cells) -> dict[str, str]:
    """Read 'difficulty=hard,topic=rates' and check that the grid has it."""
    parts: dict[str, str] = {}
    for part in key.split(","):
        name, _, value = (text.strip() for text in part.partition("="))
        if value not in cells.grid.get(name, ()):
            known = [f"{axis}={value}" for axis, values in cells.grid.items() for value in values]
            raise UsageError(f"cells.weights: {part!r} is not in the grid.", nearest(part, known))
        parts[name] = value
    return parts
