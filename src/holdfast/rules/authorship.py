"""Authorship: the texts that a share is estimated from. Shared by the rules that ask the text and by `estimate`.

What is looked at is the response: a prompt is most often a person's, whoever answered it. Texts that came about
together are one unit: near-duplicates, answers to one prompt, and what a column says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset
from holdfast.core.text import words
from holdfast.dedup.clusters import connected
from holdfast.dedup.near import find_near
from holdfast.metrics.synthetic_share import CONFIDENCE, Share, Texts, gauge

Rows = npt.NDArray[np.int64]

# Records drawn of each part by an audit: enough for an interval of a few points, seconds of work.
MOST = 1_000
# A share that is to contradict a label must be told from what real text is taken for, and be more than a trifle.
LEAST_SHARE = 0.1
COLUMNS = ("id", "prompt", "response", "generator", "parents")
# Texts that begin with so many equal words were prompted with them, or are of one template.
OPENING = 12
PREFIX = 40 * OPENING


class Part(NamedTuple):
    """Some records; `together` has a value for each, equal where they came about together, None where it is silent."""

    data: Dataset
    rows: Rows
    together: Sequence[object] | None = None


@dataclass(frozen=True, slots=True)
class Authors:
    """What the texts say of parts of a set, by name; `why` is said where no part could be asked at all."""

    shares: Mapping[str, Share] = field(default_factory=dict)
    floor: float = 1.0
    error: float = 1.0
    why: str | None = None

    def contradicts(self, name: str) -> Share | None:
        """Return the share of a part where it is surely above what is said of held-out real text, else None."""
        share = self.shares.get(name)
        if share is None or share.value is None or share.low <= max(LEAST_SHARE, self.floor):
            return None
        return share

    def told(self, name: str) -> dict[str, Any]:
        """Return an estimate as detail of a measurement: value, interval, floor, or why there is none."""
        share = self.shares.get(name)
        if share is None:
            return {"why": self.why}
        shown = {"value": share.value, "low": share.low, "high": share.high, "n": share.n, "why": share.why}
        return {**shown, "confidence": CONFIDENCE, "floor": self.floor, "self_validation_error": self.error}


def of_set(
    data: Dataset, rows: Mapping[str, Rows], real: Dataset | None, held_out: Dataset | None, seed: int
) -> Authors:
    """Return the shares of `unknown` and `real` of `rows` and of `held-out`; `synthetic` of them is the reference."""
    asked = {name: Part(data, rows[name]) for name in ("unknown", "real")}
    if held_out is not None:
        asked["held-out"] = Part(held_out, np.arange(held_out.rows))
    anchor = None
    if real is not None:
        anchor = Part(real, np.flatnonzero(np.asarray(real.column("origin").to_pylist(), dtype=object) == "real"))
    return ask(anchor, Part(data, rows["synthetic"]), asked, seed)


def ask(real: Part | None, synthetic: Part, asked: Mapping[str, Part], seed: int) -> Authors:
    """Return the synthetic share of each part in `asked` that has records; references are drawn, as the parts are."""
    if real is None:
        return Authors(why="there is no real reference")
    names = [name for name, part in asked.items() if len(part.rows)]
    parts = [
        Part(part.data, responding(part.data, part.rows, MOST, seed))
        for part in (real, synthetic, *(asked[name] for name in names))
    ]
    if not len(parts[1].rows):
        return Authors(why="no record is labelled synthetic")
    known, made, *rest = texts_of(*parts)
    held = gauge(known, made, MOST, seed)
    shares = {name: held.measure(texts) for name, texts in zip(names, rest, strict=True)}
    if held.why is not None:
        return Authors(why=held.why)
    return Authors(shares, held.validation[0].high, held.error)


def texts_of(*parts: Part) -> list[Texts]:
    """Return the responses of each part, in order, with the number of who made each and of their unit.

    Units are numbered over all parts: a real text and what a model made of it are of one, or what the one teaches
    would be held against the other.
    """
    tables = [part.data.take(part.rows, COLUMNS) for part in parts]
    units = _units(pa.concat_tables(tables), [value for part in parts for value in _together(part)])
    cuts = np.cumsum([table.num_rows for table in tables])[:-1]
    return [
        Texts(table.column("response").to_pylist(), own, _makers(table))
        for table, own in zip(tables, np.split(units, cuts), strict=True)
    ]


def _makers(table: pa.Table) -> Rows:
    coded = table.column("generator").combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(coded.indices.to_numpy(), np.int64)


def _together(part: Part) -> Sequence[object]:
    return [None] * len(part.rows) if part.together is None else part.together


def _units(table: pa.Table, together: Sequence[object]) -> Rows:
    """Return a number per row, equal for what came about together in any of the ways there are."""
    rows = table.num_rows
    plain = table.set_column(table.schema.get_field_index("prompt"), "prompt", pa.array([""] * rows, pa.string()))
    right = [np.asarray(find_near([plain]).clusters().representative, np.int64)]
    openings = [_opening(text) for text in table.column("response").to_pylist()]
    parents = [known[0] if known else name for known, name in zip(*_columns(table, "parents", "id"), strict=True)]
    for names in (table.column("prompt").to_pylist(), openings, parents, together):
        first: dict[object, int] = {}
        met = [row if name in (None, "") else first.setdefault(name, row) for row, name in enumerate(names)]
        right.append(np.asarray(met, np.int64))
    found = np.asarray(connected(rows, np.tile(np.arange(rows), len(right)), np.concatenate(right)))
    numbers: Rows = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return numbers


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table.column(name).to_pylist() for name in names]


def _opening(text: str) -> str | None:
    found = words(text[:PREFIX])[:OPENING]
    return " ".join(found) if len(found) == OPENING else None


def responding(data: Dataset, rows: Rows, most: int, seed: int) -> Rows:
    """Return at most `most` of `rows`, those with a response, drawn by seed, in order."""
    held = np.concatenate(
        [
            np.asarray([bool(text.strip()) for text in table.column(0).to_pylist()])
            for table in data.tables(("response",))
        ]
        or [np.empty(0, np.bool_)]
    )
    kept = rows[held[rows]]
    if len(kept) <= most:
        return np.asarray(kept, np.int64)
    return np.asarray(np.sort(np.random.default_rng(seed).permutation(kept)[:most]), np.int64)
