"""Reworded items: which records near a held-out item in meaning also hold enough of its pairs of neighbouring words.

An encoder alone must be strict, or problems of one kind are taken for one another. Text that people rewrote keeps many
of the old pairs of words even where no longer run is left, so that a pair of texts may be less near where words bear
the nearness out. What share of an item's words a record holds is counted over distinct pairs, wherever they stand.
"""

import numpy as np
import numpy.typing as npt

from holdfast.core.hashing import Hashes, Offsets, mix
from holdfast.core.text import Texts, shingles
from holdfast.dedup.exact import Indices
from holdfast.dedup.semantic import PARAPHRASE, Paraphrases

# Of 329 paragraphs that people rewrote until less than .4 of their word 5-grams was left, runs of words and a cosine
# of .85 find 297, these two as well 321; of 4,000 problems of GSM8K .85 alone takes 54 for another one's paraphrase,
# these two as well 79, many of them one problem told twice (bench/held_out_ways.py measures the first).
NEAR, WORDED = 0.7, 0.4
_CHUNK = 1 << 14


def reworded(near: Paraphrases, records: Texts, items: Texts) -> Paraphrases:
    """Return those of `near` with a cosine of PARAPHRASE, or whose record holds WORDED of the item's pairs of words.

    `records` and `items` are the texts that the places in `near` count.
    """
    doubtful = np.flatnonzero(near.similarity < PARAPHRASE)
    said = np.ones(len(near.record), np.bool_)
    mine, theirs = shingles(records, 2), shingles(items, 2)
    for first in range(0, len(doubtful), _CHUNK):
        rows = doubtful[first : first + _CHUNK]
        said[rows] = _held(_keys(*theirs, near.item[rows]), _keys(*mine, near.record[rows]), len(rows)) >= WORDED
    return Paraphrases(near.record[said], near.item[said], near.similarity[said])


def _keys(hashes: Hashes, offsets: Offsets, rows: Indices) -> tuple[Hashes, Indices]:
    """Return the shingles of each row, made different for each row, and the number of the row."""
    sizes = np.diff(offsets)[rows]
    number = np.repeat(np.arange(len(rows)), sizes)
    inside = np.arange(len(number)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return mix(hashes[offsets[rows][number] + inside] + mix(number.astype(np.uint64))), number


def _held(item: tuple[Hashes, Indices], record: tuple[Hashes, Indices], count: int) -> npt.NDArray[np.float64]:
    """Return for each row the share of the item's distinct shingles that the record holds."""
    keys, first = np.unique(item[0], return_index=True)
    rows = item[1][first]
    held = np.bincount(rows[np.isin(keys, record[0])], minlength=count)
    return np.asarray(held / np.maximum(np.bincount(rows, minlength=count), 1))
