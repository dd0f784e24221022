"""The tail: rare types, the mass never seen, and what is left of the anchor's rare types.

Rare means seen one to three times in the anchor sample. These numbers move first when a distribution narrows.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.dataset import text_of
from holdfast.core.hashing import mix
from holdfast.core.text import iter_items

Counts = NDArray[np.int64]

# Types seen at most this often are the tail; the forecast of `stats.dose` is quoted for the same types.
RARE = 3


def spectrum(counts: Counts) -> dict[int, int]:
    """Return the frequency spectrum: how many types were seen exactly c times, for every c >= 1 that occurs."""
    seen, types = np.unique(counts[counts > 0], return_counts=True)
    return {int(c): int(k) for c, k in zip(seen, types, strict=True)}


def tail_coverage(reference: Counts, sample: Counts, rare: int = RARE) -> float:
    """Return the share of the reference's types seen 1 to `rare` times that occur in the sample; NaN if it has none.

    Counts run over one shared list of types.
    """
    wanted = (reference > 0) & (reference <= rare)
    total = np.count_nonzero(wanted)
    return float(np.count_nonzero(sample[wanted])) / float(total) if total else float("nan")


def missing_mass(counts: Counts) -> float:
    """Return the Good-Turing estimate of the probability of all types not seen: types seen once / tokens.

    I. J. Good, The population frequencies of species, Biometrika 40 (1953). Nearly unbiased. 1 for an empty sample.
    """
    total = int(counts.sum())
    return float(np.count_nonzero(counts == 1)) / total if total else 1.0


def chao1(counts: Counts) -> float:
    """Return Chao's bound V + f1 (f1 - 1) / (2 (f2 + 1)): at least so many types exist. Never an estimate of them.

    A. Chao, Nonparametric estimation of the number of classes in a population, 1984, bias-corrected form.
    """
    once, twice = int(np.count_nonzero(counts == 1)), int(np.count_nonzero(counts == 2))
    return float(np.count_nonzero(counts)) + once * (once - 1) / (2.0 * (twice + 1))


def sampled_words(table: pa.Table, part: int) -> pa.Table:
    """Return `word` (hash) and `count` of the word types of a shard whose hash falls into one of `part` parts.

    A type is in or out wherever it occurs, so that counts of shards add up to those of a whole set.
    """
    kept = [np.empty(0, np.uint64)]
    for ids, _ in iter_items(text_of(table)):
        kept.append(ids[mix(ids) % np.uint64(part) == 0])
    words, counts = np.unique(np.concatenate(kept), return_counts=True)
    return pa.table({"word": words, "count": counts.astype(np.int64)})


def merged_spectrum(tables: Iterable[pa.Table]) -> dict[int, int]:
    """Return the frequency spectrum of the types of all shards of `sampled_words`."""
    whole = pa.concat_tables(tables).group_by("word").aggregate([("count", "sum")])
    return spectrum(whole.column("count_sum").to_numpy())
