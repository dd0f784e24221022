"""Decontamination: records that contain items of a held-out set, found by hashed word n-grams in one pass.

Case, punctuation, line breaks and surrounding text make no difference, because only the sequence of words counts. What
an item is and which of its n-grams name it says `eval_index`. A record is contaminated by an item when it contains

- RUN consecutive words of its question (the length of Brown et al. 2020, arXiv 2005.14165, appendix C);
- at least HALF of the 8-grams of its question, or a QUARTER and PIECES of them (10 words in a row, or several pieces):
  edited and shortened questions, and those too short for a run;
- all 8-grams of what is asked before the options of a multiple choice, in whatever order these stand;
- at least HALF of the 8-grams of its answer, with a RUN, or a THIRD and MANY of them: an answer without its question,
  as it was or edited;
- its whole question of fewer than 8 words; a question that says little must be a line of its own, one that says hardly
  anything the whole prompt or response, and operators beside numbers must be the same.

A paraphrase is not found here, nor an answer of fewer than RUN words alone: it stands everywhere.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.engine import Progress, Runner, Stage, map_located
from holdfast.core.hashing import Hashes, Offsets, polynomial
from holdfast.core.text import KERNELS as TEXT_KERNELS
from holdfast.core.text import iter_items, parted, word_hashes
from holdfast.dedup.eval_index import GRAM, PARTS, EvalIndex, keyed, opened, operator_hash, whole_keys

# Clean records flagged by the question of another item, of 799,812 comparisons of a shared record with an eval set
# (bench/decontamination.py): a run of 13 words 25, 12 26, 11 54, 10 92, 8 706; half of the 8-grams 10, a quarter
# and three of them 18, all among the 25. A run in the answer alone would flag 30 more ("I am writing to express my"); a
# third and five of its 8-grams flag none, and find 194 of 200 edited answers where a half with a run finds 173.
RUN, HALF, THIRD, QUARTER, PIECES, MANY = 13, 0.5, 1 / 3, 0.25, 3, 5
# What stands before and behind a line of its own: "Question: who wrote dracula? A: Stoker".
BEFORE, BEHIND = re.compile(r"[\n:\uff1a]"), re.compile(r"[\n.!?\u3002\uff01\uff1f\u061f]")
# Below this many words numpy ends before a compiled pass is loaded; room for so many hits is made at first.
COMPILED_WORDS, MOST_HITS = 1 << 18, 1 << 16
# The lengths whose sharing is told: `n` of a hit is the longest that its run holds.
KNOWN = (8, 10, RUN)
# Words of a shared passage that are shown: enough to recognise it.
SHOWN = 40
KERNELS = "holdfast.dedup.decontaminate_kernels"

HITS = pa.schema(
    [
        ("index", pa.int64()),
        ("item", pa.int64()),
        ("n", pa.int32()),
        ("matched", pa.int32()),
        ("coverage", pa.float32()),
        ("start", pa.int64()),
        ("words", pa.int32()),
    ]
)
COLUMNS = ("prompt", "response", "extra")

Numbers = npt.NDArray[np.int64]
Parted = tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True)
class Shared:
    """Why a record (global index) was taken for contaminated: the id of the item, and what they share."""

    record: int
    item: str
    n: int
    words: int
    coverage: float
    excerpt: str

    @property
    def why(self) -> str:
        """The rule in words."""
        if self.n < GRAM:
            return f"the whole item of {self.n} words: {self.excerpt}"
        return f"{self.words} words in a row, {self.coverage:.0%} of the item's 8-grams: {self.excerpt}"


def contaminated(
    data: Dataset, index: EvalIndex, runner: Runner, folder: Path, progress: Progress | None = None
) -> pa.Table:
    """Return `scan` of all shards, `record` being the global index; the work of a killed call is not done again.

    The index is written into `folder` once and mapped by the processes of the runner, however large it is.
    """
    saved = index.save(folder)
    stage = Stage(f"held-out-{saved.name}", folder, scan_saved, {"folder": saved}, COLUMNS)
    return map_located(stage, data.shards, runner, progress)


def scan_saved(table: pa.Table, folder: Path) -> pa.Table:
    """Return `scan` with the index that was saved in a folder."""
    return scan(table, opened(folder))


def scan(table: pa.Table, index: EvalIndex) -> pa.Table:
    """Return one row per contaminated record and item, sorted: the columns of `HITS`.

    `index` counts records from 0 in this table; `n` is the longest of KNOWN that they share in a row (the length of a
    whole short question); `matched` and `coverage` say how many of the question's 8-grams were found and which share
    (of the answer's, where only the answer was); `start` and `words` place the longest run among the words of the
    record's text (`explained` shows it).
    """
    texts = _all_text(table)
    parts = [_Hits.none()]
    first = 0
    for words, offsets in iter_items(texts):
        found = _found(words, offsets, index)
        parts += [each.moved(first) for each in (_judged(found, index), _whole_questions(found, index, texts, first))]
        first += offsets.size - 1
    hits = _Hits.joined([*parts, _equal(table, index)])
    order = np.lexsort((-hits.run, hits.item, hits.record))
    keep = np.ones(order.size, np.bool_)
    keep[1:] = (hits.record[order][1:] != hits.record[order][:-1]) | (hits.item[order][1:] != hits.item[order][:-1])
    return hits.only(order[keep]).table()


def explained(hits: pa.Table, data: Dataset, held_out: Dataset) -> Iterator[Shared]:
    """Yield for each record of `contaminated`, in order, the hit with the longest run, and the words they share."""
    record, item, words = (hits.column(name).to_numpy() for name in ("record", "item", "words"))
    order = np.lexsort((item, -words, record))
    best = hits.take(order[_changes(record[order])])
    names = held_out.column("id")
    for shard in data.shards:
        low, high = np.searchsorted(best.column("record").to_numpy(), [shard.first, shard.first + shard.rows])
        here = best.slice(low, high - low)
        if not here.num_rows:
            continue
        texts = _all_text(shard.table(COLUMNS).take(pc.subtract(here.column("record"), shard.first)))
        for hit, text in zip(here.to_pylist(), texts, strict=True):
            found, _ = parted(text.as_py())
            shown = found[hit["start"] : hit["start"] + min(hit["words"], SHOWN)]
            same = (hit["n"], hit["words"], round(hit["coverage"], 4))
            yield Shared(hit["record"], names[hit["item"]].as_py(), *same, " ".join(shown))


class _Grams(NamedTuple):
    """Known n-grams of records: position among all words, record, n, and the owner."""

    position: Numbers
    record: Numbers
    n: Numbers
    key: Numbers
    owner: Numbers
    offsets: Offsets


class _Hits(NamedTuple):
    """The columns of HITS before they are a table; `run` is the length of the longest run."""

    record: Numbers
    item: Numbers
    n: Numbers
    matched: Numbers
    coverage: npt.NDArray[np.float64]
    start: Numbers
    run: Numbers

    @classmethod
    def none(cls) -> "_Hits":
        none = np.empty(0, np.int64)
        return cls(none, none, none, none, np.empty(0), none, none)

    @classmethod
    def joined(cls, parts: list["_Hits"]) -> "_Hits":
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def only(self, rows: Any) -> "_Hits":
        return _Hits(*(column[rows] for column in self))

    def moved(self, first: int) -> "_Hits":
        return self._replace(record=self.record + first)

    def table(self) -> pa.Table:
        return pa.table(list(self), names=HITS.names).cast(HITS)


def _all_text(table: pa.Table) -> pa.ChunkedArray:
    text = text_of(table)
    if "extra" not in table.column_names:
        return text
    return pc.binary_join_element_wise(text, pc.fill_null(table.column("extra"), ""), "\n")


def _found(words: Hashes, offsets: Offsets, index: EvalIndex) -> _Grams:
    """Return every known n-gram of the records, once for each of its owners, record by record."""
    parts = [(0, np.empty((0, 3), np.int64))]
    for n in index.lengths.tolist():
        compiled = TEXT_KERNELS in sys.modules and words.size >= COMPILED_WORDS
        parts.append((n, (compiled_places if compiled else plain_places)(words, offsets, n, index)))
    places = np.concatenate([part for _, part in parts])
    lengths = np.repeat([n for n, _ in parts], [part.shape[0] for _, part in parts])
    rows, which = index.grams.expanded(places[:, 2])
    position, record, key = places[which].T
    return _Grams(position, record, lengths[which], key, index.grams.values[rows], offsets)


def plain_places(words: Hashes, offsets: Offsets, n: int, index: EvalIndex) -> Numbers:
    """Return int64[hits, 3]: (position, record, first place in the keys) of every known n-gram inside one record."""
    positions, places = index.grams.places(keyed(polynomial(words, n), n))
    records = np.searchsorted(offsets, positions, "right") - 1
    inside = positions + n <= offsets[records + 1]
    return np.stack([positions, records, places], axis=1)[inside]


def compiled_places(words: Hashes, offsets: Offsets, n: int, index: EvalIndex) -> Numbers:
    """Return what `plain_places` returns, by a compiled pass."""
    table = (_read_only(index.grams.keys), index.flags, index.grams.shift)
    out = np.empty((MOST_HITS, 3), np.int64)
    found = import_module(KERNELS).scan_grams(words, offsets, n, table, out)
    if found > MOST_HITS:
        out = np.empty((found, 3), np.int64)
        import_module(KERNELS).scan_grams(words, offsets, n, table, out)
    return out[:found]


def _read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a view that cannot be written, as a mapped array is: the kernels are compiled for one kind only."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view


def _judged(found: _Grams, index: EvalIndex) -> _Hits:
    """Return the hits by the rules for 8-grams."""
    rows = np.flatnonzero(found.n == GRAM)
    rows = rows[np.lexsort((found.position[rows], found.owner[rows], found.record[rows]))]
    position, record, owner, key = (column[rows] for column in (found.position, found.record, found.owner, found.key))
    new = _changes(record, owner)
    part = np.cumsum(new) - 1
    record, owner = record[new], owner[new]
    matched = _distinct(part, key)
    begin, run = _longest(part, position)
    coverage = matched / index.totals.reshape(-1)[owner]
    asked = (run >= RUN) | (coverage >= HALF) | (coverage >= QUARTER) & (matched >= PIECES)
    answered = (run >= RUN) & (coverage >= HALF) | (coverage >= THIRD) & (matched >= MANY)
    broken = np.stack([asked, answered, coverage == 1])
    n = np.asarray(KNOWN)[np.searchsorted(KNOWN, run, "right") - 1]
    hits = _Hits(record, owner // len(PARTS), n, matched, coverage, begin - found.offsets[record], run)
    return hits.only(broken[owner % len(PARTS), np.arange(owner.size)])


def _changes(*columns: Numbers) -> npt.NDArray[np.bool_]:
    """Return where any of some sorted columns differs from the row before; the first row does."""
    new = np.ones(columns[0].size, np.bool_)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return new


def _distinct(part: Numbers, key: Numbers) -> Numbers:
    """Return the number of distinct keys of each part, numbered through in ascending order."""
    order = np.lexsort((key, part))
    return np.bincount(part[order][_changes(part[order], key[order])])


def _longest(part: Numbers, position: Numbers) -> tuple[Numbers, Numbers]:
    """Return (position, length in words) of the first longest run of each part: 8-grams at consecutive positions."""
    breaks = np.flatnonzero(_changes(part, position - np.arange(position.size)))
    length = np.diff(np.append(breaks, position.size)) + GRAM - 1
    order = np.lexsort((breaks, -length, part[breaks]))
    best = order[_changes(part[breaks][order])]
    return position[breaks[best]], length[best]


def _whole_questions(found: _Grams, index: EvalIndex, texts: pa.ChunkedArray, first: int) -> _Hits:
    """Return the hits of short questions inside other text, where the text itself bears them out."""
    rows = np.flatnonzero(found.n < GRAM)
    start = found.position[rows] - found.offsets[found.record[rows]]
    record, item, n = found.record[rows], found.owner[rows] // len(PARTS), found.n[rows]
    doubtful = np.flatnonzero((index.operators[item] != 0) | index.lines[item])
    keep = np.ones(rows.size, np.bool_)
    known: dict[int, Parted] = {}
    for row in doubtful.tolist():
        text = int(record[row])
        if text not in known:
            known = {text: parted(texts[first + text].as_py())}
        keep[row] = _borne_out(known[text], int(start[row]), int(n[row]), index, int(item[row]))
    hits = _Hits(record, item, n, np.zeros_like(n), np.ones(n.size), start, n)
    return hits.only(keep)


def _borne_out(text: Parted, start: int, n: int, index: EvalIndex, item: int) -> bool:
    words, gaps = text
    if (
        index.operators[item]
        and operator_hash(words[start : start + n], gaps[start : start + n]) != index.operators[item]
    ):
        return False
    before, after = gaps[start], gaps[start + n]
    alone = (not start or BEFORE.search(before)) and (start + n == len(words) or BEHIND.search(after))
    return bool(alone) or not index.lines[item]


def _equal(table: pa.Table, index: EvalIndex) -> _Hits:
    """Return the hits of questions that are the whole prompt or response of a record."""
    parts = [_Hits.none()]
    before = np.zeros(table.num_rows, np.int64)
    for column in ("prompt", "response") if index.wholes.keys.size else ():
        texts = table.column(column)
        words, offsets = word_hashes(texts)
        sizes = np.diff(offsets)
        rows = np.flatnonzero(np.isin(sizes, index.whole_lengths))
        places, items = index.wholes.find(whole_keys(words, offsets, rows))
        record = rows[places]
        same = [
            not sign or operator_hash(*parted(texts[row].as_py())) == sign
            for row, sign in zip(record.tolist(), index.operators[items].tolist(), strict=True)
        ]
        n = sizes[record]
        hits = _Hits(record, items, n, np.zeros_like(n), np.ones(n.size), before[record], n)
        parts.append(hits.only(np.asarray(same, np.bool_)))
        before = sizes
    return _Hits.joined(parts)
