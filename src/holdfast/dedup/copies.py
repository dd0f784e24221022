"""Copies: synthetic records that repeat a long run of words of a real record.

Every 25th 25-gram of the real part is indexed, so a run of 50 words always holds an indexed one; each hit is then
extended in both directions over the words themselves, so that no reported length rests on a sketch. Words are held
as 32-bit hashes, 4 bytes a word, in a file where a folder is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset, Shard, text_of
from holdfast.core.hashing import Hashes, Offsets, polynomial, polynomial_at, to_offsets
from holdfast.core.text import word_hashes
from holdfast.dedup.lookup import Flags, Lookup
from holdfast.dedup.spill import Spill, Values, forget, spill
from holdfast.dedup.threads import in_order

# Carlini et al. 2023 (arXiv 2202.07646) call 50 equal tokens memorised. Words are longer than their tokens, so 50
# words are the stricter measure.
LEAST_WORDS = 50
# A run of LEAST_WORDS contains every aligned window of this length whose start falls in its first half.
_WINDOW = (LEAST_WORDS + 1) // 2
# Stock phrases stand in many real records: so many of them are kept per window, and so many places per record, those
# with most windows in common, are compared word by word. On 100,000 boilerplate-rich records this loses 1 in 1,000.
_MOST_RECORDS = 8
_MOST_PLACES = 12
# Words looked up at once, so that their arrays stay in the cache; places measured before the pages of the file that
# they touched, 64 kB at each end, are given back.
_WORDS_AT_ONCE = 1 << 18
_PLACES_AT_ONCE = 1 << 9
_PLACE_BITS = 24

Rows = npt.NDArray[np.int64]
Sources = list[tuple[Dataset, Rows, Rows]]


@dataclass(frozen=True, slots=True)
class Copy:
    """A synthetic record (global index), the id of the real one, and the length in words of their longest run."""

    row: int
    real: str
    words: int


class _Words(NamedTuple):
    """The words of all sources: record r, numbered through, has values[offsets[r]:offsets[r + 1]]."""

    values: Values
    offsets: Offsets


class _Places(NamedTuple):
    """Where copies may be: word w of record `real` is word w + `shift` of record `row`."""

    row: Rows
    real: Rows
    shift: Rows


def find(
    data: Dataset,
    synthetic: Rows,
    labelled_real: Rows,
    real: Dataset | None = None,
    folder: Path | None = None,
    workers: int = 1,
) -> list[Copy]:
    """Return the synthetic records that share LEAST_WORDS consecutive words or more with a real one.

    Real are the records `labelled_real` of `data` and all of `real`. One copy per record: the longest run at the
    places where it has most windows in common with real text.
    """
    sources = [(data, labelled_real, np.union1d(synthetic, labelled_real))]
    if real is not None:
        sources.append((real, np.arange(real.rows), np.arange(real.rows)))
    with spill(folder) as store:
        index, offsets = _index(sources, store, workers)
        words = _Words(store.values(), offsets)
        places = _candidates(words, synthetic, index, workers)
        del index
        chosen, lengths = _longest(words, places)
    names = _names(sources, places.real[chosen])
    return [Copy(*found) for found in zip(places.row[chosen].tolist(), names, lengths.tolist(), strict=True)]


def _selected(data: Dataset, rows: Rows) -> Iterator[tuple[Shard, Rows]]:
    for shard in data.shards:
        begin, end = np.searchsorted(rows, [shard.first, shard.first + shard.rows])
        if begin < end:
            yield shard, rows[begin:end]


def _hashed(chosen: tuple[Shard, Rows]) -> tuple[Rows, Values, Offsets]:
    shard, rows = chosen
    texts = text_of(shard.table(("prompt", "response")).take(pa.array(rows - shard.first)))
    hashes, offsets = word_hashes(texts)
    return rows, (hashes >> np.uint64(32)).astype(np.uint32), offsets


def _index(sources: Sources, store: Spill, workers: int) -> tuple[Lookup, Offsets]:
    """Store the words of all records that are compared; index every aligned window of the real ones.

    The value of a window is (number of its record) << 24 | number of the window. Returns the index, and the offsets
    of the records in the store.
    """
    keys, values, counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    before = 0
    for data, real, needed in sources:
        sizes = np.zeros(data.rows, np.int64)
        for rows, words, offsets in in_order(_hashed, _selected(data, needed), workers):
            store.append(words)
            sizes[rows] = np.diff(offsets)
            some = np.flatnonzero(np.isin(rows, real, assume_unique=True))
            windows = _aligned(words, offsets[some], sizes[rows[some]] // _WINDOW)
            keys.append(windows[0])
            values.append(((before + rows[some])[windows[1]] << _PLACE_BITS) | windows[2])
        counts.append(sizes)
        before += data.rows
    return Lookup.of(_joined(keys), _joined(values), _MOST_RECORDS), to_offsets(np.concatenate(counts))


def _joined(parts: list[Any]) -> Any:
    """Return one array of all parts, which are let go."""
    joined = np.concatenate(parts)
    parts.clear()
    return joined


def _aligned(words: Values, starts: Rows, counts: Rows) -> tuple[Hashes, Rows, Rows]:
    """Return (hash, text, number) of the first counts[t] windows of each text, one beside the other."""
    texts = np.repeat(np.arange(counts.size), counts)
    number = np.arange(texts.size) - to_offsets(counts)[texts]
    return polynomial_at(words, starts[texts] + number * _WINDOW, _WINDOW), texts, number


def _candidates(words: _Words, synthetic: Rows, index: Lookup, workers: int) -> _Places:
    """Return the places where most windows of each synthetic record are in common, records in order."""
    total = to_offsets(np.diff(words.offsets)[synthetic])
    cuts = np.unique([*np.searchsorted(total, np.arange(0, total[-1], _WORDS_AT_ONCE)), synthetic.size])
    flags = index.flags()

    def search(rows: Rows) -> _Places:
        return _some_candidates(words, rows, index, flags)

    parts = [_Places(*np.empty((3, 0), np.int64))]
    for part in in_order(search, (synthetic[begin:end] for begin, end in pairwise(cuts)), workers):
        parts.append(part)
        forget(words.values)
    return _Places(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _some_candidates(words: _Words, rows: Rows, index: Lookup, flags: Flags) -> _Places:
    sizes = words.offsets[rows + 1] - words.offsets[rows]
    offsets = to_offsets(sizes)
    taken = np.repeat(words.offsets[rows] - offsets[:-1], sizes) + np.arange(offsets[-1])
    positions, values = index.find(polynomial(words.values[taken].astype(np.uint64), _WINDOW), flags)
    texts = np.searchsorted(offsets, positions, "right") - 1
    inside = positions + _WINDOW <= offsets[1:][texts]
    positions, values, texts = positions[inside], values[inside], texts[inside]
    shift = positions - offsets[texts] - (values & ((1 << _PLACE_BITS) - 1)) * _WINDOW
    found, windows = _counted(np.stack([rows[texts], values >> _PLACE_BITS, shift]))
    order = np.lexsort((-windows, found[0]))
    found = found[:, order]
    rank = np.arange(order.size) - np.searchsorted(found[0], found[0], "left")
    return _Places(*found[:, rank < _MOST_PLACES])


def _counted(columns: Rows) -> tuple[Rows, Rows]:
    """Return the distinct columns of int64[3, n], sorted by their first row, then the next, and how often each is."""
    columns = columns[:, np.lexsort(columns[::-1])]
    new = np.concatenate([[True], (columns[:, 1:] != columns[:, :-1]).any(axis=0)])[: columns.shape[1]]
    starts = np.flatnonzero(new)
    return columns[:, starts], np.diff(np.append(starts, columns.shape[1]))


def _longest(words: _Words, places: _Places) -> tuple[Rows, Rows]:
    """Return the number of the place of the longest run of each record, where it is long enough, and its length."""
    runs = [np.empty(0, np.int64)]
    for start in range(0, places.row.size, _PLACES_AT_ONCE):
        runs.append(_runs(words, _Places(*(column[start : start + _PLACES_AT_ONCE] for column in places))))
        forget(words.values)
    lengths = np.concatenate(runs)
    order = np.lexsort((np.arange(lengths.size), -lengths, places.row))
    first = np.concatenate([[True], places.row[order][1:] != places.row[order][:-1]])[: order.size]
    best = order[first]
    best = best[lengths[best] >= LEAST_WORDS]
    return best, lengths[best]


def _runs(words: _Words, places: _Places) -> Rows:
    """Return the longest run of equal words at each place."""
    made = words.offsets[places.row] + np.maximum(places.shift, 0)
    real = words.offsets[places.real] + np.maximum(-places.shift, 0)
    sizes = np.minimum(words.offsets[places.row + 1] - made, words.offsets[places.real + 1] - real)
    # One word more for each place, which never is equal, keeps the runs of two places apart.
    offsets = to_offsets(sizes + 1)
    place = np.repeat(np.arange(sizes.size), sizes + 1)
    at = np.arange(offsets[-1]) - offsets[place]
    inside = np.flatnonzero(at < sizes[place])
    equal = np.zeros(at.size, np.bool_)
    step, place = at[inside], place[inside]
    equal[inside] = words.values[made[place] + step] == words.values[real[place] + step]
    breaks = np.flatnonzero(~equal)
    lengths = np.diff(breaks, prepend=-1) - 1
    return np.maximum.reduceat(lengths, np.searchsorted(breaks, offsets[:-1])) if breaks.size else lengths


def _names(sources: Sources, numbers: Rows) -> list[str]:
    """Return the ids of records, numbered through all sources."""
    names = np.empty(numbers.size, object)
    before = 0
    for data, _, _ in sources:
        here = np.flatnonzero((numbers >= before) & (numbers < before + data.rows))
        names[here] = data.take(numbers[here] - before, ("id",)).column("id").to_pylist()
        before += data.rows
    return list(names)
