"""A seeded corpus of any size made of real text, with duplicates planted in known numbers.

Each record is a walk over real text (../shared/data/text): it reads on from word to word and now and then jumps to
another place where the same word stands, so that it keeps the vocabulary and the word pairs of real prose without
long verbatim passages. It measures speed and memory; it is no model of anybody's data set.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

SEED = 7
BLOCK = 10_000
# About 1 kB of JSON a record: 165 words of English at 5.6 characters with their space, plus the columns.
WORDS = 165
JUMP = 1 / 8
SYNTHETIC_SHARE = 0.4
EXACT_SHARE = 0.02
NEAR_SHARE = 0.02
# A near-duplicate differs in 4 words of 165: word-trigram Jaccard about 0.86, far above the audit's 0.5.
NEAR_EDITS = 4
GENERATORS = ("alpha-7b", "beta-8b", "gamma-12b")

Array = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Planted:
    """What a corpus holds, counted while it was written. `exact` are records beyond the first of their group."""

    records: int
    bytes: int
    synthetic: int
    exact: int
    near: int


@dataclass(frozen=True, slots=True)
class Walk:
    """The words of the real text, and where else each of them stands.

    `places` lists the positions word by word; the word at position p has the `counts[p]` of them from `starts[p]` on.
    """

    words: list[str]
    places: Array
    starts: Array
    counts: Array

    @classmethod
    def over(cls, words: list[str]) -> "Walk":
        """Index the words."""
        book = {word: code for code, word in enumerate(dict.fromkeys(words))}
        codes = np.array([book[word] for word in words])
        counts = np.bincount(codes)
        starts = np.cumsum(counts) - counts
        return cls(words, np.argsort(codes, kind="stable"), starts[codes], counts[codes])

    def texts(self, count: int, random: np.random.Generator) -> Array:
        """Return the positions of the words of `count` records, one row each."""
        at = random.integers(len(self.words), size=count)
        rows = np.empty((count, WORDS), np.int64)
        for step in range(WORDS):
            elsewhere = self.places[self.starts[at] + random.integers(self.counts[at])]
            at = np.where(random.random(count) < JUMP, elsewhere, at)
            rows[:, step] = at
            at = (at + 1) % len(self.words)
        return rows


def write(path: Path, records: int, texts: Path) -> Planted:
    """Write the corpus as JSON Lines, or read what is planted where it was already written."""
    note = path.with_suffix(".planted.json")
    if path.exists() and note.exists():
        return Planted(**json.loads(note.read_text()))
    path.parent.mkdir(parents=True, exist_ok=True)
    walk = Walk.over(real_words(texts))
    random = np.random.default_rng(SEED)
    counts = np.zeros(3, np.int64)
    with path.open("w", encoding="utf-8") as file:
        for first in range(0, records, BLOCK):
            count = min(BLOCK, records - first)
            kinds = plant(count, random)
            origins = random.random(count) < SYNTHETIC_SHARE
            file.writelines(lines(walk, (first, kinds, origins), random))
            counts += [int(origins.sum()), int((kinds == 1).sum()), int((kinds == 2).sum())]
    planted = Planted(records, path.stat().st_size, *(int(n) for n in counts))
    note.write_text(json.dumps(asdict(planted)))
    return planted


def real_words(folder: Path) -> list[str]:
    """Return the words of all real prose files, in stable order."""
    words: list[str] = []
    for name in ("gutenberg", "movie_reviews", "state_union"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            words += [word for line in file for word in json.loads(line)["text"].split()]
    return words


def plant(count: int, random: np.random.Generator) -> Array:
    """Return what each record of a block is: 0 its own text, 1 an exact and 2 a near copy; the first is its own."""
    drawn = random.random(count)
    kinds = np.where(drawn < EXACT_SHARE, 1, np.where(drawn < EXACT_SHARE + NEAR_SHARE, 2, 0))
    kinds[0] = 0
    return kinds


def lines(walk: Walk, block: tuple[int, Array, Any], random: np.random.Generator) -> Iterator[str]:
    """Yield the JSON lines of one block; a copy repeats an own text of the same block."""
    first, kinds, origins = block
    rows = walk.texts(len(kinds), random)
    sources = np.where(kinds == 0, np.arange(len(kinds)), random.choice(np.flatnonzero(kinds == 0), len(kinds)))
    for index, source in enumerate(sources):
        words = [walk.words[position] for position in rows[source].tolist()]
        if kinds[index] == 2:
            for place in random.choice(WORDS, NEAR_EDITS, replace=False):
                words[place] = walk.words[int(random.integers(len(walk.words)))]
        made = {"origin": "real", "generator": None}
        if origins[index]:
            made = {"origin": "synthetic", "generator": GENERATORS[index % len(GENERATORS)]}
        row = {"id": f"r{first + index:07d}", "text": " ".join(words), **made}
        yield json.dumps(row, ensure_ascii=False) + "\n"
