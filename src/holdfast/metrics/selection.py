"""Selection: records in the order in which each adds most to what those before it cover, for its size.

Greedy choice under a budget: a record's gain is the number of wanted word pairs that none before it holds, per unit of
its size. For sets of one size greedy choice covers at least 1 - 1/e of what the best choice would (Nemhauser, Wolsey
and Fisher 1978); here gains are rounded to steps of a tenth (Badanidiyuru and Vondrak, SODA 2014), so that each record
is looked at a few times whatever the number of records. Nothing is said about quality.
"""

from importlib import import_module
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.core.hashing import Hashes, Offsets, to_offsets
from holdfast.core.text import Texts, shingles

NGRAM = 2
KERNELS = "holdfast.metrics.selection_kernels"

Numbers = NDArray[np.int64]


class Grams(NamedTuple):
    """The word pairs of texts: those of text d are hashes[offsets[d]:offsets[d + 1]]."""

    hashes: Hashes
    offsets: Offsets


def grams(texts: Texts) -> Grams:
    """Return the word pairs of texts, repeated ones repeated."""
    return Grams(*shingles(texts, NGRAM))


def by_coverage(records: Grams, sizes: Numbers, covered: Hashes, wanted: Hashes | None = None) -> Numbers:
    """Return all records in greedy order, int64[n]; of equal gains the first comes first, those without gain last.

    `covered` are pairs that need no more covering. `wanted` are the pairs that count; without it, those of the records.
    """
    missing = np.setdiff1d(records.hashes if wanted is None else wanted, covered)
    places = np.searchsorted(missing, records.hashes)
    known = places < len(missing)
    known[known] = missing[places[known]] == records.hashes[known]
    offsets = to_offsets(known.astype(np.int64))[records.offsets]
    order = np.empty(len(sizes), np.int64)
    seen = np.zeros(len(missing), np.bool_)
    import_module(KERNELS).choose((places[known], offsets), np.maximum(sizes, 1).astype(np.float64), seen, order)
    return order
