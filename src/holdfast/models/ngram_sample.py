"""Documents drawn from a word-bigram model, all at once: pure, at a temperature, or from the nucleus.

The back-off of `models.ngram_lm` is a mixture: P(w | h) = c(h, w)/(c(h) + t(h)) + s(h) P(w), s(h) = t(h)/(c(h) + t(h)).
Drawing is therefore a seen follower by its count, or else any known word by P(w); no row over all words is made. The
same holds after P is raised to 1/T, since (s P)^(1/T) = s^(1/T) P^(1/T), and after the nucleus is cut at a least
probability per context, since what backing off alone brings over the cut is a run of the most frequent words.

Words that were never seen cannot be drawn: their share of P(w) goes to the seen ones in proportion.
Temperature: Ackley, Hinton and Sejnowski 1985; nucleus: Holtzman et al., ICLR 2020, arXiv:1904.09751.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError
from holdfast.models.ngram_lm import BigramLM, Floats, unigram

Ids = NDArray[Any]
Counts = NDArray[np.int64]

# Halvings of the nucleus's least probability per context: to 2^-40 of the largest.
HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Decoding:
    """How text is drawn: 1/temperature is the power of each probability, top_p the mass that is kept of it.

    `best_of` documents are drawn for each that is kept: the one that the model itself finds most likely. Raises
    UsageError for a temperature that is not above 0, a top_p outside (0, 1], or best_of below 1.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    best_of: int = 1

    def __post_init__(self) -> None:
        """Refuse what no text can be drawn with."""
        if not (self.temperature > 0 and 0 < self.top_p <= 1 and self.best_of >= 1):
            raise UsageError(
                f"No text can be drawn with {self}.", "Give temperature > 0, 0 < top_p <= 1, best_of >= 1."
            )


@dataclass(frozen=True, slots=True)
class Table:
    """Running weights to draw by: of seen followers per context, and of words in order of frequency.

    `background` is the share of each context that is drawn among its first `reach` words of `order`.
    """

    words: Ids
    followers: Counts
    pair_mass: Floats
    bounds: Counts
    order: Counts
    word_mass: Floats
    background: Floats
    reach: Counts


def table(model: BigramLM, decoding: Decoding) -> Table:
    """Return what is drawn from: the model's distributions under temperature and nucleus, exact but for 2^-40."""
    size, power = len(model.words), 1.0 / decoding.temperature
    if size == 0:
        raise UsageError("Nothing can be drawn from a model of no words.", "Fit it to at least one document.")
    before, after = np.divmod(model.pairs, size)
    base = unigram(model.word_counts, model.tokens, size, model.vocabulary)
    total = model.contexts + model.followers
    share = np.where(total > 0, model.followers / np.maximum(total, 1), 1.0)
    order = np.argsort(-base, kind="stable")
    lone, lean = base**power, share**power
    full = (model.pair_counts / total[before] + share[before] * base[after]) ** power
    floor = lean[before] * lone[after]
    bounds = np.searchsorted(before, np.arange(size + 1)).astype(np.int64)
    reach = np.full(size, size, np.int64)
    if decoding.top_p < 1.0:
        nucleus = _Nucleus(bounds, before, full, floor, lean, lone[order])
        least = nucleus.least(decoding.top_p)
        reach = nucleus.reach(least)
        place = np.empty(size, np.int64)
        place[order] = np.arange(size)
        full = np.where(full >= least[before], full, 0.0)
        floor = np.where(place[after] < reach[before], floor, 0.0)
    mass = to_running(lone[order])
    extra = to_running(np.maximum(full - floor, 0.0))
    seen = extra[bounds[1:]] - extra[bounds[:-1]]
    other = lean * mass[reach]
    background = other / np.maximum(seen + other, np.finfo(float).tiny)
    return Table(model.words, after, extra, bounds, order, mass, background, reach)


def to_running(values: Floats) -> Floats:
    """Return running sums with a leading 0."""
    return np.concatenate([[0.0], np.cumsum(values)])


@dataclass(frozen=True, slots=True)
class _Nucleus:
    """The least probability per context whose words together have the mass that is asked for."""

    bounds: Counts
    before: Counts
    full: Floats
    floor: Floats
    lean: Floats
    lone: Floats

    def least(self, top_p: float) -> Floats:
        """Return for each context the largest such probability, found by halving."""
        high = np.maximum(self._each(self.full, np.maximum), self.lean * self.lone[0])
        low = np.zeros_like(high)
        wanted = top_p * self._kept(low)
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            enough = self._kept(middle) >= wanted
            low, high = np.where(enough, middle, low), np.where(enough, high, middle)
        return np.asarray(low)

    def reach(self, least: Floats) -> Counts:
        """Return how many words, most frequent first, backing off alone keeps at or above the least."""
        falling = -self.lone
        return np.asarray(np.searchsorted(falling, -least / self.lean, side="right"), dtype=np.int64)

    def _kept(self, least: Floats) -> Floats:
        """Return the mass of all words at or above the least probability of their context."""
        mass = to_running(self.lone)
        held = self.full >= least[self.before]
        back = self.floor >= least[self.before]
        seen = np.where(held, self.full, 0.0) - np.where(back, self.floor, 0.0)
        return self._each(seen, np.add) + self.lean * mass[self.reach(least)]

    def _each(self, values: Floats, how: np.ufunc) -> Floats:
        """Reduce the values of each context's pairs; 0 where it has none."""
        found: Floats = np.zeros(len(self.bounds) - 1)
        some = np.flatnonzero(np.diff(self.bounds))
        if len(some):
            found[some] = how.reduceat(values, self.bounds[some])
        return found


def draw(drawn: Table, documents: int, length: int, rng: np.random.Generator) -> Ids:
    """Return `documents` documents of `length` words each, shape (documents, length), as ids of the model's words.

    The first word is drawn by P(w), as documents are windows that begin anywhere.
    """
    places = np.empty((documents, length), np.int64)
    at = _word(drawn, np.full(documents, len(drawn.words)), rng)
    for step in range(length):
        if step:
            at = _next(drawn, at, rng)
        places[:, step] = at
    return np.asarray(drawn.words[places])


def _next(drawn: Table, at: Counts, rng: np.random.Generator) -> Counts:
    """Draw the word after each of these."""
    back = rng.random(len(at)) < drawn.background[at]
    low, high = drawn.pair_mass[drawn.bounds[at]], drawn.pair_mass[drawn.bounds[at + 1]]
    spot = np.searchsorted(drawn.pair_mass, low + rng.random(len(at)) * (high - low), side="right") - 1
    spot = np.clip(spot, drawn.bounds[at], np.maximum(drawn.bounds[at + 1] - 1, drawn.bounds[at]))
    seen = drawn.followers[np.minimum(spot, max(len(drawn.followers) - 1, 0))] if len(drawn.followers) else at
    return np.where(back, _word(drawn, drawn.reach[at], rng), seen)


def _word(drawn: Table, reach: Counts, rng: np.random.Generator) -> Counts:
    """Draw words by frequency among the first `reach` of them."""
    wanted = rng.random(len(reach)) * drawn.word_mass[reach]
    spot = np.searchsorted(drawn.word_mass, wanted, side="right") - 1
    return np.asarray(drawn.order[np.minimum(spot, np.maximum(reach - 1, 0))])
