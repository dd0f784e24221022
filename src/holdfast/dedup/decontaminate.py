"""Decontamination: records that contain items of a held-out set, found by hashed word n-grams.

Case, punctuation, line breaks and surrounding text make no difference, because only the sequence of words counts. A
paraphrase is not found here. The index holds hashes and counts, no text; a short item can still be confirmed by
somebody who guesses it, so a seal is not an encryption.

A record is contaminated by an item when one of these holds:

- it contains 13 consecutive words of the item (the length of Brown et al. 2020, arXiv 2005.14165, appendix C);
- it contains at least half of the 8-grams of the item's question (its prompt; its text where there is no prompt): that
  catches edited and truncated items, and items too short to have a 13-gram;
- a question of 4 to 7 words occurs in it whole;
- a shorter question equals its whole prompt or response: three words occur everywhere, so mere presence says nothing.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.hashing import Hashes, Offsets, polynomial
from holdfast.core.text import word_hashes
from holdfast.dedup.lookup import Lookup

LONG = 13
MIDDLE = 10
BASE_LENGTH = 8
SHORTEST = 4
HALF = 0.5
# A phrase of more items than this names none of them; its first items stand for all.
MOST_ITEMS = 50
VERSION = 1

HITS = pa.schema(
    [
        ("index", pa.int64()),
        ("item", pa.int64()),
        ("n", pa.int32()),
        ("matched", pa.int32()),
        ("coverage", pa.float32()),
    ]
)


@dataclass(frozen=True, slots=True)
class EvalIndex:
    """Hashed n-grams of held-out items. `grams[n]` maps the n-grams of an item to its number.

    n is 8 (of questions), 10 and 13 (of whole items), 4 to 7 (whole questions of that length), 0 (whole questions
    shorter than that). `totals[i]` is the number of distinct 8-grams of question i.
    """

    items: int
    grams: Mapping[int, Lookup]
    totals: npt.NDArray[np.int64]

    @classmethod
    def of(cls, held_out: Dataset) -> "EvalIndex":
        """Index the records of a data set; item numbers are global indices."""
        tables = [table.select(["prompt", "response"]) for table in held_out.tables(("prompt", "response"))]
        whole = pa.concat_tables(tables) if tables else pa.table({"prompt": [], "response": []})
        return cls.of_texts(whole["prompt"].to_pylist(), whole["response"].to_pylist())

    @classmethod
    def of_texts(cls, prompts: Sequence[str], responses: Sequence[str]) -> "EvalIndex":
        """Index items given as prompts and responses; a response is the question itself where its prompt is empty."""
        questions = [prompt or response for prompt, response in zip(prompts, responses, strict=True)]
        texts = [f"{prompt}\n{response}" for prompt, response in zip(prompts, responses, strict=True)]
        question = word_hashes(pa.chunked_array([pa.array(questions, pa.string())]))
        whole = word_hashes(pa.chunked_array([pa.array(texts, pa.string())]))
        sizes = np.diff(question[1])
        grams = {n: Lookup.of(*_grams(*whole, n), MOST_ITEMS) for n in (MIDDLE, LONG)}
        keys, owners = _grams(*question, BASE_LENGTH)
        distinct = np.unique(np.stack([owners.astype(np.uint64), keys], axis=1), axis=0)
        grams[BASE_LENGTH] = Lookup.of(distinct[:, 1], distinct[:, 0].astype(np.int64), MOST_ITEMS)
        for n in range(SHORTEST, BASE_LENGTH):
            grams[n] = Lookup.of(*_wholes(*question, sizes == n), MOST_ITEMS)
        grams[0] = Lookup.of(*_wholes(*question, (sizes > 0) & (sizes < SHORTEST)), MOST_ITEMS)
        totals = np.bincount(distinct[:, 0].astype(np.int64), minlength=len(questions))
        return cls(len(questions), grams, totals)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a seal: numbers, and little-endian arrays in base64."""
        grams = {str(n): {"keys": _pack(t.keys), "items": _pack(t.values)} for n, t in sorted(self.grams.items())}
        return {"version": VERSION, "items": self.items, "totals": _pack(self.totals), "grams": grams}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "EvalIndex":
        """Read what `to_dict` returned. Raises KeyError or ValueError when it is something else."""
        if values["version"] != VERSION:
            raise ValueError(f"an n-gram index of version {values['version']} (known: {VERSION})")
        grams = {
            int(n): Lookup.of(_unpack(table["keys"], "<u8"), _unpack(table["items"], "<i8"), MOST_ITEMS)
            for n, table in values["grams"].items()
        }
        return cls(int(values["items"]), grams, _unpack(values["totals"], "<i8"))


def scan(table: pa.Table, index: EvalIndex) -> pa.Table:
    """Return one row per contaminated record and item, sorted: the columns of `HITS`.

    `index` counts records from 0 in this table; `n` is the longest known n-gram they share (the length of a whole
    short question); `matched` and `coverage` say how many of the question's 8-grams were found, and which share.
    """
    words, offsets = word_hashes(_all_text(table))
    parts = [_long(words, offsets, index), *(_short(words, offsets, index, n) for n in range(SHORTEST, BASE_LENGTH))]
    parts.append(_equal(table, index))
    hits = np.concatenate(parts)
    hits = hits[np.lexsort((-hits[:, 2], hits[:, 1], hits[:, 0]))]
    keep = np.ones(len(hits), np.bool_)
    keep[1:] = (hits[1:, :2] != hits[:-1, :2]).any(axis=1)
    hits = hits[keep]
    coverage = np.where(hits[:, 2] < BASE_LENGTH, 1.0, hits[:, 3] / np.maximum(index.totals[hits[:, 1]], 1))
    return pa.table([hits[:, 0], hits[:, 1], hits[:, 2], hits[:, 3], coverage], names=HITS.names).cast(HITS)


def _all_text(table: pa.Table) -> pa.ChunkedArray:
    text = text_of(table)
    if "extra" not in table.column_names:
        return text
    return pc.binary_join_element_wise(text, pc.fill_null(table.column("extra"), ""), "\n")


def _grams(words: Hashes, offsets: Offsets, n: int) -> tuple[Hashes, Offsets]:
    """Return all n-grams of all items and the item of each."""
    keys = polynomial(words, n)
    owners = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))[: keys.size]
    inside = np.arange(keys.size) + n <= offsets[1:][owners]
    return keys[inside], owners[inside]


def _wholes(words: Hashes, offsets: Offsets, chosen: npt.NDArray[np.bool_]) -> tuple[Hashes, Offsets]:
    """Return the hash of all words of each chosen item, and the item."""
    owners = np.flatnonzero(chosen)
    spans = [words[offsets[i] : offsets[i + 1]] for i in owners.tolist()]
    keys = [polynomial(span, span.size) for span in spans]
    return np.concatenate([np.empty(0, np.uint64), *keys]), owners


def _found(words: Hashes, offsets: Offsets, index: EvalIndex, n: int) -> tuple[Any, Any, Any]:
    """Return (position, record, item) of every n-gram of a record that the index holds under n."""
    lookup = index.grams[n]
    keys = polynomial(words, n) if lookup.keys.size else np.empty(0, np.uint64)
    positions, items = lookup.find(keys)
    records = np.searchsorted(offsets, positions, "right") - 1
    inside = positions + n <= offsets[1:][records] if positions.size else np.empty(0, np.bool_)
    return positions[inside], records[inside], items[inside]


def _long(words: Hashes, offsets: Offsets, index: EvalIndex) -> npt.NDArray[np.int64]:
    """Return rows (record, item, n, matched 8-grams) by the rules for questions of 8 words and more."""
    positions, records, items = _found(words, offsets, index, BASE_LENGTH)
    keys = polynomial(words, BASE_LENGTH)[positions]
    grams = np.unique(np.stack([records.astype(np.uint64), items.astype(np.uint64), keys], axis=1), axis=0)
    pairs, matched = np.unique(grams[:, :2].astype(np.int64), axis=0, return_counts=True)
    share = matched / np.maximum(index.totals[pairs[:, 1]], 1)
    longest = {n: _pairs(*_found(words, offsets, index, n)[1:]) for n in (MIDDLE, LONG)}
    known = dict(zip(map(tuple, pairs.tolist()), matched.tolist(), strict=True))
    chosen = {tuple(pair) for pair in pairs[share >= HALF].tolist()} | longest[LONG]
    order = {pair: LONG if pair in longest[LONG] else MIDDLE if pair in longest[MIDDLE] else 8 for pair in chosen}
    rows = [(*pair, order[pair], known.get(pair, 0)) for pair in chosen]
    return np.array(rows, np.int64).reshape(-1, 4)


def _pairs(records: Any, items: Any) -> set[tuple[int, int]]:
    return set(zip(records.tolist(), items.tolist(), strict=True))


def _short(words: Hashes, offsets: Offsets, index: EvalIndex, n: int) -> npt.NDArray[np.int64]:
    _, records, items = _found(words, offsets, index, n)
    return np.array([(*pair, n, 0) for pair in sorted(_pairs(records, items))], np.int64).reshape(-1, 4)


def _equal(table: pa.Table, index: EvalIndex) -> npt.NDArray[np.int64]:
    """Return rows for questions of fewer than SHORTEST words that are the whole prompt or response of a record."""
    rows = [np.empty((0, 4), np.int64)]
    for column in ("prompt", "response") if index.grams[0].keys.size else ():
        words, offsets = word_hashes(table.column(column))
        sizes = np.diff(offsets)
        keys, records = _wholes(words, offsets, (sizes > 0) & (sizes < SHORTEST))
        places, items = index.grams[0].find(keys)
        rows.append(np.stack([records[places], items, sizes[records[places]], np.zeros_like(items)], axis=1))
    return np.concatenate(rows)


def _pack(values: npt.NDArray[Any]) -> str:
    return b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def _unpack(text: str, kind: str) -> npt.NDArray[Any]:
    return np.frombuffer(b64decode(text, validate=True), kind).astype(np.dtype(kind).newbyteorder("="))
