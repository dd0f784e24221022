"""Self-BLEU: how well each document of a set is predicted by the others, exact and in linear time.

BLEU-4 of every document against all the others as references, averaged (Zhu et al., Texygen, SIGIR 2018; BLEU:
Papineni et al., ACL 2002). An n-gram's matches are clipped at the most that any *other* document has of it, and for
that the two largest counts per n-gram are enough: the largest, or the second where the document itself holds the
largest. So the work grows with the number of n-grams and not with pairs of documents.

Smoothing: an order without a match counts .1 matches (Chen and Cherry 2014, method 1), and a document without any
common word scores 0. The brevity penalty takes the other document nearest in length, the shorter on a tie. High means
alike. It depends on length and on the number of documents, and is compared only where both are equal.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.ngram import Cells, cells, grams

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]

ORDERS = (1, 2, 3, 4)
SMOOTHING = 0.1


def matches(seen: Cells) -> Counts:
    """Return the clipped matches of every document against the others, as many entries as `seen.runs`."""
    kind, count = seen.kind, seen.count
    first = np.diff(kind, prepend=-1) != 0
    begin = np.maximum.accumulate(np.where(first, np.arange(len(kind)), 0))
    # The first cell of a run holds its largest count: to that document the others offer the next one, where there is
    # one; to the rest they offer the first.
    following = np.append(count[1:], 0) * ~np.append(first[1:], True)
    offered = np.where(first, following, count[begin])
    return np.bincount(seen.document, np.minimum(count, offered), len(seen.runs)).astype(np.int64)


def scores(matched: Floats, runs: Floats, penalty: "Floats | float") -> Floats:
    """Return BLEU per document from its matches and n-grams per order, both of shape (4, documents)."""
    precision = np.where(matched > 0, matched, SMOOTHING) / np.maximum(runs, 1)
    return np.where(matched[0] > 0, penalty * np.exp(np.log(precision).mean(axis=0)), 0.0)


def self_bleu(ids: Hashes, offsets: Counts) -> float:
    """Return the mean BLEU-4 of each document against all others; 0 for fewer than two. `ids` are word hashes."""
    documents = len(offsets) - 1
    if documents < 2:
        return 0.0
    per_order = []
    for k in ORDERS:
        runs, bounds = grams(ids, offsets, k)
        per_order.append(cells(_numbered(runs), bounds))
    matched = np.stack([matches(seen) for seen in per_order]).astype(np.float64)
    runs_of = np.stack([seen.runs for seen in per_order]).astype(np.float64)
    return float(scores(matched, runs_of, brevity(np.diff(offsets))).mean())


def _numbered(values: NDArray[Any]) -> Counts:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def brevity(lengths: Counts) -> Floats:
    """Return the brevity penalty of each document: exp(1 - r / c) where the nearest other length r exceeds its c."""
    order = np.argsort(lengths, kind="stable")
    ranked = lengths[order].astype(np.float64)
    below = np.concatenate([[-np.inf], ranked[:-1]])
    above = np.concatenate([ranked[1:], [np.inf]])
    nearest = np.where(ranked - below <= above - ranked, below, above)
    penalty = np.ones(len(lengths))
    penalty[order] = np.where(nearest > ranked, np.exp(1.0 - nearest / np.maximum(ranked, 1.0)), 1.0)
    return penalty
