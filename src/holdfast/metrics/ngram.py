"""n-gram metrics: runs of words, how much of a reference they cover, how well they predict it, what they repeat.

Runs never cross from one document into the next. Recall and likelihood depend on the sample's size and are read
only as ratios at equal token budgets (`metrics.anchor`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.hashing import polynomial, to_offsets
from holdfast.models.ngram_lm import unigram, witten_bell

Counts = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]


def grams(ids: Hashes, offsets: Counts, k: int) -> tuple[Hashes, Counts]:
    """Return the hashes of all runs of k words inside documents, and the documents' offsets into them.

    `ids` are 64-bit word hashes. A document of fewer than k words has no run (`core.hashing.windows`, made for
    matching, gives it one).
    """
    lengths = np.maximum(np.diff(offsets) - k + 1, 0)
    bounds = to_offsets(lengths)
    place = np.arange(bounds[-1]) + np.repeat(offsets[:-1] - bounds[:-1], lengths)
    return polynomial(ids, k)[place], bounds


def recall(reference: Counts, sample: Counts) -> float:
    """Return the share of the reference's types that occur in the sample; counts run over one shared list of types."""
    wanted = reference > 0
    total = np.count_nonzero(wanted)
    return float(np.count_nonzero(wanted & (sample > 0))) / float(total) if total else 0.0


@dataclass(frozen=True, slots=True)
class Bigrams:
    """A shared list of bigram types in the order of the word before: both words of each, as places in the word list.

    `bounds` has words + 1 entries: the types that begin with word w are bounds[w] to bounds[w + 1].
    """

    before: Counts
    after: Counts
    bounds: Counts


def bigrams(keys: Counts, words: int) -> Bigrams:
    """Return the shared list from sorted keys before * words + after."""
    before = keys // words
    return Bigrams(before, keys % words, np.searchsorted(before, np.arange(words + 1)).astype(np.int64))


def cross_entropy(shared: Bigrams, reference: tuple[Counts, Counts], sample: tuple[Counts, Counts]) -> float:
    """Return nats per bigram of the reference under a bigram model fitted to the sample (reverse cross-entropy).

    Both are (counts per word, counts per bigram) over the same lists. The model is `models.ngram_lm` with V = all
    words of the shared list; only words that have one before them are scored. Lower means that the sample
    teaches more of the reference.
    """
    words, pairs = sample
    wanted = np.flatnonzero(reference[1])
    contexts, followers = _per_word(pairs, shared.bounds), _per_word(pairs > 0, shared.bounds)
    base = unigram(words, int(words.sum()), int(np.count_nonzero(words)), len(words))
    before, after = shared.before[wanted], shared.after[wanted]
    likelihood = witten_bell(pairs[wanted], contexts[before], followers[before], base[after])
    weight = reference[1][wanted]
    return float(-(weight * np.log(likelihood)).sum() / weight.sum())


def _per_word(values: NDArray[Any], bounds: Counts) -> Counts:
    """Sum the values of all bigram types that begin with each word."""
    return np.diff(to_offsets(values)[bounds])


@dataclass(frozen=True, slots=True)
class Cells:
    """The (document, run) cells that tell documents apart: those of runs that stand in two documents or more.

    One entry per cell, ordered by run, then by count, largest first: `document`, `kind` (the run's type number) and
    `count`, how often the document has it. `runs` holds the number of runs of each document.
    """

    document: Counts
    kind: Counts
    count: Counts
    runs: Counts

    def among(self, chosen: Mask) -> "Cells":
        """Return the cells of the chosen documents only; runs of one of them alone may remain."""
        kept = chosen[self.document]
        return Cells(self.document[kept], self.kind[kept], self.count[kept], self.runs)


def cells(kinds: Counts, offsets: Counts) -> Cells:
    """Return the cells of runs given by type number, document after document."""
    runs = np.diff(offsets)
    keys = np.sort(kinds * max(len(runs), 1) + np.repeat(np.arange(len(runs)), runs))
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    count = np.diff(np.append(first, len(keys)))
    kind, document = np.divmod(keys[first], max(len(runs), 1))
    shared = np.bincount(kind)[kind] > 1
    kind, document, count = kind[shared], document[shared], count[shared]
    order = np.lexsort((-count, kind))
    return Cells(document[order], kind[order], count[order], runs)


def self_repetition(seen: Cells, documents: Counts) -> float:
    """Return the mean over documents of ln(1 + sum over the document's distinct runs of (documents with it - 1)).

    With runs of four words this is the self-repetition score of Shaib et al. 2024 (arXiv:2403.00553, after
    Salkar et al. 2022). `documents` are those in `seen`. Grows with their number. 0 without documents.
    """
    if len(documents) == 0:
        return 0.0
    others = np.bincount(seen.kind)[seen.kind] - 1
    shared = np.bincount(seen.document, others, len(seen.runs))
    return float(np.log1p(shared[documents]).mean())
