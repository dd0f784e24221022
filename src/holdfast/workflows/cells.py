"""Cells: what is wanted, from a grid, a taxonomy or a list, with a quota of accepted records for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

from holdfast.core.errors import UsageError, nearest
from holdfast.core.settings import Cells
from holdfast.core.yamlfile import parse

# The axis that the leaves of a taxonomy file are on.
TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Quota:
    """One cell and how many accepted records it is to have. `name` is like 'difficulty=hard,topic=rates'."""

    name: str
    cell: Mapping[str, str]
    wanted: int


def quotas(cells: Cells, more: int = 0, folder: Path = Path()) -> tuple[Quota, ...]:
    """Return the cells of grid and taxonomy in their order, then those of the list; one cell 'all' without any.

    A weight such as {"difficulty=hard": 2} multiplies the quota of every cell that matches all its parts. `more`
    records are dealt out evenly. `folder` is where the path of the taxonomy begins.
    """
    if empty := next((axis for axis, values in cells.grid.items() if not values), None):
        raise UsageError(f"cells.grid: {empty!r} has no values.", "Give it at least one, or leave it out.")
    if wrong := next((key for key, weight in cells.weights.items() if not 0 <= weight < inf), None):
        raise UsageError(f"cells.weights: {wrong!r} has the weight {cells.weights[wrong]}.", "Give 0 or more.")
    all_cells = _all(cells, folder)
    weights = [(_parts(key, all_cells), weight) for key, weight in cells.weights.items()]
    found = []
    for number, cell in enumerate(all_cells):
        wanted = float(cells.quota)
        for parts, weight in weights:
            if parts.items() <= cell.items():
                wanted *= weight
        extra = more // len(all_cells) + (number < more % len(all_cells))
        found.append(Quota(cell_name(cell), cell, round(wanted) + extra))
    return tuple(found)


def _all(cells: Cells, folder: Path) -> list[dict[str, str]]:
    axes: dict[str, tuple[str, ...]] = dict(cells.grid)
    if cells.taxonomy is not None:
        if TOPIC in axes:
            raise UsageError(f"cells: {TOPIC!r} is in the grid and in the taxonomy.", "Rename it in the grid.")
        axes = {TOPIC: tuple(_leaves(folder / cells.taxonomy)), **axes}
    found = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    found += [dict(cell) for cell in cells.list]
    names = [cell_name(cell) for cell in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"cells: {twice!r} is there twice.", "Take it out of cells.list.")
    return found or [{}]


def _leaves(path: Path) -> Iterator[str]:
    """Yield the leaves of a taxonomy file (YAML: mappings and lists of names), each with its path: 'science/optics'."""
    _, values = parse(path)
    waiting: list[tuple[str, Any]] = [("", values)]
    while waiting:
        place, node = waiting.pop(0)
        if isinstance(node, Mapping) and node:
            waiting[:0] = [(f"{place}/{key}".strip("/"), value) for key, value in node.items()]
        elif isinstance(node, Sequence) and not isinstance(node, str) and node:
            waiting[:0] = [(place, value) for value in node]
        else:
            yield place if node in (None, "", [], {}) else f"{place}/{node}".strip("/")


def cell_name(cell: Mapping[str, str]) -> str:
    """Return the name of a cell, its parts in alphabetical order."""
    return ",".join(f"{key}={value}" for key, value in sorted(cell.items())) or "all"


def _parts(key: str, cells: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Read 'difficulty=hard,topic=rates' and check that there are such cells."""
    known = list(dict.fromkeys(f"{axis}={value}" for cell in cells for axis, value in cell.items()))
    parts: dict[str, str] = {}
    for part in key.split(","):
        name, _, value = (text.strip() for text in part.partition("="))
        if f"{name}={value}" not in known:
            raise UsageError(f"cells.weights: {part!r} is not in the grid.", nearest(part, known))
        parts[name] = value
    return parts
