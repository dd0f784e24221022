"""Pictures: what the pictures of a report are drawn from, worked out of a view of the set, small enough for a report.

Every part is capped, and each cap is said in the part as `left_out`. Nothing here judges: rules do. The parts, all
optional: `strata`, `tail`, `map`, `clusters`, `checks`, `lineage`; a build adds `funnel` and `bills`
(`workflows.run_pictures`), a comparison `compared` (`workflows.compare`).
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pyarrow.compute as pc

from holdfast.core.record import ORIGINS
from holdfast.rules.view import View, texts_at
from holdfast.workflows.beside_real import Sides, sides, spread, tail

# A heat map of more rows or columns is a carpet; a reader opens a dozen clusters at most.
GENERATORS, STRATA, CLUSTERS, MEMBERS = 12, 12, 12, 5
# Of a near-duplicate so many characters are shown and compared.
SHOWN = 600
NOT_NAMED, NO_STRATUM = "not named", "none"


def pictures(view: View) -> dict[str, Any]:
    """Return the parts there are data for, as plain values; an empty mapping for an empty set."""
    if view.n == 0:
        return {}
    parts: dict[str, Callable[[View], dict[str, Any]]] = {
        "strata": strata,
        "clusters": clusters,
        "checks": checks,
        "lineage": lineage,
    }
    found = {name: part(view) for name, part in parts.items()}
    both = sides(view)
    found |= {"tail": tail(both), "map": spread(both)} if isinstance(both, Sides) else {}
    return {name: part for name, part in found.items() if part}


def strata(view: View) -> dict[str, Any]:
    """Return how many synthetic records each generator has in each stratum: cell, else source, else kind of task."""
    rows = view.synthetic
    if not len(rows):
        return {}
    name, labels = _stratum(view, rows)
    makers = [maker or NOT_NAMED for maker in _taken(view, "generator", rows)]
    counted = Counter(zip(makers, labels, strict=True))
    top, columns = (_most(values, cap) for values, cap in ((makers, GENERATORS), (labels, STRATA)))
    if len(columns) < 2:
        return {}
    return {
        "by": name,
        "columns": columns,
        "rows": {maker: [counted[maker, column] for column in columns] for maker in top},
        "left_out": {"generators": len(set(makers)) - len(top), f"{name}s": len(set(labels)) - len(columns)},
    }


def clusters(view: View) -> dict[str, Any]:
    """Return the largest groups of near-duplicates: who is kept, and the first of those it is kept for, with texts."""
    if not view.words.any():
        return {}
    keepers = view.near.keepers()
    gone = np.flatnonzero(keepers.keeper != np.arange(view.n))
    sizes = Counter(keepers.keeper[gone].tolist())
    largest = sizes.most_common(CLUSTERS)
    shown = [
        {
            "records": size + 1,
            "kept": _person(view, keeper),
            "others": [
                {**_person(view, row), "similarity": round(float(keepers.similarity[row]), 3)}
                for row in gone[keepers.keeper[gone] == keeper][:MEMBERS].tolist()
            ],
        }
        for keeper, size in largest
    ]
    return {"groups": len(sizes), "shown": shown, "characters": SHOWN} if shown else {}


def checks(view: View) -> dict[str, Any]:
    """Return for each check written in the records how many it accepts, refuses and leaves undecided."""
    told: dict[str, Counter[str]] = {}
    coded = view.data.column("checks").combine_chunks().dictionary_encode()
    counts = np.bincount(coded.indices.drop_null().to_numpy(), minlength=len(coded.dictionary)).tolist()
    for text, records in zip(coded.dictionary.to_pylist(), counts, strict=True):
        for name, ok in orjson.loads(text).items():
            told.setdefault(name, Counter())[_word(ok)] += records
    return {name: dict(counted) for name, counted in sorted(told.items())}


def lineage(view: View) -> dict[str, Any]:
    """Return who wrote how many records, from which sources, and who is to be trained on them."""
    made = [
        {"name": name or NOT_NAMED, "family": family, "records": records}
        for (name, family), records in view.makers.most_common(GENERATORS)
    ]
    sources = Counter(source or "real data" for source in _taken(view, "source", view.labelled_real))
    student = view.settings.student
    return {
        "sources": [{"name": name, "records": records} for name, records in sources.most_common(GENERATORS)],
        "generators": made,
        "unknown": len(view.unknown),
        "records": view.n,
        "student": None if student is None else {"name": student.name, "previous": list(student.previous)},
        "left_out": {
            "generators": max(0, len(view.makers) - GENERATORS),
            "sources": max(0, len(sources) - GENERATORS),
        },
    }


def _stratum(view: View, rows: np.ndarray) -> tuple[str, list[str]]:
    for name in ("cell", "source"):
        values = _taken(view, name, rows)
        if any(values):
            return name, [_label(value) if name == "cell" else value or NO_STRATUM for value in values]
    return "domain", [str(value) for value in view.domain[rows]]


def _label(cell: str | None) -> str:
    values = orjson.loads(cell) if cell else None
    return ", ".join(str(value) for value in values.values()) if isinstance(values, dict) else NO_STRATUM


def _most(values: list[str], cap: int) -> list[str]:
    return [name for name, _ in Counter(values).most_common(cap)]


def _taken(view: View, column: str, rows: np.ndarray) -> list[Any]:
    values: list[Any] = pc.take(view.data.column(column).combine_chunks(), rows).to_pylist()
    return values


def _person(view: View, row: int) -> dict[str, Any]:
    """One record as the cluster browser shows it."""
    [text] = texts_at(view.data, np.asarray([row])).to_pylist()
    [named] = view.data.take([row], ("id", "generator")).to_pylist()
    origin = ORIGINS[int(view.origin[row])]
    return {"id": named["id"], "text": text[:SHOWN], "origin": origin, "generator": named["generator"]}


def _word(ok: bool | None) -> str:
    return "undecided" if ok is None else "accepted" if ok else "refused"
