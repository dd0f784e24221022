"""Novelty: does a record test something that the kept set does not cover yet? A score per record, with its parts.

    words      share of the record's distinct word 3-grams that no kept record holds
    distance   1 - cosine to the nearest record before it; only where vectors are given
    cell       1 / (1 + records before it in its cell); only where records have cells
    boundary   1 where its checks disagree or one is undecided: near the decision boundary of the verifiers

The score is the largest part: one way of being new is enough. Records are taken in order, and a record is kept when its
score reaches the threshold; what is kept covers what comes later. Word 3-grams of ordinary text are half new for ever,
so the score ranks and finds what adds almost nothing; it is no measure of quality.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.hashing import Hashes, Offsets, to_offsets
from holdfast.core.text import Texts, shingles
from holdfast.models.encoder import Encoder

Rows = NDArray[np.int64]
Shares = NDArray[np.float32]
Vectors = NDArray[np.float32]

COLUMNS = ("prompt", "response", "cell", "checks")
NGRAM = 3
# Grams remembered at most: 256 MB. Of more, those of the smallest hashes stand for all, the same ones in every record.
MOST_GRAMS = 1 << 24
# Fewer than these go through plain Python, which ends before the kernel is imported.
KERNEL_GRAMS = 400_000
# The nearest earlier record is looked for among so many, drawn evenly: 100,000 records then take a minute.
MOST_NEIGHBOURS = 50_000
_BLOCK = 1024
KERNELS = "holdfast.metrics.novelty_kernels"


@dataclass(frozen=True, slots=True)
class Novelty:
    """Parts per record, in [0, 1]; `distance` is None where no encoder was given."""

    words: Shares
    cell: Shares
    boundary: Shares
    distance: Shares | None = None

    @property
    def score(self) -> Shares:
        """The largest part of each record."""
        return np.asarray(np.max(list(self.parts.values()), axis=0))

    @property
    def parts(self) -> dict[str, Shares]:
        """The parts that were looked at, by name."""
        named = {"words": self.words, "cell": self.cell, "boundary": self.boundary, "distance": self.distance}
        return {name: part for name, part in named.items() if part is not None}


@dataclass(slots=True)
class Covered:
    """The grams of what is kept. `grams` says how many there may be in all; see `MOST_GRAMS`."""

    grams: int
    plain: set[int] = field(default_factory=set)
    table: Hashes | None = None

    def __post_init__(self) -> None:
        if self.grams >= KERNEL_GRAMS or KERNELS in sys.modules:
            slots = 2 * min(max(self.grams, 1), MOST_GRAMS)
            self.table = np.zeros(1 << int(slots - 1).bit_length(), np.uint64)

    def admit(self, hashes: Hashes, offsets: Offsets, least: float, floor: Shares) -> Shares:
        """Return the share of new grams of each record, in order; those of a kept record are known afterwards.

        Record r has the distinct grams hashes[offsets[r]:offsets[r + 1]]. It is kept when its share, or its `floor`,
        is at least `least`. One without grams has share 0.
        """
        hashes, offsets = self._thinned(hashes, offsets)
        if self.table is None:
            return self._plainly(hashes, offsets, least, floor)
        shares = np.zeros(offsets.size - 1, np.float32)
        import_module(KERNELS).admit(hashes, offsets, self.table, (np.float32(least), floor), shares)
        return shares

    def _plainly(self, hashes: Hashes, offsets: Offsets, least: float, floor: Shares) -> Shares:
        shares = np.zeros(offsets.size - 1, np.float32)
        for record, (begin, end) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
            grams = set(hashes[begin:end].tolist())
            shares[record] = len(grams - self.plain) / len(grams) if grams else 0.0
            if max(shares[record], floor[record]) >= np.float32(least):
                self.plain |= grams
        return shares

    def _thinned(self, hashes: Hashes, offsets: Offsets) -> tuple[Hashes, Offsets]:
        """Keep the grams whose hash is below a bound that lets `MOST_GRAMS` of all through."""
        if self.grams <= MOST_GRAMS:
            return hashes, offsets
        keep = hashes <= np.uint64(int(2**64 * (MOST_GRAMS / self.grams)) - 1)
        return hashes[keep], to_offsets(keep.astype(np.int64))[offsets]


def find(
    data: Dataset, rows: Rows, least: float, against: Dataset | None = None, encoder: Encoder | None = None
) -> Novelty:
    """Return the novelty of the records at ascending global indices, held against `against` and those kept before.

    A record counts as kept when its score is at least `least`.
    """
    chosen = [table for table in _chosen(data, rows) if table.num_rows]
    known = list(against.tables(COLUMNS)) if against is not None else []
    grammed = [[_grams(text_of(table)) for table in side] for side in (known, chosen)]
    covered = Covered(sum(hashes.size for side in grammed for hashes, _ in side))
    for hashes, offsets in grammed[0]:
        covered.admit(hashes, offsets, 0.0, np.zeros(offsets.size - 1, np.float32))
    cell = cell_part(_column(chosen, "cell"), Counter(filter(None, _column(known, "cell"))))
    boundary = boundary_part(orjson.loads(text) if text else {} for text in _column(chosen, "checks"))
    distance = distance_part(_encoded(chosen, encoder), _encoded(known, encoder)) if encoder is not None else None
    floor = np.max([part for part in (cell, boundary, distance) if part is not None], axis=0)
    words, done = [np.zeros(0, np.float32)], 0
    for hashes, offsets in grammed[1]:
        size = offsets.size - 1
        words.append(covered.admit(hashes, offsets, least, floor[done : done + size]))
        done += size
    return Novelty(np.concatenate(words), cell, boundary, distance)


def _chosen(data: Dataset, rows: Rows) -> Iterator[pa.Table]:
    for shard in data.shards:
        begin, end = np.searchsorted(rows, (shard.first, shard.first + shard.rows))
        if begin < end:
            yield shard.table(COLUMNS).take(pa.array(rows[begin:end] - shard.first))


def _grams(texts: Texts) -> tuple[Hashes, Offsets]:
    return distinct(*shingles(texts, NGRAM))


def _column(tables: Sequence[pa.Table], name: str) -> list[str | None]:
    return [value for table in tables for value in table.column(name).to_pylist()]


def _encoded(tables: Sequence[pa.Table], encoder: Encoder) -> Vectors:
    if not tables:
        return np.zeros((0, 1), np.float32)
    return np.concatenate([encoder.encode(text_of(table)) for table in tables])


def distinct(hashes: Hashes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    """Return each record's grams without repetition, sorted; same shape as given."""
    owners = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    first = np.ones(hashes.size, np.bool_)
    first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[first], to_offsets(np.bincount(owners[first], minlength=offsets.size - 1))


def cell_part(cells: Iterable[str | None], before: Mapping[str, int]) -> Shares:
    """Return 1 / (1 + records before it in its cell) per record; 0 for one without a cell.

    `before` counts the records of each cell that were kept already.
    """
    counts = dict(before)
    parts = []
    for cell in cells:
        parts.append(1.0 / (1 + counts.get(cell, 0)) if cell else 0.0)
        if cell:
            counts[cell] = counts.get(cell, 0) + 1
    return np.asarray(parts, np.float32)


def boundary_part(checks: Iterable[Mapping[str, Any]]) -> Shares:
    """Return 1 per record whose checks disagree or hold an undecided one, else 0."""
    return np.asarray([None in seen or len(seen) > 1 for seen in (set(each.values()) for each in checks)], np.float32)


def distance_part(vectors: Vectors, covered: Vectors) -> Shares:
    """Return 1 - cosine to the nearest of `covered` and the vectors before it; 1 where there is none.

    Vectors are unit rows; a zero row (a text without words) is no neighbour. Beyond `MOST_NEIGHBOURS` an even choice
    of the earlier ones is looked at, so that the distance of a few is too large.
    """
    nearest = np.full(len(vectors), -1.0, np.float32)
    every = max(1, -(-(len(covered) + len(vectors)) // MOST_NEIGHBOURS))
    known = covered[::every]
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        inside = np.where(np.tri(len(block), k=-1, dtype=np.bool_), block @ block.T, np.float32(-1.0))
        best = inside.max(axis=1)
        for first in range(0, len(known), _BLOCK):
            best = np.maximum(best, (block @ known[first : first + _BLOCK].T).max(axis=1))
        nearest[start : start + len(block)] = best
        known = np.concatenate([known, block[::every]])
    filled = vectors.any(axis=1)
    return np.where(filled, np.clip(1.0 - nearest, 0.0, 1.0), 0.0).astype(np.float32)
