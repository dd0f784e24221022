"""epochs: whole real records repeated where real data are short for the cap, as few as let synthetic ones in.

Repeats are rows of the training set, not weights in its manifest: the cap then holds in the file that is trained on,
whatever reads it, and the audit of that file measures what the trainer sees. A weight would be a promise that most
trainers cannot even be told. Each repeat is marked (`core.epochs`).
"""

from dataclasses import fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.epochs import marked
from holdfast.workflows.mixture import Candidates, Numbers, Rules, chosen


class Taken(NamedTuple):
    """Places of the candidates that are taken, one entry for each time, and which time it is, from 1."""

    places: Numbers
    epochs: Numbers


def taken(candidates: Candidates, rules: Rules, epochs: int) -> Taken:
    """Return what `mixture.chosen` takes where each real record may be taken up to `epochs` times.

    Every record is taken once before any is taken again. Repeats are as few as let in the most synthetic records that
    all of them would let in; where a stratum has a cap of its own, strata that lack real records come first.
    """
    once = chosen(candidates, rules)
    again = _again(candidates, rules, candidates.synthetic & ~once, epochs)
    if not len(again):
        return Taken(np.flatnonzero(once), np.ones(np.count_nonzero(once), np.int64))
    every = np.concatenate([np.arange(len(once)), again])
    most = _made(candidates, _take(candidates, rules, every))
    low, high = 0, len(again)
    if most <= _made(candidates, np.flatnonzero(once)):
        high = 0
    while low < high:
        middle = (low + high) // 2
        fewer = _take(candidates, rules, every[: len(once) + middle])
        low, high = (low, middle) if _made(candidates, fewer) >= most else (middle + 1, high)
    places = np.flatnonzero(once) if not high else _take(candidates, rules, every[: len(once) + high])
    return Taken(places, _times(places))


def _again(candidates: Candidates, rules: Rules, left: npt.NDArray[np.bool_], epochs: int) -> Numbers:
    """Return the places of real records in the order in which they are repeated; none where nothing was left out."""
    real = np.flatnonzero(~candidates.synthetic)
    if not left.any() or epochs == 1:
        return np.empty(0, np.int64)
    again = np.tile(real, epochs - 1)
    if rules.stratum_cap >= 1:
        return again
    short = np.unique(candidates.stratum[left])
    return again[np.argsort(~np.isin(candidates.stratum[again], short), kind="stable")]


def _take(candidates: Candidates, rules: Rules, places: Numbers) -> Numbers:
    columns = {each.name: getattr(candidates, each.name)[places] for each in fields(Candidates)}
    return places[chosen(Candidates(**columns), rules)]


def _made(candidates: Candidates, places: Numbers) -> int:
    return int(np.count_nonzero(candidates.synthetic[places]))


def _times(places: Numbers) -> Numbers:
    """Return for each entry how many equal ones stand before it, and one."""
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    times = np.empty(len(places), np.int64)
    times[order] = np.arange(len(places)) - np.repeat(starts, np.diff(np.append(starts, len(places)))) + 1
    return times


def spread(ranks: Numbers, epochs: Numbers, count: int) -> Numbers:
    """Return the order in which to write records of the given ranks below `count`: the times of one far apart.

    Each repeat stands as if its rank were moved on, around the end, by an equal part of all ranks.
    """
    most = int(epochs.max(initial=1))
    places = (ranks + (epochs - 1) * count // most) % max(count, 1)
    return np.lexsort((epochs, places))


def needed(real: int, more: int | None) -> int | None:
    """Return how often real units must be gone through to be worth `more` further ones; None where no number will."""
    if more is None or (more and not real):
        return None
    return 1 + -(-more // real) if more else 1


def told(epochs: Numbers, allowed: int) -> dict[str, int]:
    """Return what the manifest says of repeats: how often was allowed, how often at most, and how many rows."""
    return {"allowed": allowed, "most": int(epochs.max(initial=1)), "repeats": int(np.count_nonzero(epochs > 1))}


def mark(table: pa.Table, first: int, times: Numbers) -> pa.Table:
    """Return a table of `dataset.SCHEMA`, rows from `first` on, with the marks of those that are there again."""
    epochs = times[first : first + table.num_rows]
    checks = table.column("checks").to_pylist()
    names = table.column("id").to_pylist()
    for row in np.flatnonzero(epochs > 1).tolist():
        checks[row], names[row] = marked(checks[row], int(epochs[row])), f"{names[row]}#{epochs[row]}"
    for name, values in (("checks", checks), ("id", names)):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return table
