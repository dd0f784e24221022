"""The field of a comparison: equal windows of candidate, null and reference, and every metric of any sample of them.

Windows become numbers once; a sample is then a choice of rows, and hundreds of samples cost counting only. All metrics
are turned so that higher is more varied: the cross-entropy to a likelihood, self-repetition to exp(-score), self-BLEU
to 1 - score. What is `judged` decides and is permuted as well; what is `described` is reported beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, nan

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.text import Texts, words
from holdfast.metrics import bleu
from holdfast.metrics.compression import compressed_share
from holdfast.metrics.lexical import WINDOW, distinct, entropy, window_shares
from holdfast.metrics.neighbours import coverage, density, within
from holdfast.metrics.ngram import Bigrams, Cells, bigrams, cells, cross_entropy, grams, recall, self_repetition
from holdfast.metrics.semantic import PER_CLUSTER, assign, cluster_coverage, clusters, rke_of_samples
from holdfast.metrics.tail import chao1, missing_mass, tail_coverage
from holdfast.metrics.windows import Hashes, Windows
from holdfast.models.encoder import Encoder, Vectors, fit_lexical

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Values = dict[str, Floats]

# Clusters that can show a loss; fewer anchor documents leave the cluster metric unjudged.
FEWEST_CLUSTERS = 5
MOST_CLUSTERS = 50
# A cluster with fewer reference documents is missed by chance and says nothing.
SMALLEST = 10
# Values are raised to this, so that ratios stay finite.
FLOOR = 1e-6


@dataclass(frozen=True, slots=True)
class Rows:
    """The windows of one group: word hashes, shape (rows, length), the whole texts, the first word's place in each."""

    words: Hashes
    texts: Texts
    begins: Counts

    @classmethod
    def of(cls, windows: Windows, texts: Texts, rows: Counts) -> "Rows":
        """Return these rows of the windows cut from the texts."""
        documents = windows.documents[rows]
        return cls(windows.words[rows], texts.take(pa.array(documents)), windows.begins[rows])

    def excerpts(self) -> list[bytes]:
        """Return the window of each row as text: folded words, one space between two."""
        length = self.words.shape[1]
        starts = zip(self.texts.to_pylist(), self.begins.tolist(), strict=True)
        return [" ".join(words(text)[begin : begin + length]).encode() for text, begin in starts]


@dataclass(frozen=True, slots=True)
class Field:
    """Everything samples are measured on. Rows: n candidate windows, then n null windows.

    `kinds[k - 1]` holds the type number of each run of k words, shape (2n, length - k + 1); `sizes` how many types
    there are, the reference's included; `reference` the reference's counts per word and per bigram; `cells` what the
    rows share, per order; `inside` which of the reference's balls each row lies in; `lexical` the mean share of
    different words over the row's windows.
    """

    n: int
    length: int
    kinds: tuple[Counts, ...]
    sizes: tuple[int, ...]
    bigrams: Bigrams
    reference: tuple[Counts, Counts]
    vectors: Vectors
    labels: Counts
    clusters: int
    inside: NDArray[np.float32]
    cells: tuple[Cells, ...]
    lexical: Floats
    texts: Sequence[bytes]
    encoder: str


def lay_out(sides: tuple[Rows, Rows, Rows], encoder: Encoder | None, rng: np.random.Generator) -> Field:
    """Number the runs of all rows on one list, encode, cluster the reference.

    `sides` are candidate, null and reference; the first two have equally many rows. The default encoder is the lexical
    one fitted to all rows together; another one sees whole texts, not windows.
    """
    all_words = np.concatenate([side.words for side in sides])
    n = len(sides[0].words)
    (single, size), *longer = (_number(all_words, k) for k in (1, 3, 4))
    keys, pairs = np.unique(single[:, :-1] * size + single[:, 1:], return_inverse=True)
    numbered = [(single, size), (pairs.reshape(len(all_words), -1), len(keys)), *longer]
    if encoder is None:
        lexical = fit_lexical(*_flat(all_words))
        name, vectors = lexical.name, lexical.encode_words(*_flat(all_words))
    else:
        name, vectors = encoder.name, np.concatenate([encoder.encode(side.texts) for side in sides])
    labels, k = _cluster(vectors, vectors[2 * n :], rng)
    counts = [np.bincount(kind[2 * n :].ravel(), minlength=most) for kind, most in numbered[:2]]
    return Field(
        n=n,
        length=all_words.shape[1],
        kinds=tuple(kind[: 2 * n] for kind, _ in numbered),
        sizes=tuple(most for _, most in numbered),
        bigrams=bigrams(keys, size),
        reference=(counts[0], counts[1]),
        vectors=vectors[: 2 * n],
        labels=labels,
        clusters=k,
        inside=within(vectors[: 2 * n], vectors[2 * n :]),
        cells=tuple(cells(kind[: 2 * n].ravel(), _bounds(kind[: 2 * n])) for kind, _ in numbered),
        lexical=window_shares(*_flat(all_words[: 2 * n]), min(WINDOW, all_words.shape[1])),
        texts=[*sides[0].excerpts(), *sides[1].excerpts()],
        encoder=name,
    )


def _cluster(vectors: Vectors, reference: Vectors, rng: np.random.Generator) -> tuple[Counts, int]:
    """Cluster the reference, drop outliers' clusters; return the label of every row and the number of clusters.

    No labels and 0 when fewer than five clusters are left: the metric is then unknown.
    """
    k = min(MOST_CLUSTERS, max(1, len(reference) // PER_CLUSTER))
    centres = clusters(reference, k, int(rng.integers(2**32)))
    kept = centres[np.bincount(assign(reference, centres), minlength=k) >= SMALLEST]
    if len(kept) < FEWEST_CLUSTERS:
        return np.zeros(0, np.int64), 0
    return assign(vectors, kept), len(kept)


def _bounds(rows: NDArray[np.generic]) -> Counts:
    return np.arange(len(rows) + 1, dtype=np.int64) * int(rows.shape[1])


def _flat(rows: Hashes) -> tuple[Hashes, Counts]:
    return rows.ravel(), _bounds(rows)


def _number(rows: Hashes, k: int) -> tuple[Counts, int]:
    """Return the type number of every run of k words, shape (rows, length - k + 1), and how many types there are."""
    runs, _ = grams(*_flat(rows), k)
    types, numbers = np.unique(runs, return_inverse=True)
    return numbers.astype(np.int64).reshape(len(rows), -1), len(types)


def judged(field: Field, samples: Counts) -> Values:
    """Return the four primary metrics and tail coverage of each sample of rows, shape (samples,); NaN where unknown.

    `samples` has shape (samples, rows).
    """
    values = _stacked([_judged(field, rows) for rows in samples])
    return _raised({**values, "rke": rke_of_samples(field.vectors, samples)})


def described(field: Field, samples: Counts) -> Values:
    """Return the secondary metrics of each sample of rows, shape (samples,)."""
    return _raised(_stacked([{**_counted(field, rows), **_compared(field, rows)} for rows in samples]))


def _stacked(single: Sequence[dict[str, float]]) -> Values:
    return {slug: np.array([one[slug] for one in single]) for slug in single[0]}


def _raised(values: Values) -> Values:
    return {slug: np.where(np.isnan(seen), seen, np.maximum(seen, FLOOR)) for slug, seen in values.items()}


def _counts(field: Field, rows: Counts, k: int) -> Counts:
    """Return how often each type of k words stands in the sample."""
    return np.bincount(field.kinds[k - 1][rows].ravel(), minlength=field.sizes[k - 1])


def _judged(field: Field, rows: Counts) -> dict[str, float]:
    once, pairs = _counts(field, rows, 1), _counts(field, rows, 2)
    return {
        "anchor-bigram-recall": recall(field.reference[1], pairs),
        "reverse-cross-entropy": exp(-cross_entropy(field.bigrams, field.reference, (once, pairs))),
        "anchor-cluster-coverage": cluster_coverage(field.labels[rows], field.clusters) if field.clusters else nan,
        "tail-coverage": tail_coverage(field.reference[0], once),
    }


def _counted(field: Field, rows: Counts) -> dict[str, float]:
    """What follows from the counts of words and runs."""
    counts = [_counts(field, rows, k) for k in (1, 2, 3, 4)]
    return {
        **{f"distinct-{k}": distinct(counts[k - 1]) for k in (1, 2, 3, 4)},
        "entropy": exp(entropy(counts[0])),
        "missing-mass": missing_mass(counts[0]),
        "chao1": chao1(counts[0]),
        "mattr": float(field.lexical[rows].mean()),
    }


def _compared(field: Field, rows: Counts) -> dict[str, float]:
    """What the rows of the sample say of each other, or of their neighbours in the reference."""
    chosen = np.zeros(2 * field.n, np.bool_)
    chosen[rows] = True
    shared = [seen.among(chosen) for seen in field.cells]
    matched = np.stack([bleu.matches(seen)[rows] for seen in shared]).astype(np.float64)
    runs = np.stack([seen.runs[rows] for seen in shared]).astype(np.float64)
    return {
        "self-repetition": exp(-self_repetition(shared[3], rows)),
        "self-bleu": 1.0 - float(bleu.scores(matched, runs, 1.0).mean()),
        "compression": compressed_share([field.texts[row] for row in rows.tolist()]),
        "prdc-density": density(field.inside[rows]),
        "prdc-coverage": coverage(field.inside[rows]),
    }
