"""Lexical diversity of one sample: distinct-k, entropy, moving-average type-token ratio.

All are functions of counts per type or of word ids. None is comparable between samples of different size:
compare at equal token budgets (`metrics.anchor`). Size is not repaired by EAD: the expectation-adjusted distinct of
Liu et al. 2022 (arXiv:2202.13587) is exact only for words drawn uniformly and drifts more than twofold on text.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

# Words per window: the size in common use for MATTR (Covington and McFall, Cutting the Gordian knot,
# Journal of Quantitative Linguistics 17, 2010).
WINDOW = 50


def distinct(counts: Counts) -> float:
    """Return types seen / tokens seen, from the count of each type (zeros allowed); 0 for an empty sample.

    Of k-grams this is distinct-k (Li et al. 2016, arXiv:1510.03055).
    """
    total = int(counts.sum())
    return float(np.count_nonzero(counts)) / total if total else 0.0


def entropy(counts: Counts) -> float:
    """Return the Shannon entropy in nats with the Miller-Madow correction (types - 1) / (2 tokens); 0 if empty.

    G. Miller, Note on the bias of information estimates, 1955. Still too low when most types are unseen.
    """
    seen = counts[counts > 0]
    total = int(seen.sum())
    if total == 0:
        return 0.0
    share = seen / total
    return float(-(share * np.log(share)).sum()) + (len(seen) - 1) / (2.0 * total)


def expectation_adjusted(types: float, tokens: int, vocabulary: int) -> float:
    """Return EAD: types seen / expected types of uniform draws, V [1 - ((V - 1)/V)^C]; shown, never alarmed on.

    Liu et al., ACL 2022, arXiv:2202.13587. 1 for uniform sampling at every size; drifts with size on real text. At
    equal tokens and one vocabulary it ranks sets exactly as distinct-1 does. 0 without tokens.
    """
    expected = -vocabulary * np.expm1(tokens * np.log1p(-1.0 / vocabulary)) if tokens else 0.0
    return float(types / expected) if expected else 0.0


def mattr(ids: NDArray[Any], offsets: Counts, window: int = WINDOW) -> float:
    """Return the mean share of distinct words over all windows of `window` words inside documents.

    Documents shorter than the window have no window; NaN when none has one. It sees repetition inside documents,
    not between them.
    """
    windows = np.maximum(np.diff(offsets) - window + 1, 0)
    shares = window_shares(ids, offsets, window)
    return float((shares * windows)[windows > 0].sum() / windows.sum()) if windows.any() else float("nan")


def window_shares(ids: NDArray[Any], offsets: Counts, window: int = WINDOW) -> Floats:
    """Return for each document the mean share of distinct words over its windows; NaN where it has none."""
    previous = _previous(ids, offsets)
    ends = np.repeat(offsets[1:], np.diff(offsets))
    begins = np.repeat(offsets[:-1], np.diff(offsets))
    place = np.arange(len(ids), dtype=np.int64)
    # A word is new in the windows that start after its previous occurrence and contain it.
    first = np.maximum(np.maximum(previous + 1, place - window + 1), begins)
    last = np.minimum(place, ends - window)
    new = np.concatenate([[0], np.cumsum(np.maximum(last - first + 1, 0))])
    windows = np.maximum(np.diff(offsets) - window + 1, 0)
    sums = (new[offsets[1:]] - new[offsets[:-1]]).astype(np.float64)
    return np.asarray(np.where(windows > 0, sums / np.maximum(windows * window, 1), np.nan))


def _previous(ids: NDArray[Any], offsets: Counts) -> Counts:
    """Return for each word the position of its previous occurrence in the same document, or -1."""
    document = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((np.arange(len(ids)), ids, document))
    same = (ids[order][1:] == ids[order][:-1]) & (document[order][1:] == document[order][:-1])
    previous = np.full(len(ids), -1, dtype=np.int64)
    previous[order[1:][same]] = order[:-1][same]
    return previous
