"""Diversity bill: what leaving records out did to the variety and the tail of a set.

Fewer records always hold fewer words, so a loss alone says nothing. A filter is therefore held against chance: records
are left out at random until as many words are left as after the filter, again and again, and every number is the ratio
of what the filter left to what chance left. 1 means "cost what any removal of that size costs", below 1 the filter took
variety, above 1 it took repetition.

The family is the one of `metrics.anchor`, with tail coverage beside it. They are measured against real text where it is
given; else against the records themselves before the filter, so that recall and coverage then read "how much of what
was there is still there". Nothing is said about quality: a bill that costs may be worth paying.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.text import Texts, word_hashes
from holdfast.core.verdict import Measurement
from holdfast.metrics.ngram import Bigrams, bigrams, cross_entropy, recall
from holdfast.metrics.semantic import PER_CLUSTER, assign, cluster_coverage, clusters, rke
from holdfast.metrics.tail import tail_coverage
from holdfast.models.encoder import LexicalEncoder, Vectors, fit_lexical
from holdfast.stats.proportion import normal_quantile

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

UNIT = "ratio to leaving out as much at random"
SLUGS = ("anchor-bigram-recall", "reverse-cross-entropy", "rke", "anchor-cluster-coverage", "tail-coverage")
ENCODED = ("rke", "anchor-cluster-coverage")
# Random removals drawn, and how many of their standard deviations bound chance: 95 % for the five numbers together
# (Bonferroni), on the log scale, where a metric of many documents chosen at random is close to normal.
DRAWS = 30
QUANTILE = normal_quantile(1.0 - 0.05 / (2 * len(SLUGS)))
MOST_CLUSTERS = 50
# Removals of fewer records, or sets of fewer, say nothing that chance does not say.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class _Side:
    """The words and word pairs of some documents, as numbers in the shared lists, and the document of each."""

    words: Counts
    word_documents: Counts
    pairs: Counts
    pair_documents: Counts

    def counts(self, kept: Mask, sizes: tuple[int, int]) -> tuple[Counts, Counts]:
        """Return how often each word and each pair stands in the documents kept."""
        words = np.bincount(self.words[kept[self.word_documents]], minlength=sizes[0])
        return words, np.bincount(self.pairs[kept[self.pair_documents]], minlength=sizes[1])


@dataclass(frozen=True, slots=True)
class _Field:
    """Everything a choice of records is measured on: their words and vectors, and the same of the reference."""

    records: _Side
    shared: Bigrams
    sizes: tuple[int, int]
    reference: tuple[Counts, Counts]
    vectors: Vectors
    labels: Counts
    clusters: int


def bill(texts: Texts, kept: Mask, *, seed: int, anchor: "Texts | None" = None) -> dict[str, Measurement]:
    """Return what keeping only `kept` of the records did, by slug; empty where it is too little to be told.

    `kept` has one entry per text. n is the number of texts; `detail` holds the metric `before` the filter, `after` it,
    after removing as much at `random`, and the verdict: `costs` or `gains` where the interval of chance excludes 1,
    else `like-chance`. Time grows with the texts: give a sample of some thousand.
    """
    left = int(np.count_nonzero(kept))
    if len(kept) - left < FEWEST or left < FEWEST:
        return {}
    encoder, field = _field(texts, anchor, seed)
    random = np.random.default_rng(seed)
    sizes = np.bincount(field.records.word_documents, minlength=len(kept))
    choices = [kept, *(_drawn(random, sizes, int(sizes[kept].sum())) for _ in range(DRAWS))]
    after = _measure(field, choices)
    before = _measure(field, [np.ones(len(kept), np.bool_)])
    return {slug: _measurement(slug, before[slug][0], after[slug], len(kept), encoder.name) for slug in SLUGS}


def _drawn(random: np.random.Generator, sizes: Counts, words: int) -> Mask:
    """Choose records at random until they hold about as many words."""
    order = random.permutation(len(sizes))
    mask = np.zeros(len(sizes), np.bool_)
    mask[order[: 1 + np.searchsorted(np.cumsum(sizes[order]), words)]] = True
    return mask


def _field(texts: Texts, anchor: "Texts | None", seed: int) -> tuple[LexicalEncoder, _Field]:
    hashed = [word_hashes(side) for side in (texts, *(() if anchor is None else (anchor,)))]
    types, places = np.unique(np.concatenate([ids for ids, _ in hashed]), return_inverse=True)
    bounds = np.cumsum([0, *(len(ids) for ids, _ in hashed)])
    spans = [places[begin:end] for begin, end in pairwise(bounds.tolist())]
    paired = [_pairs(span, offsets, len(types)) for span, (_, offsets) in zip(spans, hashed, strict=True)]
    keys = np.unique(np.concatenate([pairs for pairs, _ in paired]))
    sides = [
        _Side(span, _documents(offsets), np.searchsorted(keys, pairs).astype(np.int64), documents)
        for span, (_, offsets), (pairs, documents) in zip(spans, hashed, paired, strict=True)
    ]
    encoder = fit_lexical(*hashed[-1])
    vectors = [encoder.encode_words(*side) for side in hashed]
    k = max(1, min(MOST_CLUSTERS, len(vectors[-1]) // PER_CLUSTER))
    sizes = (len(types), len(keys))
    everything = np.ones(len(hashed[-1][1]) - 1, np.bool_)
    return encoder, _Field(
        records=sides[0],
        shared=bigrams(keys, len(types)),
        sizes=sizes,
        reference=sides[-1].counts(everything, sizes),
        vectors=vectors[0],
        labels=assign(vectors[0], clusters(vectors[-1], k, seed)),
        clusters=k,
    )


def _documents(offsets: Counts) -> Counts:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _pairs(places: Counts, offsets: Counts, words: int) -> tuple[Counts, Counts]:
    """Return the key of each pair of neighbouring words inside a document, and the document."""
    documents = _documents(offsets)
    inside = np.flatnonzero(documents[1:] == documents[:-1])
    return places[inside] * words + places[inside + 1], documents[inside]


def _measure(field: _Field, choices: list[Mask]) -> dict[str, NDArray[np.float64]]:
    """Return each metric for each choice of records; larger is always better."""
    found: dict[str, list[float]] = {slug: [] for slug in SLUGS}
    for kept in choices:
        words, pairs = field.records.counts(kept, field.sizes)
        found["anchor-bigram-recall"].append(recall(field.reference[1], pairs))
        found["reverse-cross-entropy"].append(exp(-cross_entropy(field.shared, field.reference, (words, pairs))))
        found["anchor-cluster-coverage"].append(cluster_coverage(field.labels[kept], field.clusters))
        found["tail-coverage"].append(tail_coverage(field.reference[0], words))
    found["rke"] = [rke(field.vectors[kept]) for kept in choices]
    return {slug: np.asarray(values) for slug, values in found.items()}


def _measurement(slug: str, before: float, after: NDArray[np.float64], n: int, encoder: str) -> Measurement:
    """Turn a metric after the filter, and after each random removal, into a ratio with the interval of chance."""
    named = encoder if slug in ENCODED else None
    chance = after[1:]
    detail: dict[str, Any] = {"before": float(before), "after": float(after[0]), "random": float(chance.mean())}
    if not np.isfinite(after).all() or after.min() <= 0:
        return Measurement(None, None, None, n, UNIT, named, {**detail, "verdict": "unknown"})
    logs = np.log(chance)
    middle = log(float(after[0])) - float(logs.mean())
    half = QUANTILE * float(logs.std(ddof=1)) * sqrt(1.0 + 1.0 / DRAWS)
    low, high = exp(middle - half), exp(middle + half)
    verdict = "costs" if high < 1.0 else "gains" if low > 1.0 else "like-chance"
    return Measurement(exp(middle), low, high, n, UNIT, named, {**detail, "verdict": verdict})
