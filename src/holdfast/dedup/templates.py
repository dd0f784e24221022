"""Templates: how many records begin with the same words, and how many share one sentence skeleton.

Repeated openings are the first thing that people notice in generated text and averages over n-grams hide. Only the
beginning of each response is looked at. Paraphrased templates are not found here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, Shard
from holdfast.core.hashing import Hashes, mix, polynomial_at
from holdfast.core.text import digests, word_counts, word_hashes, words
from holdfast.dedup.exact import Indices
from holdfast.dedup.threads import in_order

# Fewer than five words are common grammar ("This is one of the", "In this article we"); more let one changed word
# hide a stock opening. Shaib et al. 2024 (arXiv 2403.00553) find templates of 4 to 8 tokens.
OPENING_WORDS = 5
# Long enough for the first words of any language that writes them, short enough to be read at once.
OPENING_CHARS = 120
SKELETON_CHARS = 200
# A skeleton with fewer words ("X is #.") says nothing about a template.
SKELETON_WORDS = 5

_NAME = "{0}(?:\\s+{0})*".format("\\p{Lu}[\\p{L}\\p{M}\\p{N}'\u2019_-]*")
_NUMBER = r"\p{N}+(?:[.,:/]\p{N}+)*"
_AFTER_SENTENCE = "(?s)([.!?\u3002\uff01\uff1f\n]).*$"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The largest group of records of one shape: what they share, and which they are (ascending global indices)."""

    text: str
    members: Indices


@dataclass(frozen=True, slots=True)
class Templates:
    """The largest group of equal openings and of equal skeletons among `records` records."""

    records: int
    opening: Cluster
    skeleton: Cluster

    @property
    def opening_share(self) -> float:
        """Share of the records that begin with the most frequent opening."""
        return self.opening.members.size / self.records if self.records else 0.0

    @property
    def skeleton_share(self) -> float:
        """Share of the records whose first sentence has the most frequent skeleton."""
        return self.skeleton.members.size / self.records if self.records else 0.0


def find(data: Dataset, indices: Indices, workers: int = 1) -> Templates:
    """Find the largest opening and skeleton class among the responses of the records at ascending global indices."""
    shapes = list(in_order(_shapes, _selected(data, indices), workers))
    opening = _largest([(rows, keys) for rows, keys, _ in shapes])
    skeleton = _largest([(rows, keys) for rows, _, keys in shapes])
    named = {
        int(group[0]): data.take(group[:1], ("response",)).column(0) for group in (opening, skeleton) if group.size
    }
    return Templates(
        len(indices),
        Cluster(_opening_text(named[int(opening[0])][0].as_py()) if opening.size else "", opening),
        Cluster(skeletons(named[int(skeleton[0])])[0].as_py() if skeleton.size else "", skeleton),
    )


def opening_keys(texts: pa.ChunkedArray) -> Hashes:
    """Return uint64[n]: equal for texts that begin with the same OPENING_WORDS words; 0 for texts with fewer."""
    hashes, offsets = word_hashes(pc.utf8_slice_codeunits(texts, 0, OPENING_CHARS))
    keys = np.zeros(offsets.size - 1, np.uint64)
    enough = np.flatnonzero(np.diff(offsets) >= OPENING_WORDS)
    keys[enough] = mix(polynomial_at(hashes, offsets[enough], OPENING_WORDS))
    return keys


def skeleton_keys(texts: pa.ChunkedArray) -> Hashes:
    """Return uint64[n]: equal for texts whose first sentence has the same skeleton; 0 where it is too short."""
    shapes = skeletons(texts)
    keys = digests(shapes)[:, 0]
    keys[word_counts(shapes) < SKELETON_WORDS] = 0
    return keys


def skeletons(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the first sentence of each text with numbers as # and runs of capitalised words as X."""
    begun = pc.utf8_slice_codeunits(texts, 0, SKELETON_CHARS)
    named = pc.replace_substring_regex(begun, _NAME, "X")
    counted = pc.replace_substring_regex(named, _NUMBER, "#")
    return pc.replace_substring_regex(counted, _AFTER_SENTENCE, r"\1")


def _opening_text(text: str) -> str:
    return " ".join(words(text[:OPENING_CHARS])[:OPENING_WORDS])


def _selected(data: Dataset, indices: Indices) -> Iterator[tuple[Shard, Indices]]:
    for shard in data.shards:
        begin, end = np.searchsorted(indices, [shard.first, shard.first + shard.rows])
        if begin < end:
            yield shard, indices[begin:end]


def _shapes(chosen: tuple[Shard, Indices]) -> tuple[Indices, Hashes, Hashes]:
    shard, rows = chosen
    texts = shard.table(("response",)).column(0).take(pa.array(rows - shard.first))
    return rows, opening_keys(texts), skeleton_keys(texts)


def _largest(shapes: list[tuple[Indices, Hashes]]) -> Indices:
    """Return the records of the most frequent key other than 0; the one that comes first, where equally frequent."""
    if not shapes:
        return np.empty(0, np.int64)
    rows = np.concatenate([part for part, _ in shapes])
    keys = np.concatenate([part for _, part in shapes])
    rows, keys = rows[keys != 0], keys[keys != 0]
    if not rows.size:
        return np.empty(0, np.int64)
    _, first, group, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    best = np.lexsort((first, -counts))[0]
    return np.asarray(np.sort(rows[group == best]))
