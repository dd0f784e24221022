"""Samples of one step as blocks of equally many words, and the metrics the alarm watches on each block.

A block has the words of 25 documents, so that every value rests on one token budget: where samples got shorter, more of
them make a block, and fewer blocks come together. The family: distinct-2
and the mass of words seen once, which need nothing but the samples, and, with an anchor, how much of its bigrams and
of its rare words a block holds. On recorded bigram-model generations the first two alarm one generation earlier than
either alone or any of the four with an anchor, and stay silent on fresh real text and on 30 % synthetic; published
series rank doses by rare words and not by distinct-2 (docs/alarm.md). Documents inside a block have no order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.hashing import to_offsets
from holdfast.core.text import word_hashes
from holdfast.core.verdict import Measurement
from holdfast.metrics.lexical import distinct
from holdfast.metrics.ngram import grams
from holdfast.metrics.semantic import PER_CLUSTER, assign, cluster_coverage, clusters, rke
from holdfast.metrics.sketch import ORDERS, Distinct
from holdfast.metrics.tail import RARE, missing_mass
from holdfast.metrics.windows import matched_length
from holdfast.models.encoder import LexicalEncoder, fit_lexical

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]

# Documents of a block, as in the runs that the alarm was calibrated on.
DOCUMENTS = 25
# Blocks of one check: with a drop of 9 %, the smallest that matters, the median alarm came at 7 of at most 40.
MOST_BLOCKS = 40
MOST_DOCUMENTS = DOCUMENTS * MOST_BLOCKS
# Clusters that the anchor is cut into.
MOST_CLUSTERS = 50


@dataclass(frozen=True, slots=True)
class Anchor:
    """Real text, as samples are held against it: its rare words, its bigrams, its clusters under its own encoder."""

    rare: Hashes
    bigrams: Hashes
    encoder: LexicalEncoder
    centres: NDArray[np.float64]


def anchor(texts: Sequence[str], seed: int) -> Anchor:
    """Return the anchor of real texts; at most 2,000 of them, the first, are read."""
    ids, offsets = hashed(texts[: 2 * MOST_DOCUMENTS])
    words, counts = np.unique(ids, return_counts=True)
    encoder = fit_lexical(ids, offsets)
    vectors = encoder.encode_words(ids, offsets)
    k = max(1, min(MOST_CLUSTERS, len(vectors) // PER_CLUSTER))
    centres = np.asarray(clusters(vectors, k, seed))
    return Anchor(words[counts <= RARE], np.unique(grams(ids, offsets, 2)[0]), encoder, centres)


def hashed(texts: Sequence[str]) -> tuple[Hashes, Counts]:
    """Return the word hashes of texts and the documents' offsets into them. A lone surrogate is no letter."""
    whole = [text.encode("utf-8", "replace") for text in texts]
    return word_hashes(pa.array(whole, pa.large_binary()).cast(pa.large_string()))


def length(texts: Sequence[str]) -> int:
    """Return the words per document to use from now on: the 25th percentile of these texts, 5 to 100."""
    return matched_length(np.diff(hashed(texts)[1]))


@dataclass(frozen=True, slots=True)
class Cut:
    """Documents of at most so many words: document i is `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Hashes
    offsets: Counts

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def first(self, words: int) -> "Cut":
        """Return the documents that the first so many words are in, the last of them cut."""
        return Cut(self.ids[:words], np.unique(np.minimum(self.offsets, words)))

    def take(self, documents: Counts) -> "Cut":
        """Return these documents, in this order."""
        return _gathered(self.ids, self.offsets[:-1][documents], np.diff(self.offsets)[documents])


def cut(texts: Sequence[str], words: int, seed: int) -> Cut:
    """Return the first `words` words of each text that has any, in seeded order; at most a thousand texts.

    Equally many texts come in the same order at every step, so that fixed prompts stay in their blocks.
    """
    ids, offsets = hashed(texts)
    lengths = np.minimum(np.diff(offsets), words)
    order = np.random.default_rng(seed).permutation(len(lengths))
    order = order[lengths[order] > 0][:MOST_DOCUMENTS]
    return _gathered(ids, offsets[:-1][order], lengths[order])


def _gathered(ids: Hashes, begins: Counts, lengths: Counts) -> Cut:
    bounds = to_offsets(lengths)
    return Cut(ids[np.arange(bounds[-1]) + np.repeat(begins - bounds[:-1], lengths)], bounds)


def blocks(given: Cut, words: int) -> Iterator[Cut]:
    """Yield blocks of `words` words each: whole documents in their order, the last cut. A rest fills no block."""
    begin = 0
    while begin < len(given):
        end = int(np.searchsorted(given.offsets, given.offsets[begin] + words))
        if end > len(given):
            return
        start = int(given.offsets[begin])
        yield Cut(given.ids[start : start + words], np.append(given.offsets[begin:end] - start, words))
        begin = end


def measured(given: Cut, words: int, real: Anchor | None) -> dict[str, list[float]]:
    """Return a value per block of 25 times `words` words for each watched metric; empty where no block is full."""
    values = [_block(block, real) for block in blocks(given, DOCUMENTS * words)]
    return {name: [one[name] for one in values] for name in (values[0] if values else ())}


def _block(block: Cut, real: Anchor | None) -> dict[str, float]:
    words, counts = np.unique(block.ids, return_counts=True)
    pairs, pair_counts = np.unique(grams(block.ids, block.offsets, 2)[0], return_counts=True)
    found = {"distinct-2": distinct(pair_counts), "missing-mass": missing_mass(counts)}
    if real is not None:
        found["anchor-bigram-recall"] = _held(real.bigrams, pairs)
        found["tail-coverage"] = _held(real.rare, words)
    return found


def described(given: Cut, seen: Distinct, real: Anchor | None) -> dict[str, Measurement]:
    """Return what is shown beside the alarm and judged by nothing: distinct-1 to -4 of all text, RKE, clusters reached.

    `seen` is the mergeable sketch of everything the step said, which may be far more than was cut.
    """
    found = {f"all-distinct-{k}": seen.share(k) for k in ORDERS if seen.runs[k - 1]}
    if len(given) == 0:
        return found
    encoder = real.encoder if real else fit_lexical(given.ids, given.offsets)
    vectors = encoder.encode_words(given.ids, given.offsets)
    found["rke"] = Measurement(rke(vectors), None, None, len(given), "effective texts", encoder.name)
    if real is not None:
        reached = cluster_coverage(assign(vectors, real.centres), len(real.centres))
        found["anchor-cluster-coverage"] = Measurement(reached, None, None, len(given), "share", encoder.name)
    return found


def _held(wanted: Hashes, have: Hashes) -> float:
    return float(np.isin(wanted, have).mean()) if len(wanted) else float("nan")
