"""A word-bigram language model with Witten-Bell back-off: the small model that measures other text.

Words are ids or hashes (any integers); documents are runs of them, `ids[offsets[i]:offsets[i + 1]]`. Fitting and
scoring are vectorised, exact and deterministic. It knows neither characters nor meaning: its cross-entropies
compare samples of equal size under one vocabulary size, they are not a neural model's perplexity.

Back-off: P(w | h) = (c(h, w) + t(h) P(w)) / (c(h) + t(h)), with c(h) the pairs that start with h and t(h) the
distinct words seen after h; P(w) = (c(w) + T / V) / (N + T) for N words, T types, V words that could occur.
I. H. Witten and T. C. Bell, The zero-frequency problem, IEEE Trans. Information Theory 37 (1991), method C.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError

Ids = NDArray[Any]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def unigram(counts: Counts, total: int, types: int, vocabulary: int) -> Floats:
    """Return P(w) for words seen `counts` times among `total` words of `types` types; V = `vocabulary`."""
    if total == 0:
        return np.full(len(counts), 1.0 / vocabulary)
    return (counts + types / vocabulary) / (total + types)


def witten_bell(pairs: Counts, contexts: Counts, followers: Counts, back_off: Floats) -> Floats:
    """Return P(w | h) from c(h, w), c(h), t(h) and P(w); P(w) itself where h was never seen."""
    total = contexts + followers
    return np.where(total > 0, (pairs + followers * back_off) / np.maximum(total, 1), back_off)


def starts(offsets: Counts) -> Counts:
    """Return the positions of the first words of all non-empty documents."""
    return offsets[:-1][np.diff(offsets) > 0]


@dataclass(frozen=True, slots=True)
class BigramLM:
    """A fitted model. `words` is sorted; `pairs` holds sorted keys h * len(words) + w of the pairs seen."""

    vocabulary: int
    tokens: int
    words: Ids
    word_counts: Counts
    pairs: Counts
    pair_counts: Counts
    contexts: Counts
    followers: Counts

    def cross_entropy(self, ids: Ids, offsets: Counts) -> Floats:
        """Return nats per word for each document, shape (documents,); NaN for an empty one.

        The first word of a document is scored by P(w). A word never seen has the probability left for it by V.
        """
        nats = -np.log(self.probability(ids, offsets))
        ends = np.concatenate([[0.0], np.cumsum(nats)])
        lengths = np.diff(offsets)
        sums = ends[offsets[1:]] - ends[offsets[:-1]]
        return np.where(lengths > 0, sums / np.maximum(lengths, 1), np.nan)

    def probability(self, ids: Ids, offsets: Counts) -> Floats:
        """Return P(word | word before it in the document) for every word, shape (words,)."""
        place, known = _find(self.words, ids)
        counts = np.where(known, self.word_counts[place], 0) if len(self.words) else np.zeros(len(ids), np.int64)
        base = unigram(counts, self.tokens, len(self.words), self.vocabulary)
        if len(ids) == 0 or len(self.words) == 0:
            return base
        before, known_before = np.roll(place, 1), np.roll(known, 1)
        known_before[starts(offsets)] = False
        spot, seen = _find(self.pairs, before * len(self.words) + place)
        pairs = np.where(seen & known & known_before, self.pair_counts[spot], 0) if len(self.pairs) else 0 * place
        contexts = np.where(known_before, self.contexts[before], 0)
        return witten_bell(pairs, contexts, np.where(known_before, self.followers[before], 0), base)


def fit(ids: Ids, offsets: Counts, vocabulary: int | None = None) -> BigramLM:
    """Fit the model to documents of word ids.

    `vocabulary` is V, the number of words that could occur: give the same V to models that are compared. By
    default the types seen plus one for all unseen words. Raises UsageError when V is smaller than the types seen.
    """
    words, place, counts = np.unique(ids, return_inverse=True, return_counts=True)
    size = len(words) + 1 if vocabulary is None else vocabulary
    if size < len(words) or size < 1:
        raise UsageError(f"A vocabulary of {size} is smaller than the {len(words)} words seen.", "Give a larger one.")
    place = place.astype(np.int64)
    follows = np.ones(len(ids), dtype=bool)
    follows[starts(offsets)] = False
    after = np.flatnonzero(follows)
    keys = place[after - 1] * len(words) + place[after]
    pairs, pair_counts = np.unique(keys, return_counts=True)
    heads = pairs // max(len(words), 1)
    contexts = np.bincount(place[after - 1], minlength=len(words))
    followers = np.bincount(heads, minlength=len(words))
    return BigramLM(size, len(ids), words, counts, pairs, pair_counts, contexts, followers)


def _find(sorted_keys: Ids, keys: Ids) -> tuple[Counts, NDArray[np.bool_]]:
    """Return for each key its place in `sorted_keys` (clipped to a valid one) and whether it is there."""
    if len(sorted_keys) == 0:
        return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1).astype(np.int64)
    return place, sorted_keys[place] == keys
