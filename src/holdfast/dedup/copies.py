"""Copies: synthetic records that repeat a long run of words of a real record.

Every 25th 25-gram of the real part is indexed, so a run of 50 words always holds an indexed one; each hit is then
extended in both directions over the two texts themselves, so that no reported length rests on a hash of a sketch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.hashing import Hashes, Offsets, polynomial
from holdfast.core.text import word_hashes
from holdfast.dedup.lookup import Lookup

# Carlini et al. 2023 (arXiv 2202.07646) call 50 equal tokens memorised. Words are longer than their tokens, so 50
# words are the stricter measure.
LEAST_WORDS = 50
# A run of LEAST_WORDS contains every aligned window of this length whose start falls in its first half.
_WINDOW = (LEAST_WORDS + 1) // 2
# Stock phrases stand in many real records: so many of them are kept per window, and so many places per record, those
# with most windows in common, are compared word by word. On 100,000 boilerplate-rich records this loses 1 in 1,000.
_MOST_RECORDS = 8
_MOST_PLACES = 12
# Records whose words are held at once while runs are measured.
_AT_ONCE = 20_000
_PLACE_BITS = 24
_TEXT = ("id", "prompt", "response")


@dataclass(frozen=True, slots=True)
class Copy:
    """A synthetic record (global index), the id of the real one, and the length in words of their longest run."""

    row: int
    real: str
    words: int


def find(
    data: Dataset, synthetic: npt.NDArray[np.int64], labelled_real: npt.NDArray[np.int64], real: Dataset | None = None
) -> list[Copy]:
    """Return the synthetic records that share LEAST_WORDS consecutive words or more with a real one.

    Real are the records `labelled_real` of `data` and all of `real`. One copy per record: the longest run at the
    places where it has most windows in common with real text.
    """
    sources = [(data, labelled_real)]
    if real is not None:
        sources.append((real, np.arange(real.rows)))
    index = _index(sources)
    places: list[tuple[int, int, int]] = []
    for rows, texts in _texts(data, synthetic):
        words, offsets = word_hashes(texts)
        places += _candidates(words, offsets, rows, index)
    hit = sorted({row for row, _, _ in places})
    groups = [set(hit[start : start + _AT_ONCE]) for start in range(0, len(hit), _AT_ONCE)]
    return [c for group in groups for c in _longest(data, sources, [place for place in places if place[0] in group])]


def _texts(data: Dataset, rows: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], pa.ChunkedArray]]:
    for shard in data.shards:
        begin, end = np.searchsorted(rows, [shard.first, shard.first + shard.rows])
        if begin < end:
            chosen = pa.array(rows[begin:end] - shard.first)
            yield rows[begin:end], text_of(shard.table(("prompt", "response")).take(chosen))


def _index(sources: list[tuple[Dataset, npt.NDArray[np.int64]]]) -> Lookup:
    """Map every aligned window of the real part to (number in all sources) << 24 | number of the window."""
    keys, values = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    before = 0
    for data, chosen in sources:
        for rows, texts in _texts(data, chosen):
            words, offsets = word_hashes(texts)
            hashes = polynomial(words, _WINDOW)
            counts = np.diff(offsets) // _WINDOW
            number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            keys.append(hashes[np.repeat(offsets[:-1], counts) + number * _WINDOW])
            values.append((np.repeat(before + rows, counts) << _PLACE_BITS) | number)
        before += data.rows
    return Lookup.of(np.concatenate(keys), np.concatenate(values), _MOST_RECORDS)


def _candidates(
    words: Hashes, offsets: Offsets, rows: npt.NDArray[np.int64], index: Lookup
) -> list[tuple[int, int, int]]:
    """Return (synthetic row, real number, offset between the two) where most windows of each row are in common."""
    positions, values = index.find(polynomial(words, _WINDOW))
    texts = np.searchsorted(offsets, positions, "right") - 1
    inside = positions + _WINDOW <= offsets[1:][texts]
    positions, values, texts = positions[inside], values[inside], texts[inside]
    shift = positions - offsets[texts] - (values & ((1 << _PLACE_BITS) - 1)) * _WINDOW
    places = np.stack([rows[texts], values >> _PLACE_BITS, shift], axis=1)
    found, windows = np.unique(places, axis=0, return_counts=True)
    order = np.lexsort((-windows, found[:, 0]))
    found = found[order]
    rank = np.arange(len(found)) - np.searchsorted(found[:, 0], found[:, 0], "left")
    return [(row, number, moved) for row, number, moved in found[rank < _MOST_PLACES].tolist()]


def _longest(
    data: Dataset, sources: list[tuple[Dataset, npt.NDArray[np.int64]]], places: list[tuple[int, int, int]]
) -> list[Copy]:
    """Measure each candidate over the texts and keep the longest run of each record where it is long enough."""
    made = _words_at(data, sorted({row for row, _, _ in places}))
    real: dict[int, tuple[str, Hashes]] = {}
    before = 0
    for source, _ in sources:
        numbers = sorted({number - before for _, number, _ in places if 0 <= number - before < source.rows})
        real.update({before + row: found for row, found in _words_at(source, numbers).items()})
        before += source.rows
    best: dict[int, Copy] = {}
    for row, number, shift in places:
        run = _run(made[row][1], real[number][1], shift)
        if run >= LEAST_WORDS and (row not in best or run > best[row].words):
            best[row] = Copy(row, real[number][0], run)
    return [best[row] for row in sorted(best)]


def _words_at(data: Dataset, rows: list[int]) -> dict[int, tuple[str, Hashes]]:
    table = data.take(rows, _TEXT)
    words, offsets = word_hashes(text_of(table)) if rows else (np.empty(0, np.uint64), np.zeros(1, np.int64))
    names = table.column("id").to_pylist()
    return {row: (names[k], words[offsets[k] : offsets[k + 1]]) for k, row in enumerate(rows)}


def _run(made: Hashes, real: Hashes, shift: int) -> int:
    """Return the longest run of equal words when word w of `real` is held against word w + shift of `made`."""
    made, real = (made[shift:], real) if shift >= 0 else (made, real[-shift:])
    size = min(made.size, real.size)
    breaks = np.flatnonzero(np.concatenate([[True], made[:size] != real[:size], [True]]))
    return int(np.diff(breaks).max() - 1)
