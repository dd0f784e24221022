"""Reading `Measurement.detail` in its JSON form: typed values, or nothing where they are absent or of another shape.

Details are open data that plug-ins may fill as they like, so nothing here raises.
"""

from collections.abc import Mapping
from math import isfinite, log10
from typing import Any

Measurements = Mapping[str, Mapping[str, Any]]
Point = tuple[float, float]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return `value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def of(measurements: Measurements, slug: str) -> Mapping[str, Any]:
    """Return the detail of one measurement, empty where there is none."""
    return mapping(measurements.get(slug, {}).get("detail"))


def number(value: Any) -> float | None:
    """Return a finite number as float, else None; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return None
    return float(value)


def floats(value: Any) -> list[float]:
    """Return a list of finite numbers, or an empty list when any entry is not one."""
    items = [number(item) for item in value] if isinstance(value, (list, tuple)) else []
    return [item for item in items if item is not None] if None not in items else []


def pair(value: Any) -> Point | None:
    """Return two finite numbers, the lower first, or None."""
    items = floats(value)
    return (min(items), max(items)) if len(items) == 2 else None


def points(value: Any) -> list[Point]:
    """Return [[x, y], ...] sorted by x, leaving out entries that are not two numbers."""
    rows = [floats(item) for item in value] if isinstance(value, (list, tuple)) else []
    return sorted((row[0], row[1]) for row in rows if len(row) == 2)


def log_points(value: Any) -> list[Point]:
    """Return points with both coordinates above zero as their decimal logarithms, sorted by x."""
    return [(log10(x), log10(y)) for x, y in points(value) if x > 0 and y > 0]


def amounts(value: Any) -> dict[str, float]:
    """Return the non-negative numbers of a mapping by name."""
    read = {str(name): number(amount) for name, amount in mapping(value).items()}
    return {name: amount for name, amount in read.items() if amount is not None and amount >= 0}


def items(value: Any) -> list[Any]:
    """Return a list as it is, an empty one for anything else."""
    return list(value) if isinstance(value, (list, tuple)) else []


def places(value: Any) -> list[Point]:
    """Return [[x, y], ...] in their order, leaving out entries that are not two numbers."""
    rows = [floats(item) for item in items(value)]
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def words(value: Any) -> tuple[str, ...]:
    """Return a text, or the texts of a list, as a tuple."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(item for item in items if isinstance(item, str))
