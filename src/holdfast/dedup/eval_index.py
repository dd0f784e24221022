"""Eval index: the hashed word n-grams of held-out items, as one table that a single pass over other text looks up.

An item is a prompt (its question) and a response (its answer); the response is the question where there is no prompt.
What the table holds of an item is what names it:

- the 8-grams of question and of answer, but for those that stand in more than MOST_ITEMS different items (the
  instructions of a test, a passage with many questions) and those of hardly anything but numbers and single letters.
  A question that has no other keeps all of its own;
- the 8-grams of what is asked before the options of a multiple choice, once more and apart: options change order;
- a question shorter than that whole, to be found inside other text where it has enough words that tell;
- a question that has not, to be found only where it is a whole prompt or a whole response.

Equal questions are one item, the first. Hashes and counts, no text; yet a short item can be confirmed by somebody who
guesses it, so a seal is not an encryption. What is done with a hit is decided in `decontaminate`.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset
from holdfast.core.hashing import STEP, Hashes, Offsets, polynomial, polynomial_at, to_offsets
from holdfast.core.text import parted, word_hashes
from holdfast.dedup.lookup import Lookup

GRAM = 8
# A gram of more questions than this is what they have in common. On the eval sets of bench/decontamination.py the
# instructions of a test go and nothing that names one item: recall of verbatim items stays 1.
MOST_ITEMS = 3
# Questions that have nothing but what many share: of so many of them the first ones stand for all.
MOST_OWNERS = 50
# An 8-gram with fewer words other than numbers below 10,000 and single letters ("a 1 b 2 c 3 d 4") names nothing.
LEAST_TELLING = 3
# What a short question must weigh to be looked for inside other text, and inside it only as a line of its own: a word
# weighs 1, a Chinese or Japanese character half, a number or a single letter nothing. Of 118 real questions of 1 to 7
# words, "how are you doing" alone stands in clean text, in 42 of 47,000 records, each time amid a line.
WEIGHT, LINE_WEIGHT = 5.0, 3.0
# What a hit is of: owner // PARTS is the item.
PARTS = QUESTION, ANSWER, STEM = 0, 1, 2
VERSION = 2

# The signs of multiplication, division and subtraction that print uses, as typed.
_OPERATORS = str.maketrans({"\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u2212": "-", "\u2013": "-"})
_OPERATOR = re.compile("[-+*/^=<>%&|~\u2260\u2264\u2265\u00b1\u221a]")
# What begins a line of a quotation or a list is no operator.
_LINE_MARKER = re.compile(r"\n[ \t]*(?:[>*#+-]+[ \t]+)+")

# The first of two options or more, each a line: "A) Paris", "(b) Rome", "1. Berlin".
_OPTION = re.compile(r"\n[ \t]*\(?[Aa1][).:][ \t](?=[^\n]*\n[ \t]*\(?[Bb2][).:][ \t])")

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class EvalIndex:
    """The table and what is known of each item.

    `grams` maps the hash of n words (n in `lengths`; see `keyed`) to `len(PARTS) * item + part`; a gram of the question
    that its answer repeats is one of the question. `wholes` maps the hash of a whole question to its item;
    `whole_lengths` are the lengths of these. `totals` is int64[items, parts]: distinct 8-grams of each part.
    `operators[i]` is a hash of the operators of a short question, 0 where it has none; `lines[i]` says that it counts
    only as a line of its own.
    """

    items: int
    grams: Lookup
    wholes: Lookup
    lengths: Numbers
    whole_lengths: Numbers
    totals: Numbers
    operators: Hashes
    lines: Flags

    @cached_property
    def flags(self) -> npt.NDArray[np.uint8]:
        """The flags of `grams`, eight in a byte, the lowest bit first: in the cache of a core up to 2 million keys."""
        return np.packbits(self.grams.flags(), bitorder="little")

    @classmethod
    def of(cls, held_out: Dataset) -> "EvalIndex":
        """Index the records of a data set; item numbers are global indices."""
        tables = [table.select(["prompt", "response"]) for table in held_out.tables(("prompt", "response"))]
        whole = pa.concat_tables(tables) if tables else pa.table({"prompt": [], "response": []})
        return cls.of_texts(whole["prompt"].to_pylist(), whole["response"].to_pylist())

    @classmethod
    def of_texts(cls, prompts: Sequence[str], responses: Sequence[str]) -> "EvalIndex":
        """Index items given as prompts and responses."""
        pairs = list(zip(prompts, responses, strict=True))
        questions = [prompt or response for prompt, response in pairs]
        question = _Texts.of(questions)
        answers = [response if prompt else "" for prompt, response in pairs]
        keys, owners = _naming(question, _Texts.of(answers), _Texts.of([_stem(text) for text in questions]))
        short = _short(questions, question)
        contained, wholes = (
            whole_keys(question.words, question.offsets, rows) for rows in (short.contained, short.whole)
        )
        return cls(
            len(pairs),
            Lookup.of(
                np.concatenate([keys, contained]), np.concatenate([owners, len(PARTS) * short.contained]), MOST_OWNERS
            ),
            Lookup.of(wholes, short.whole, 1),
            np.union1d(question.sizes[short.contained], [GRAM] if keys.size else []).astype(np.int64),
            np.unique(question.sizes[short.whole]),
            np.bincount(owners, minlength=len(PARTS) * len(pairs)).reshape(-1, len(PARTS)),
            short.operators,
            short.lines,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a seal: numbers, and little-endian arrays in base64."""
        return {"version": VERSION, "items": self.items, **{name: _pack(a) for name, a in self._arrays().items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "EvalIndex":
        """Read what `to_dict` returned. Raises KeyError or ValueError when it is something else."""
        if values["version"] != VERSION:
            raise ValueError(f"an n-gram index of version {values['version']} (known: {VERSION})")
        index = cls.of_arrays({name: _unpack(values[name], kind) for name, kind in _KINDS.items()})
        for table, owners in ((index.grams, len(PARTS) * index.items), (index.wholes, index.items)):
            sizes = {table.keys.size, table.values.size}
            if len(sizes) > 1 or (table.keys[1:] < table.keys[:-1]).any() or not _below(table.values, owners):
                raise ValueError("its n-gram index contradicts itself")
        if not index.items == index.operators.size == index.lines.size == values["items"]:
            raise ValueError("its n-gram index is of another number of items")
        return index

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Any]) -> "EvalIndex":
        """Return the index that these arrays, by their stored names, are."""
        totals = arrays["totals"].reshape(-1, len(PARTS))
        return cls(
            len(totals),
            Lookup(arrays["keys"], arrays["owners"]),
            Lookup(arrays["whole_keys"], arrays["whole_items"]),
            arrays["lengths"],
            arrays["whole_lengths"],
            totals,
            arrays["operators"],
            arrays["lines"],
        )

    def save(self, folder: Path) -> Path:
        """Write the index for processes that map it instead of being sent it; return where, named by its content."""
        arrays = self._arrays()
        digest = blake2b(digest_size=8)
        for values in arrays.values():
            digest.update(np.ascontiguousarray(values).data)
        place = folder / f"eval-index-{digest.hexdigest()}"
        place.mkdir(parents=True, exist_ok=True)
        for name, values in arrays.items():
            np.save(place / f"{name}.npy", values)
        return place

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "keys": self.grams.keys,
            "owners": self.grams.values,
            "whole_keys": self.wholes.keys,
            "whole_items": self.wholes.values,
            "lengths": self.lengths,
            "whole_lengths": self.whole_lengths,
            "totals": self.totals,
            "operators": self.operators,
            "lines": self.lines,
        }


_KINDS = {
    "keys": "<u8",
    "owners": "<i8",
    "whole_keys": "<u8",
    "whole_items": "<i8",
    "lengths": "<i8",
    "whole_lengths": "<i8",
    "totals": "<i8",
    "operators": "<u8",
    "lines": "|b1",
}


@lru_cache(maxsize=1)
def opened(folder: Path) -> EvalIndex:
    """Map what `EvalIndex.save` wrote: the processes of a machine share its pages. Read once per process."""
    return EvalIndex.of_arrays({name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _KINDS})


def keyed(hashes: Hashes, n: int) -> Hashes:
    """Return the keys of polynomial hashes of n words: hashes of different lengths share one table."""
    return hashes + np.uint64(n * STEP & (1 << 64) - 1)


def operator_hash(words: Sequence[str], gaps: Sequence[str]) -> int:
    """Return a hash of the operators that stand before each of some words, 0 where none does.

    An operator counts beside a number or a single letter: "3 + 5" is not "3 * 5", and "and/or" is "and or".
    """
    found = [_operators(words, gaps, place) for place in range(len(words))]
    return int.from_bytes(blake2b("|".join(found).encode(), digest_size=8).digest(), "big") if any(found) else 0


def _operators(words: Sequence[str], gaps: Sequence[str], place: int) -> str:
    gap = gaps[place].translate(_OPERATORS)
    if place == 0:
        return "-" if gap.endswith("-") and _is_bare(words[0]) else ""
    beside = _is_bare(words[place]) or _is_bare(words[place - 1])
    return "".join(_OPERATOR.findall(_LINE_MARKER.sub("", gap))) if beside else ""


def whole_keys(words: Hashes, offsets: Offsets, rows: Numbers) -> Hashes:
    """Return the key of all words of each text in `rows`."""
    sizes = np.diff(offsets)[rows]
    keys = np.zeros(rows.size, np.uint64)
    for size in np.unique(sizes).tolist():
        chosen = np.flatnonzero(sizes == size)
        keys[chosen] = keyed(polynomial_at(words, offsets[rows[chosen]], size), size)
    return keys


class _Texts(NamedTuple):
    """The words of some texts, and for each the first text with the same words."""

    words: Hashes
    offsets: Offsets
    first: Numbers

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Texts":
        words, offsets = word_hashes(pa.chunked_array([pa.array(texts, pa.large_string())]))
        keys = whole_keys(words, offsets, np.arange(len(texts)))
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        return cls(words, offsets, first[group])

    @property
    def sizes(self) -> Numbers:
        return np.diff(self.offsets)

    @property
    def firsts(self) -> Flags:
        """Whether a text is the first one with its words."""
        return np.equal(self.first, np.arange(self.first.size))


class _Grams(NamedTuple):
    """8-grams of texts: their keys, the text of each, and whether it says more than numbers and letters."""

    keys: Hashes
    texts: Numbers
    telling: Flags

    @classmethod
    def of(cls, texts: _Texts) -> "_Grams":
        """Return the 8-grams of all texts but those that repeat an earlier one."""
        hashes = polynomial(texts.words, GRAM)
        owner = np.repeat(np.arange(texts.sizes.size), texts.sizes)[: hashes.size]
        places = np.flatnonzero(texts.firsts[owner] & (np.arange(hashes.size) + GRAM <= texts.offsets[owner + 1]))
        told = to_offsets((~np.isin(texts.words, _bare_hashes())).astype(np.int64))
        telling = told[places + GRAM] - told[places] >= LEAST_TELLING
        return cls(keyed(hashes[places], GRAM), owner[places], telling)


def _naming(question: _Texts, answer: _Texts, stem: _Texts) -> tuple[Hashes, Numbers]:
    """Return the distinct 8-grams that name an item, with their owners, both sorted."""
    grams = [_Grams.of(texts) for texts in (question, answer, stem)]
    keys, items, telling = (np.concatenate(columns) for columns in zip(*grams, strict=True))
    part = np.repeat(PARTS, [each.keys.size for each in grams])
    named = telling & (_spread(keys, question.first[items]) <= MOST_ITEMS)
    has_own = np.zeros(question.sizes.size, np.bool_)
    has_own[items[named & (part == QUESTION)]] = True
    named |= (part == QUESTION) & ~has_own[items]
    keys, owners = keys[named], len(PARTS) * items[named] + part[named]
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    keep = np.ones(keys.size, np.bool_)
    same = keys[1:] == keys[:-1]
    keep[1:] = ~same | (owners[1:] != owners[:-1])
    keep[1:] &= ~same | (owners[1:] % len(PARTS) != ANSWER) | (owners[1:] - owners[:-1] != ANSWER - QUESTION)
    return keys[keep], owners[keep]


def _spread(keys: Hashes, owners: Numbers) -> Numbers:
    """Return for each key the number of different owners it has."""
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    new = np.ones(keys.size, np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    fresh = new.copy()
    fresh[1:] |= owners[1:] != owners[:-1]
    counts = np.diff(np.append(to_offsets(fresh.astype(np.int64))[:-1][new], fresh.sum()))
    spread = np.empty(keys.size, np.int64)
    spread[order] = counts[np.cumsum(new) - 1]
    return spread


class _Short(NamedTuple):
    """What is done with questions of fewer than GRAM words: looked for inside other text, or only as a whole."""

    contained: Numbers
    whole: Numbers
    operators: Hashes
    lines: Flags


def _short(questions: Sequence[str], words: _Texts) -> _Short:
    count = len(questions)
    contained, whole, lines = (np.zeros(count, np.bool_) for _ in range(3))
    operators = np.zeros(count, np.uint64)
    for row in np.flatnonzero((words.sizes > 0) & (words.sizes < GRAM) & words.firsts).tolist():
        parts, gaps = parted(questions[row])
        operators[row] = operator_hash(parts, gaps)
        weight = sum(_weight(word) for word in parts)
        sums = operators[row] != 0 and weight > 0
        contained[row] = weight >= LINE_WEIGHT or sums
        lines[row] = contained[row] and weight < WEIGHT and not sums
        whole[row] = not contained[row]
    return _Short(np.flatnonzero(contained), np.flatnonzero(whole), operators, lines)


def _stem(question: str) -> str:
    """Return what is asked before the options of a multiple choice; nothing where there are none."""
    found = _OPTION.search(question)
    return question[: found.start()] if found else ""


def _is_bare(word: str) -> bool:
    """Whether a word is a number or a single letter of an alphabet."""
    return word.isdecimal() or (len(word) == 1 and not _is_single(word))


def _weight(word: str) -> float:
    return 0.5 if _is_single(word) else 0.0 if _is_bare(word) else 1.0


def _is_single(word: str) -> bool:
    """Whether a word is one Chinese or Japanese character (the kana and the unified ideographs)."""
    return len(word) == 1 and word >= "\u3040" and not word.isdecimal()


@cache
def _bare_hashes() -> Hashes:
    """Return the hashes of numbers below 10,000 and of single Latin letters."""
    numbers = [*map(str, range(10_000)), *(f"{number:02d}" for number in range(10))]
    return np.sort(word_hashes(pa.array([" ".join([*numbers, *"abcdefghijklmnopqrstuvwxyz"])]))[0])


def _below(values: Numbers, most: int) -> bool:
    return not values.size or (int(values.min()) >= 0 and int(values.max()) < most)


def _pack(values: npt.NDArray[Any]) -> str:
    return b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def _unpack(text: str, kind: str) -> npt.NDArray[Any]:
    return np.frombuffer(b64decode(text, validate=True), kind).astype(np.dtype(kind).newbyteorder("="))
