"""What is measured of each generation: perplexity on real text, its own text's variety, and the alarm's inputs.

Two perplexities, kept apart: of real held-out text under the model, and of the model's own samples under it. The
first rises while the second falls; that pair is what collapse looks like from inside. Variety is that of samples of
equal size, counted by the same functions as an audit's.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.lab.backend import Model
from holdfast.lab.documents import Documents
from holdfast.metrics.lexical import distinct, entropy
from holdfast.metrics.ngram import recall
from holdfast.metrics.tail import tail_coverage

Counts = NDArray[np.int64]

# The alarm's blocks: 10 of 25 documents were enough for every regime of the bigram lab (science behind docs/alarm.md).
BLOCKS, BLOCK = 10, 25
# Documents of each kind that the alarm sees and the histograms show.
PAIRED = 200
# The share of all words that belongs to so many most frequent ones is the mode's share.
MODE = 10
# Points of a rank-frequency curve.
POINTS = 40


@dataclass(frozen=True, slots=True)
class Measures:
    """One generation, measured.

    `real` and `own` are mean nats per word; `documents` those of each real held-out document, `samples` those of own
    documents under the own model and `origin` under the first one.

    `types`, `distinct_2`, `effective` (exp of the entropy), `tail` (share of the real text's rare words that are
    left), `recall` (share of its word pairs) and `mode` (share of the ten most frequent words) are of as many own
    documents as the real text has. `blocks` is distinct-2 per block of 25 of them; `ranks` is its rank and frequency.
    """

    generation: int
    real: float
    own: float
    types: int
    distinct_2: float
    effective: float
    tail: float
    recall: float
    mode: float
    documents: tuple[float, ...]
    samples: tuple[float, ...]
    origin: tuple[float, ...]
    blocks: tuple[float, ...]
    ranks: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Measures":
        """Read it back."""
        numbers = {name: tuple(values[name]) for name in ("documents", "samples", "origin", "blocks")}
        return cls(**{**values, **numbers, "ranks": tuple((rank, count) for rank, count in values["ranks"])})


@dataclass(frozen=True, slots=True)
class Reference:
    """What generations are measured against: counts of words and pairs of the real training text."""

    vocabulary: int
    words: Counts
    pairs: Counts
    held_out: Documents

    @classmethod
    def of(cls, train: Documents, held_out: Documents, vocabulary: int) -> "Reference":
        """Count the real text."""
        return cls(vocabulary, counted(train, vocabulary), np.unique(pairs(train, vocabulary)), held_out)


def counted(documents: Documents, vocabulary: int) -> Counts:
    """Return how often each word occurs."""
    return np.bincount(documents.ravel(), minlength=vocabulary)


def pairs(documents: Documents, vocabulary: int) -> Counts:
    """Return every pair of neighbours as one number, shape (documents, words - 1)."""
    return documents[:, :-1] * vocabulary + documents[:, 1:]


def measure(generation: int, models: tuple[Model, Model], samples: Documents, reference: Reference) -> Measures:
    """Measure a generation by its model, the first model, and as many samples as the real text has documents."""
    model, first = models
    size = reference.vocabulary
    words, keys = counted(samples, size), pairs(samples, size)
    kinds, times = np.unique(keys, return_counts=True)
    nats, own = model.nll(reference.held_out), model.nll(samples[:PAIRED])
    both = np.isin(reference.pairs, kinds, assume_unique=True)
    falling = np.sort(words)[::-1]
    return Measures(
        generation,
        float(nats.mean()),
        float(own.mean()),
        int(np.count_nonzero(words)),
        distinct(times),
        float(np.exp(entropy(words))),
        tail_coverage(reference.words, words),
        recall(np.ones(len(both), np.int64), both.astype(np.int64)),
        float(falling[:MODE].sum() / falling.sum()),
        _rounded(nats),
        _rounded(own),
        _rounded(first.nll(samples[:PAIRED])),
        tuple(block_values(keys)),
        tuple(ranks(falling)),
    )


def block_values(keys: Counts) -> list[float]:
    """Return distinct-2 of each block of documents, at most ten."""
    count = min(BLOCKS, len(keys) // BLOCK)
    blocks = keys[: count * BLOCK].reshape(count, -1)
    return [round(distinct(np.unique(block, return_counts=True)[1]), 6) for block in blocks]


def ranks(falling: Counts) -> list[tuple[int, int]]:
    """Return (rank, count) at ranks evenly spaced on a log axis, to the last word that occurs."""
    seen = int(np.count_nonzero(falling))
    at = np.unique(np.rint(np.geomspace(1, max(seen, 1), POINTS)).astype(int)).tolist()
    return [(rank, int(falling[rank - 1])) for rank in at]


def _rounded(nats: NDArray[np.float64]) -> tuple[float, ...]:
    """Five digits are more than a model's numbers repeat to, and a third of the bytes."""
    return tuple(round(float(value), 5) for value in nats)
