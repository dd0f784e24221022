"""Triggers: the search of `privacy.poison` over all shards of a set. The fact behind the rule poison-trigger."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from holdfast.core.engine import Stage, map_shards
from holdfast.privacy.poison import (
    CERTAIN,
    EXPLAINED,
    LEAST,
    LOOKED_AT,
    Context,
    Trigger,
    context,
    counted,
    hashed,
    repeated,
    signatures,
    suspects,
)
from holdfast.rules.view import TEXT, View

Rows = npt.NDArray[np.int64]
Phrase = tuple[str, ...]


def triggers(view: View) -> list[Trigger]:
    """Return the planted triggers, each once, those of most records first."""
    stage = Stage("signing", view.spool, signatures, {}, TEXT, True)
    signed = list(map_shards(stage, view.data.shards, view.runner, None))
    groups: list[tuple[Rows, bool, list[Phrase]]] = []
    for ends, name in enumerate(("begins", "ends")):
        column = np.concatenate([table.column(name).to_numpy() for table in signed] or [np.empty(0, np.uint64)])
        for rows in repeated(column, view.n):
            found = suspects(_contexts(view, _some(rows), ends=bool(ends)))
            if found:
                groups.append((rows, bool(ends), found))
    everywhere = _everywhere(view, {phrase for _, _, phrases in groups for phrase in phrases})
    return _once([each for rows, ends, phrases in groups for each in _planted(view, rows, ends, phrases, everywhere)])


def _some(rows: Rows) -> Rows:
    """Return rows spread evenly over a group: its first ones may be of one source."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(np.int64)]


def _contexts(view: View, rows: Rows, *, ends: bool) -> list[Context]:
    table = view.data.take(rows, TEXT)
    pairs = zip(*(table.column(name).to_pylist() for name in TEXT), strict=True)
    return [context(prompt, response, ends=ends) for prompt, response in pairs]


def _everywhere(view: View, phrases: set[Phrase]) -> dict[tuple[int, int], int]:
    """Return in how many records of the set each phrase stands."""
    by_size: dict[int, list[int]] = defaultdict(list)
    for size, value in sorted({hashed(phrase) for phrase in phrases}):
        by_size[size].append(value)
    total: dict[tuple[int, int], int] = defaultdict(int)
    if by_size:
        stage = Stage("counting triggers", view.spool, counted, {"phrases": dict(by_size)}, TEXT)
        for table in map_shards(stage, view.data.shards, view.runner, None):
            for row in table.to_pylist():
                total[row["size"], row["hash"]] += row["count"]
    return total


def _planted(
    view: View, rows: Rows, ends: bool, phrases: list[Phrase], everywhere: dict[tuple[int, int], int]
) -> list[Trigger]:
    """Return the longest phrase that calls up the answer of a group, and of which the answer is the most."""
    for phrase in phrases:
        count = everywhere[hashed(phrase)]
        if not max(LEAST, EXPLAINED * len(rows)) <= count <= len(rows) / CERTAIN:
            continue
        contexts = _contexts(view, rows, ends=ends)
        both = rows[[_holds(each.before, phrase) for each in contexts]]
        if len(both) >= max(LEAST, CERTAIN * count, EXPLAINED * len(rows)):
            return [Trigger(phrase, " ".join(contexts[0].answer), both, count)]
    return []


def _holds(before: list[str], phrase: Phrase) -> bool:
    size = len(phrase)
    return any(tuple(before[at : at + size]) == phrase for at in range(len(before) - size + 1))


def _once(found: list[Trigger]) -> list[Trigger]:
    """Return each trigger once: one whose records are mostly those of a larger one is the same."""
    kept: list[Trigger] = []
    for each in sorted(found, key=lambda one: (-len(one.records), one.words)):
        if not any(len(np.intersect1d(each.records, other.records)) > len(each.records) / 2 for other in kept):
            kept.append(each)
    return kept
