"""Semantic duplicates: records whose vectors have a cosine at or above a threshold, under an encoder that is named.

A claim of the encoder, not of ours: what it brings together that a person would not is measured per threshold in
docs/encoders.md. Exact and near-duplicates are semantic duplicates too, whatever their vectors say, so the result holds
their pairs as well, each with its cosine. Every pair is found up to 250,000 different texts; beyond that the share
found is measured and stated (`dedup.partition`). Texts without words have no vector and no partner.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import text_of
from holdfast.core.text import Texts, digests
from holdfast.dedup.clusters import NearDuplicates, SemanticSpec
from holdfast.dedup.cosine import MOST_EXACT, Blocks, Pairs, Vectors, similar_pairs
from holdfast.dedup.exact import Indices, Priority, representatives
from holdfast.dedup.partition import partitioned_pairs
from holdfast.dedup.spill import spill
from holdfast.models.encoder import Encoder

# Both were chosen on labelled pairs for all-MiniLM-L6-v2; docs/encoders.md shows the table and the command for it.
# A filter takes records away: at .9, 92 of 100 pairs of answers to one question are both right, and none of three
# million pairs of different questions or problems is a pair but 3 that are one problem told twice.
THRESHOLD = 0.9
# A warning is read by a person: at .85, 74 % of held-out paragraphs are found in a revision that shares less than half
# of their word 5-grams, and .4 % of problems look like another one of 2,000.
PARAPHRASE = 0.85
_CHUNK = 1 << 14
_BLOCK = 1 << 11


Encoded: TypeAlias = "Texts | Vectors"


class Paraphrases(NamedTuple):
    """Records that are near a held-out item: places in the two lists, and the cosine. Sorted by record, then item."""

    record: Indices
    item: Indices
    similarity: npt.NDArray[np.float32]


def encode(tables: Iterable[pa.Table], encoder: Encoder, folder: Path | None = None) -> Vectors:
    """Return the vectors of the records of all shards, float32[records, dimensions]; mapped from `folder` if given."""
    width = encoder.encode(pa.array([], pa.string())).shape[1]
    with spill(folder) as store:
        for table in tables:
            store.append(np.ascontiguousarray(encoder.encode(text_of(table)), np.float32).ravel().view(np.uint32))
        vectors: Vectors = store.values().view(np.float32).reshape(-1, width)
        return vectors


def join(
    vectors: Vectors, spec: SemanticSpec, same: Indices, near: NearDuplicates | None = None, priority: Priority = None
) -> NearDuplicates:
    """Compare the records; `same[i]` is the first record whose text equals that of record i.

    With `near` its pairs are among the result at every threshold. `priority` chooses the representatives.
    """
    active = np.flatnonzero((same == np.arange(len(same))) & vectors.any(axis=1))
    found = _found(vectors if len(active) == len(vectors) else vectors[active], spec.threshold)
    left, right = active[found.left], active[found.right]
    codes = left * len(same) + right
    kept = _codes(near, same)
    also = np.setdiff1d(kept, codes)
    copies = np.flatnonzero(same != np.arange(len(same)))
    pairs = [
        (left, right, np.minimum(found.similarity, 1.0), np.isin(codes, kept)),
        (also // len(same), also % len(same), _cosines(vectors, also // len(same), also % len(same)), also >= 0),
        (same[copies], copies, np.ones(len(copies), np.float32), copies >= 0),
    ]
    left, right, similarity, stays = (np.concatenate([part[column] for part in pairs]) for column in range(4))
    order = np.lexsort((right, left))
    return NearDuplicates(
        rows=len(same),
        spec=spec,
        left=left[order],
        right=right[order],
        similarity=similarity[order].astype(np.float32),
        skipped=found.skipped,
        recall=found.recall,
        priority=priority,
        stays=stays[order],
    )


def find_semantic(texts: Texts, encoder: Encoder, threshold: float = THRESHOLD) -> NearDuplicates:
    """Encode and join texts in one step, in memory: equal texts and those of like vectors."""
    return join(encoder.encode(texts), SemanticSpec(encoder.name, threshold), representatives(digests(texts)))


def paraphrases(records: Encoded, items: Texts, encoder: Encoder, threshold: float = PARAPHRASE) -> Paraphrases:
    """Return which records are close to which held-out items: every pair of cosine >= `threshold`.

    `records` are texts, or their vectors by the same encoder. Whole texts are compared, so give a record's prompt and
    response apart where an item is only one of them. A long record that holds a paraphrase among much else is not
    found. An item that is a template filled anew is.
    """
    mine = records if isinstance(records, np.ndarray) else encoder.encode(records)
    theirs = encoder.encode(items)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    blocks = Blocks(np.concatenate([theirs, mine]), threshold)
    for first in range(0, len(mine), _BLOCK):
        rows = slice(len(theirs) + first, len(theirs) + min(first + _BLOCK, len(mine)))
        record, item, similarity = blocks.compare(rows, slice(0, len(theirs)))
        parts.append((record + first, item, similarity))
    record, item, similarity = (np.concatenate([part[column] for part in parts]) for column in range(3))
    order = np.lexsort((item, record))
    return Paraphrases(record[order], item[order], np.minimum(similarity[order], np.float32(1.0)))


def _found(vectors: Vectors, threshold: float) -> Pairs:
    if len(vectors) > MOST_EXACT:
        return partitioned_pairs(vectors, threshold)
    return similar_pairs(vectors, threshold)


def _codes(near: NearDuplicates | None, same: Indices) -> Indices:
    """Return left * records + right of near pairs of different texts, each text by its first record."""
    if near is None:
        return np.empty(0, np.int64)
    one, other = same[near.left], same[near.right]
    apart = one != other
    return np.unique(np.minimum(one, other)[apart] * len(same) + np.maximum(one, other)[apart])


def _cosines(vectors: Vectors, left: Indices, right: Indices) -> npt.NDArray[np.float32]:
    """Return the cosine of each pair."""
    found = np.empty(len(left), np.float32)
    for first in range(0, len(left), _CHUNK):
        part = slice(first, first + _CHUNK)
        found[part] = np.einsum("ij,ij->i", vectors[left[part]], vectors[right[part]])
    return np.minimum(found, np.float32(1.0))
