"""Strata: records parted by the values of columns: the user's own, parts of the provenance, or axes of its cell."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from holdfast.core.dataset import Dataset
from holdfast.core.errors import UsageError, nearest

# Parts of provenance that may name strata, besides the user's own columns.
PARTS = ("generator", "family", "source", "licence", "cell")
NONE = "none"


def strata(data: Dataset, columns: Sequence[str]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return the number of each record's stratum, int32[n], and their names in alphabetical order.

    A name is like "difficulty=hard,topic=rates"; without columns there is one stratum, "none". Raises `UsageError` for
    a column that no record has.
    """
    if not columns:
        return np.zeros(data.rows, np.int32), [NONE]
    codes: dict[tuple[str | None, ...], int] = {}
    rows = zip(*(values(data, name) for name in columns), strict=True)
    numbers = np.fromiter((codes.setdefault(row, len(codes)) for row in rows), np.int32)
    named = [",".join(f"{name}={value or NONE}" for name, value in zip(columns, row, strict=True)) for row in codes]
    labels = sorted(set(named)) or [NONE]
    places = {label: place for place, label in enumerate(labels)}
    return np.asarray([places[name] for name in named] or [0], np.int32)[numbers], labels


def values(data: Dataset, name: str) -> Iterator[str | None]:
    """Yield the value of a column, a part of the provenance or an axis of the cell, for each record; None without.

    An axis that is not a column, too, parts what was generated for it; real records are then in its stratum "none".
    """
    if name in PARTS:
        for table in data.tables((name,)):
            yield from table.column(name).to_pylist()
        return
    seen: dict[str, None] = {}
    for table in data.tables(("fields", "cell")):
        for text, cell in zip(*(table.column(each).to_pylist() for each in ("fields", "cell")), strict=True):
            row = _cell(cell) | orjson.loads(text)
            seen |= dict.fromkeys(row)
            value = row.get(name)
            yield None if value is None else str(value)
    if seen and name not in seen:
        raise UsageError(f"There is no column {name!r}.", nearest(name, seen | dict.fromkeys(PARTS)))


def _cell(text: str | None) -> dict[str, Any]:
    found = orjson.loads(text) if text else None
    return found if isinstance(found, dict) else {}
