"""The perplexity of fixed real text under a word-bigram model fitted to one step's samples.

It stands in for the watched model's own perplexity where only its samples are at hand: samples that no longer hold
what real text says teach a small model less of it. It is the data-side twin, not the model's perplexity, and carries
its own name. Every step fits on equally many words over one fixed list of them, so that steps compare. All documents of
a step share the luck of one fit, which their number does not average out: `slack` is what two fits to samples of one
source may differ by, and is added to the margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.blocks import Cut, hashed
from holdfast.models.ngram_lm import fit

Ids = NDArray[np.int64]
Counts = NDArray[np.int64]

NAME = "a word-bigram model fitted to the samples"
# Later steps may have somewhat fewer words than the first; every step is cut to this share of it.
SHARE = 0.9
# Random halvings of the first step that show how much luck there is in a fit.
HALVINGS = 10


@dataclass(frozen=True, slots=True)
class SampleLM:
    """What is the same at every step: the list of words, how many are read, the real texts as numbers of words."""

    words: NDArray[np.uint64]
    budget: int
    texts: tuple[tuple[Ids, Counts], ...]
    slack: float = 0.0

    def nll(self, given: Cut) -> tuple[list[float], ...] | None:
        """Return nats per word of each document of each set of texts; None where the samples have too few words."""
        if len(given.ids) < self.budget:
            return None
        return self._scored(given.first(self.budget))

    def _scored(self, used: Cut) -> tuple[list[float], ...]:
        model = fit(_numbers(self.words, used.ids), used.offsets, len(self.words) + 1)
        return tuple(model.cross_entropy(ids, bounds).tolist() for ids, bounds in self.texts)

    def luck(self, start: Cut) -> float:
        """Return by how many nats two fits to samples of one source differ in 95 of 100 cases.

        The first step is cut into random halves, `HALVINGS` times. Two fits to halves differ with variance 4 v, where v
        is that of a fit to the whole; two whole fits with 2 v. Twice the root of that.
        """
        rng = np.random.default_rng(0)
        squares = []
        for _ in range(HALVINGS):
            order = rng.permutation(len(start))
            halves = [self._scored(start.take(half)) for half in np.array_split(order, 2)]
            first, second = (np.array([float(np.nanmean(one)) for one in half if one]) for half in halves)
            squares.append(np.square(first - second))
        return float(2.0 * np.sqrt(np.mean(squares, axis=0).max() / 2.0)) if squares[0].size else 0.0


def sample_lm(start: Cut, *sets: Sequence[str]) -> SampleLM:
    """Fix the words of all sets of real texts; every other word counts as one, at the first step as at any later.

    Were the first step's words on the list, that step would know more of its own words than any later one.
    """
    read = [hashed(texts) for texts in sets]
    words = np.unique(np.concatenate([ids for ids, _ in read]))
    numbered = tuple((_numbers(words, ids), offsets) for ids, offsets in read)
    made = SampleLM(words, int(SHARE * len(start.ids)), numbered)
    return replace(made, slack=made.luck(start))


def _numbers(words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> Ids:
    """Return each word's place in the list, and the list's length for a word that is not in it."""
    place = np.minimum(np.searchsorted(words, ids), max(len(words) - 1, 0))
    return np.where(words[place] == ids, place, len(words)).astype(np.int64) if len(words) else np.zeros(len(ids), int)
