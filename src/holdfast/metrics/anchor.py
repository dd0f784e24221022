"""Is a candidate as varied as real text? Metrics as ratios to an anchor-versus-anchor null at equal token budget.

The anchor is split once, by seed: one half is the reference that samples are held against, the other supplies
the null. Candidate and null samples have equally many windows of equally many words (`metrics.windows`), so every
ratio compares equal budgets; 1 means as varied as real text, less than 1 means worse for every metric here.

    interval     half of each side's documents drawn again and again without replacement (`stats.resample`), on
                 the log scale, given the reference half
    p            documents relabelled between candidate and null; one-sided, for "worse"; exact when both sides
                 come from one source
    worse        the whole interval lies below 1 - margin and p, after Holm within the primary family, is <= .05
    equivalent   the whole interval lies within 1 -+ margin
    better       the whole interval lies above 1 + margin
    inconclusive otherwise; `need_n` says about how many documents a side would decide

What it does not say. A fitted generator's text differs in level from real text from its first generation on, healthy
or not: `worse` here is the generator's *signature*, not a collapse trend. A trend needs several generations (`watch`).
Documents are taken as independent: near-duplicates make intervals too narrow, so compare after deduplication or one
document per cluster. The anchor must be text the generator has not seen: a candidate that repeats its anchor reaches
recall and likelihood ratios of 2 and more, and one that keeps to common words exceeds 1 in both; neither is variety,
`note` says so, and RKE and tail coverage judge it. That is why no member of the family is read alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, isfinite, log1p, nan
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.text import Texts, word_hashes
from holdfast.core.verdict import Measurement
from holdfast.metrics.lexical import distinct
from holdfast.metrics.ngram import Bigrams, bigrams, cross_entropy, grams, recall
from holdfast.metrics.semantic import PER_CLUSTER, assign, cluster_coverage, clusters, rke_of_samples
from holdfast.metrics.tail import tail_coverage
from holdfast.metrics.windows import Hashes, Windows, cut, matched_length
from holdfast.models.encoder import Encoder, Vectors, fit_lexical
from holdfast.stats.resample import Interval, draw, holm, interval, permutation_p

Corpus: TypeAlias = "Texts | Sequence[str]"
Counts = NDArray[np.int64]
Values = dict[str, NDArray[np.float64]]

UNIT = "ratio to anchor-versus-anchor"
PRIMARY = ("anchor-bigram-recall", "reverse-cross-entropy", "rke", "anchor-cluster-coverage")
SECONDARY = ("tail-coverage", "distinct-1", "distinct-2", "distinct-3", "distinct-4")
ANCHORED = ("anchor-bigram-recall", "reverse-cross-entropy", "tail-coverage")
ENCODED = ("rke", "anchor-cluster-coverage")
COMBINED = "anchor-diversity"
LOWER_IS_WORSE = "lower is worse"
NEARER = (
    "nearer to the anchor than other real text is: made from the anchor's own texts, "
    "or concentrated on its most common words"
)

# Work limits: documents read of the candidate (twice as many of the anchor), words per sample and in the reference.
DOCUMENTS = 1000
WORDS = 60_000
# Fewer documents a side than this are not compared.
FEWEST = 50
REPEATS = 40
PERMUTATIONS = 199
ALPHA = 0.05
# Practical equivalence, relative. At 5 % the published .3 dose stays just unnoticed in a bigram-model loop.
MARGIN = 0.05
# Clusters that can show a loss; fewer anchor documents leave the cluster metric unjudged.
FEWEST_CLUSTERS = 5
MOST_CLUSTERS = 50
# A cluster with fewer reference documents is missed by chance and says nothing.
SMALLEST = 10
FLOOR = 1e-6


@dataclass(frozen=True, slots=True)
class Field:
    """Everything samples are measured on. Rows: n candidate windows, then n null windows, then the reference's.

    `kinds[k - 1]` holds the type number of each run of k words, shape (rows, length - k + 1); `sizes` how many
    types there are; `reference` the reference's counts per word and per bigram.
    """

    n: int
    kinds: tuple[Counts, ...]
    sizes: tuple[int, ...]
    bigrams: Bigrams
    reference: tuple[Counts, Counts]
    vectors: Vectors
    labels: Counts
    clusters: int
    encoder: str


def compare(
    candidate: Corpus,
    anchor: Corpus,
    *,
    seed: int,
    repeats: int = REPEATS,
    margin: float = MARGIN,
    encoder: Encoder | None = None,
) -> dict[str, Measurement]:
    """Compare candidate texts with real texts; return the nine metrics and `anchor-diversity`, by slug.

    Every value is the ratio to the null, n the documents compared per side, detail the verdict, p, need_n, budget and
    raw values. reverse-cross-entropy is the ratio of perplexities exp(null - candidate), its raw values are nats.
    `anchor-diversity` is the worst of the four primary ratios; it is `worse` when any of them is. At most 1000
    documents and 60 000 words a sample are used, drawn by `seed`, whatever the size of the input. Too few documents
    give value None and the verdict inconclusive. The default encoder is the lexical one fitted to both sides together;
    another one sees whole texts, not windows.
    """
    rng = np.random.default_rng(seed)
    limits = ((candidate, DOCUMENTS), (anchor, 2 * DOCUMENTS))
    sides = [_pick(texts, draw(rng, len(texts), most)) for texts, most in limits]
    hashed = [word_hashes(side) for side in sides]
    length = matched_length(*(np.diff(offsets) for _, offsets in hashed))
    windows = [cut(ids, offsets, length, rng) for ids, offsets in hashed]
    n = min(len(windows[0].words), len(windows[1].words) // 2, _most(windows[1]))
    scope = {
        "window": length,
        "margin": margin,
        "candidate": _used(candidate, sides[0], windows[0]),
        "anchor": _used(anchor, sides[1], windows[1]),
    }
    if len(windows[0].words) < FEWEST or len(windows[1].words) < FEWEST:
        return {slug: _too_few(n, scope) for slug in (*PRIMARY, *SECONDARY, COMBINED)}
    field = _field(windows, sides, n, encoder, rng)
    return _judge(field, {**scope, "repeats": repeats}, margin, rng)


def _pick(texts: Corpus, rows: Counts) -> Texts:
    """Return the chosen texts as an Arrow array."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        return texts.take(pa.array(rows))
    return pa.array([texts[i] for i in rows], pa.string())


def _most(windows: Windows) -> int:
    """Return how many windows make up the words of one sample at most."""
    return max(FEWEST, WORDS // int(windows.words.shape[1]))


def _used(texts: Corpus, sampled: Texts, windows: Windows) -> dict[str, int]:
    short = len(sampled) - len(windows.documents)
    return {"documents": len(texts), "sampled": len(sampled), "shorter_than_window": short}


def _too_few(n: int, scope: Mapping[str, Any]) -> Measurement:
    detail = {"verdict": "inconclusive", "p": None, "need_n": FEWEST, "direction": LOWER_IS_WORSE, **scope}
    return Measurement(None, None, None, n, UNIT, detail=detail)


def _field(
    windows: Sequence[Windows], sides: Sequence[Texts], n: int, encoder: Encoder | None, rng: np.random.Generator
) -> Field:
    """Draw the rows of the three groups, number all runs on one list, encode, and cluster the reference."""
    mine, real = draw(rng, len(windows[0].words), n), draw(rng, len(windows[1].words), n + _most(windows[1]))
    words = np.concatenate([windows[0].words[mine], windows[1].words[real]])
    (single, size), *longer = (_number(words, k) for k in (1, 3, 4))
    keys, pairs = np.unique(single[:, :-1] * size + single[:, 1:], return_inverse=True)
    numbered = [(single, size), (pairs.reshape(len(words), -1), len(keys)), *longer]
    kinds, sizes = tuple(kind for kind, _ in numbered), tuple(size for _, size in numbered)
    if encoder is None:
        lexical = fit_lexical(*_flat(words))
        name, vectors = lexical.name, lexical.encode_words(*_flat(words))
    else:
        chosen = [side.documents[rows] for side, rows in zip(windows, (mine, real), strict=True)]
        parts = [_pick(side, rows) for side, rows in zip(sides, chosen, strict=True)]
        name, vectors = encoder.name, np.concatenate([encoder.encode(part) for part in parts])
    labels, k = _cluster(vectors, vectors[2 * n :], rng)
    counts = [np.bincount(kind[2 * n :].ravel(), minlength=size) for kind, size in numbered[:2]]
    return Field(n, kinds, sizes, bigrams(keys, size), (counts[0], counts[1]), vectors, labels, k, name)


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


def _flat(words: Hashes) -> tuple[Hashes, Counts]:
    return words.ravel(), np.arange(len(words) + 1) * words.shape[1]


def _number(words: Hashes, k: int) -> tuple[Counts, int]:
    """Return the type number of every run of k words, shape (rows, length - k + 1), and how many types there are."""
    runs, _ = grams(*_flat(words), k)
    types, numbers = np.unique(runs, return_inverse=True)
    return numbers.astype(np.int64).reshape(len(words), -1), len(types)


def measure(field: Field, samples: Counts) -> Values:
    """Return every metric of each sample of rows, shape (samples,): higher is more varied, NaN where unknown.

    `samples` has shape (samples, rows). Values below 1e-6 are raised to it, so that ratios stay finite.
    """
    single = [_measure(field, rows) for rows in samples]
    values = {slug: np.array([one[slug] for one in single]) for slug in single[0]}
    values["rke"] = rke_of_samples(field.vectors[: 2 * field.n], samples)
    return {slug: np.where(np.isnan(seen), seen, np.maximum(seen, FLOOR)) for slug, seen in values.items()}


def _measure(field: Field, rows: Counts) -> dict[str, float]:
    sizes = zip(field.kinds, field.sizes, strict=True)
    counts = [np.bincount(kind[rows].ravel(), minlength=size) for kind, size in sizes]
    return {
        "anchor-bigram-recall": recall(field.reference[1], counts[1]),
        "reverse-cross-entropy": exp(-cross_entropy(field.bigrams, field.reference, (counts[0], counts[1]))),
        "anchor-cluster-coverage": cluster_coverage(field.labels[rows], field.clusters) if field.clusters else nan,
        "tail-coverage": tail_coverage(field.reference[0], counts[0]),
        **{f"distinct-{k}": distinct(counts[k - 1]) for k in (1, 2, 3, 4)},
    }


def _judge(field: Field, scope: Mapping[str, Any], margin: float, rng: np.random.Generator) -> dict[str, Measurement]:
    """Measure, test and name a verdict for every metric, then for the family."""
    n, half, repeats = field.n, field.n // 2, scope["repeats"]
    rows = np.stack([draw(rng, n, half) for _ in range(2 * repeats)])
    mine, null = measure(field, rows[:repeats]), measure(field, n + rows[repeats:])
    p = _permute(field, rng)
    family = holm({slug: p[slug] for slug in PRIMARY})
    shared = {**scope, "permutations": PERMUTATIONS, "budget_tokens": half * field.kinds[0].shape[1]}
    found = {}
    for slug in (*PRIMARY, *SECONDARY):
        logs = np.log([mine[slug], null[slug]])
        detail = {"p": p[slug], "p_family": family.get(slug), **_raw(slug, logs), **shared}
        name = field.encoder if slug in ENCODED else None
        one = _measurement(interval(logs[0] - logs[1], n, half), n, margin, name, detail)
        nearer = slug in ANCHORED and one.detail["verdict"] == "better"
        found[slug] = replace(one, detail={**one.detail, "note": NEARER}) if nearer else one
    return {**found, COMBINED: _combined({slug: found[slug] for slug in PRIMARY}, field.encoder)}


def _permute(field: Field, rng: np.random.Generator) -> dict[str, float]:
    """Return the one-sided p of each metric under relabelling of candidate and null documents; 1 where unknown."""
    n = field.n
    orders = np.stack([np.arange(2 * n), *(rng.permutation(2 * n) for _ in range(PERMUTATIONS))])
    mine, null = measure(field, orders[:, :n]), measure(field, orders[:, n:])
    gaps = {slug: np.log(null[slug] / mine[slug]) for slug in mine}
    return {slug: permutation_p(gap[0], gap[1:]) if isfinite(gap[0]) else 1.0 for slug, gap in gaps.items()}


def _raw(slug: str, logs: NDArray[np.float64]) -> dict[str, Any]:
    """Return the metric itself on both sides at the budget: geometric means, or nats for the cross-entropy."""
    mine, null = (float(value) for value in logs.mean(axis=1))
    if slug == "reverse-cross-entropy":
        return {"raw": -mine, "null": -null, "raw_unit": "nats per word"}
    return {"raw": exp(mine), "null": exp(null), "raw_unit": "effective texts" if slug == "rke" else "share"}


def _measurement(seen: Interval, n: int, margin: float, encoder: str | None, detail: Mapping[str, Any]) -> Measurement:
    """Turn a log ratio and its interval into a Measurement with verdict and need_n."""
    if not isfinite(seen.value):
        unknown = {"verdict": "inconclusive", "need_n": 2 * FEWEST_CLUSTERS * PER_CLUSTER, "raw": None, "null": None}
        return Measurement(None, None, None, n, UNIT, encoder, {**detail, **unknown, "direction": LOWER_IS_WORSE})
    low, high = log1p(-margin), log1p(margin)
    p = detail["p"] if detail["p_family"] is None else detail["p_family"]
    verdict = "inconclusive"
    if seen.high < low and p <= ALPHA:
        verdict = "worse"
    elif low < seen.low and seen.high < high:
        verdict = "equivalent"
    elif seen.low > high:
        verdict = "better"
    need = _need(seen, n, (low, high)) if verdict == "inconclusive" else None
    full = {"verdict": verdict, "need_n": need, "direction": LOWER_IS_WORSE, **detail}
    return Measurement(exp(seen.value), exp(seen.low), exp(seen.high), n, UNIT, encoder, full)


def _need(seen: Interval, n: int, bounds: tuple[float, float]) -> int:
    """Return about how many documents a side would decide: half width shrinks with the root of n.

    The half width must fall below the distance to the nearer bound, taken as at least a tenth of the margin.
    """
    distance = max(min(abs(seen.value - bound) for bound in bounds), bounds[1] / 10.0)
    return max(n + 1, ceil(n * (seen.half / distance) ** 2))


def _combined(primary: Mapping[str, Measurement], encoder: str) -> Measurement:
    """Return the family's verdict with the value of its weakest member."""
    verdicts = {slug: str(one.detail["verdict"]) for slug, one in primary.items()}
    known = {slug: one.value for slug, one in primary.items() if one.value is not None}
    weakest = min(known, key=lambda slug: known[slug])
    seen = set(verdicts.values())
    verdict = "worse" if "worse" in seen else "inconclusive" if "inconclusive" in seen else "equivalent"
    verdict = "better" if seen == {"better"} else verdict
    needs = [one.detail["need_n"] for one in primary.values() if one.detail["need_n"] is not None]
    detail = {
        **primary[weakest].detail,
        "verdict": verdict,
        "weakest": weakest,
        "primary": verdicts,
        "need_n": max(needs, default=None) if verdict == "inconclusive" else None,
    }
    return replace(primary[weakest], encoder=encoder, detail=detail)
