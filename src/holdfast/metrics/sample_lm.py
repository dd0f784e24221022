"""The perplexity of fixed real text under a word-bigram model fitted to one step's samples.

It stands in for the watched model's own perplexity where only its samples are at hand: samples that no longer hold
what real text says teach a small model less of it. It is the data-side twin, not the model's perplexity, and carries
its own name. Every step fits on equally many words over one fixed list of them, so that steps compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.blocks import Cut, hashed
from holdfast.models.ngram_lm import fit

Ids = NDArray[np.int64]
Counts = NDArray[np.int64]

NAME = "a word-bigram model fitted to the samples"
# Later steps may have somewhat fewer words than the first; every step is cut to this share of it.
SHARE = 0.9


@dataclass(frozen=True, slots=True)
class SampleLM:
    """What is the same at every step: the list of words, how many are read, the real texts as numbers of words."""

    words: NDArray[np.uint64]
    budget: int
    texts: tuple[tuple[Ids, Counts], ...]

    def nll(self, given: Cut) -> tuple[list[float], ...] | None:
        """Return nats per word of each document of each set of texts; None where the samples have too few words."""
        if len(given.ids) < self.budget:
            return None
        used = given.first(self.budget)
        model = fit(_numbers(self.words, used.ids), used.offsets, len(self.words) + 1)
        return tuple(model.cross_entropy(ids, bounds).tolist() for ids, bounds in self.texts)


def sample_lm(start: Cut, *sets: Sequence[str]) -> SampleLM:
    """Fix the words of the first step's samples and of all sets of real texts; any other word counts as one."""
    read = [hashed(texts) for texts in sets]
    words = np.unique(np.concatenate([start.ids, *(ids for ids, _ in read)]))
    numbered = tuple((_numbers(words, ids), offsets) for ids, offsets in read)
    return SampleLM(words, int(SHARE * len(start.ids)), numbered)


def _numbers(words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> Ids:
    """Return each word's place in the list, and the list's length for a word that is not in it."""
    place = np.minimum(np.searchsorted(words, ids), max(len(words) - 1, 0))
    return np.where(words[place] == ids, place, len(words)).astype(np.int64) if len(words) else np.zeros(len(ids), int)
