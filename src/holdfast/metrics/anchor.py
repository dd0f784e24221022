"""Is a candidate as varied as real text? Metrics as ratios to an anchor-versus-anchor null at equal token budget.

The anchor is split once, by seed: one half is the reference that samples are held against, the other supplies
the null. Candidate and null samples have equally many windows of equally many words (`metrics.windows`), so every
ratio compares equal budgets; 1 means as varied as real text, less than 1 means worse for every metric here.

    interval     half of each side's documents drawn again and again without replacement (`stats.resample`), on
                 the log scale, given the reference half
    p            units relabelled between candidate and null; one-sided, for "worse"; exact when both sides
                 come from one source and every document is a unit of its own
    worse        the whole interval lies below 1 - margin and p, after Holm within the primary family, is <= .05
    equivalent   the whole interval lies within 1 -+ margin
    better       the whole interval lies above 1 + margin
    inconclusive otherwise; `need_n` says about how many documents a side would decide

The four primary metrics and tail coverage are judged so. The others describe: they have no p, their verdict is what
the interval says, and nothing alarms on them.

What it does not say. A fitted generator's text differs in level from real text from its first generation on, healthy
or not: `worse` here is the generator's *signature*, not a collapse trend. A trend needs a `baseline`: an earlier
generation in the place of the null. (An earlier generation as the anchor would not do: a model repeats what it was
trained on.) Documents that came about together make intervals too narrow: give their `groups`. The anchor must be text
the generator has not seen: a candidate that repeats its anchor reaches recall and likelihood ratios of 2 and more, and
one that keeps to common words exceeds 1 in both; neither is variety, `note` says so, and RKE and tail coverage judge
it. That is why no member of the family is read alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, isfinite, log1p
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holdfast.core.text import Texts, word_hashes
from holdfast.core.verdict import Measurement
from holdfast.metrics.field import FEWEST_CLUSTERS, Field, Rows, described, judged, lay_out
from holdfast.metrics.lexical import expectation_adjusted
from holdfast.metrics.neighbours import expected_coverage
from holdfast.metrics.semantic import PER_CLUSTER, vendi
from holdfast.metrics.tail import spectrum
from holdfast.metrics.windows import Windows, cut, matched_length
from holdfast.models.encoder import Encoder
from holdfast.stats.calculator import of_spectrum, told
from holdfast.stats.resample import Interval, draw, holm, interval, permutation_p, units

Corpus: TypeAlias = "Texts | Sequence[str]"
Counts = NDArray[np.int64]

UNIT = "ratio to anchor-versus-anchor"
TREND_UNIT = "ratio to baseline-versus-anchor"
PRIMARY = ("anchor-bigram-recall", "reverse-cross-entropy", "rke", "anchor-cluster-coverage")
JUDGED = (*PRIMARY, "tail-coverage")
DESCRIBED = (
    *("distinct-1", "distinct-2", "distinct-3", "distinct-4", "entropy", "missing-mass", "chao1", "mattr"),
    *("self-repetition", "self-bleu", "compression", "prdc-density", "prdc-coverage"),
)
ANCHORED = ("anchor-bigram-recall", "reverse-cross-entropy", "tail-coverage", "prdc-density", "prdc-coverage")
ENCODED = ("rke", "anchor-cluster-coverage", "prdc-density", "prdc-coverage")
COMBINED = "anchor-diversity"
LOWER_IS_WORSE = "lower is worse"
NEARER = (
    "nearer to the anchor than other real text is: made from the anchor's own texts, "
    "or concentrated on its most common words"
)
SATURATED = "every sample reaches every cluster: too few clusters to tell these sides apart"
# What the number behind each ratio is; a share where nothing is said.
RAW_UNITS = {
    "rke": "effective texts",
    **dict.fromkeys(("reverse-cross-entropy", "entropy"), "nats per word"),
    **dict.fromkeys(("self-repetition", "self-bleu", "prdc-density"), "score"),
    "chao1": "types, at least",
}

# Work limits: documents read of the candidate (twice as many of the anchor), words per sample and in the reference.
DOCUMENTS = 1000
WORDS = 60_000
# Characters read of one document, from a random place: some thirty windows of the longest kind.
CHARACTERS = 20_000
# Fewer documents a side than this are not compared.
FEWEST = 50
# A sample holds at least so many units: larger groups are cut into pieces (`stats.resample.units`).
PIECES = 50
# Subsamples: their spread is known to 7 % of itself for what is judged, to 11 % for what is only described.
REPEATS = 100
DESCRIBED_REPEATS = 40
PERMUTATIONS = 199
ALPHA = 0.05
# Practical equivalence, relative. At 5 % the published .3 dose stays just unnoticed in a bigram-model loop.
MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts to be compared, where more is known of them.

    `groups` holds a number per text, equal for texts that came about together: near-duplicates, one conversation,
    children of one parent. `documents` is the size of the set that the texts were drawn from.
    """

    texts: Corpus
    groups: "Sequence[int] | Counts | None" = None
    documents: int | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """The texts drawn of one side, their windows and the group of each window."""

    texts: Texts
    windows: Windows
    groups: Counts
    used: Mapping[str, int]

    def units(self, rows: Counts) -> Counts:
        """Return the unit of each of these windows, none of them more than a fiftieth of them."""
        return units(self.groups[rows], len(rows) // PIECES)

    def drawn(self, rng: np.random.Generator, m: int) -> Counts:
        """Return m windows, drawn by unit."""
        whole = np.arange(len(self.groups))
        return draw(rng, len(whole), m, self.units(whole))


def compare(
    candidate: "Corpus | Sample",
    anchor: "Corpus | Sample",
    *,
    seed: int,
    baseline: "Corpus | Sample | None" = None,
    margin: float = MARGIN,
    encoder: Encoder | None = None,
) -> dict[str, Measurement]:
    """Compare candidate texts with real texts; return every metric and `anchor-diversity`, by slug.

    Every value is the ratio to the null, n the documents compared per side, detail the verdict, p, need_n, budget and
    raw values. reverse-cross-entropy is the ratio of perplexities exp(null - candidate), its raw values are nats.
    `anchor-diversity` is the worst of the four primary ratios; it is `worse` when any of them is. At most 1000
    documents and 60 000 words a sample are used, drawn by `seed`, whatever the size of the input. Too few documents
    give value None and the verdict inconclusive. The default encoder is the lexical one fitted to all sides together;
    another one sees whole texts, not windows.

    With a `baseline`, such as the generator's first generation, its texts are the null and all of the anchor is the
    reference: the ratios are then the trend since the baseline instead of the level against real text.
    """
    rng = np.random.default_rng(seed)
    given = [side if isinstance(side, Sample) else Sample(side) for side in (candidate, anchor, baseline or ())]
    picked = [_pick(side, most, rng) for side, most in zip(given, (DOCUMENTS, 2 * DOCUMENTS, DOCUMENTS), strict=True)]
    hashed = [word_hashes(texts) for texts, _ in picked]
    length = matched_length(*(np.diff(offsets) for _, offsets in hashed))
    sides = []
    for side, (texts, groups), (ids, offsets) in zip(given, picked, hashed, strict=True):
        windows = cut(ids, offsets, length, rng)
        sides.append(_Side(texts, windows, groups[windows.documents], _used(side, texts, windows)))
    used = [name for name in ("candidate", "anchor", "baseline") if name != "baseline" or baseline is not None]
    scope = {"window": length, "margin": margin, **{name: side.used for name, side in zip(used, sides, strict=False)}}
    n, rows = _split(sides[: len(used)], _most(length), rng)
    if min(len(side.groups) for side in sides[: len(used)]) < FEWEST:
        return {slug: _too_few(n, scope) for slug in (*JUDGED, *DESCRIBED, COMBINED)}
    mine, null, reference = (Rows.of(side.windows, side.texts, chosen) for side, chosen in rows)
    field = lay_out((mine, null, reference), encoder, rng)
    return _judge(field, [side.units(chosen) for side, chosen in rows[:2]], scope, rng)


def _split(sides: Sequence[_Side], most: int, rng: np.random.Generator) -> tuple[int, list[tuple[_Side, Counts]]]:
    """Return how many windows a side has, and whose windows are candidate, null and reference.

    Without a baseline the anchor is both null and reference, in two parts that share no window.
    """
    mine, real, *more = sides
    if more:
        n = min(len(mine.groups), len(more[0].groups), most)
        chosen = [(side, side.drawn(rng, n)) for side in (mine, more[0])]
        return n, [*chosen, (real, real.drawn(rng, most))]
    n = min(len(mine.groups), len(real.groups) // 2, most)
    own, both = mine.drawn(rng, n), real.drawn(rng, n + most)
    return n, [(mine, own), (real, both[:n]), (real, both[n:])]


def _pick(side: Sample, most: int, rng: np.random.Generator) -> tuple[Texts, Counts]:
    """Draw at most `most` texts, by unit; return them as an Arrow array with their groups."""
    groups = np.arange(len(side.texts)) if side.groups is None else np.asarray(side.groups)
    rows = draw(rng, len(side.texts), most, units(groups, most // PIECES))
    if isinstance(side.texts, pa.Array | pa.ChunkedArray):
        chosen = side.texts.take(pa.array(rows))
    else:
        chosen = pa.array([side.texts[i] for i in rows], pa.string())
    return _shortened(chosen, rng), groups[rows]


def _shortened(texts: Texts, rng: np.random.Generator) -> Texts:
    """Return the texts, of very long ones a part from a random place: one window is cut from each in any case."""
    lengths = np.asarray(pc.fill_null(pc.utf8_length(texts), 0))
    if not len(lengths) or int(lengths.max()) <= CHARACTERS:
        return texts
    begins = rng.integers(0, np.maximum(lengths - CHARACTERS, 0) + 1).tolist()
    parts = zip(texts.to_pylist(), begins, strict=True)
    return pa.array([text and text[begin : begin + CHARACTERS] for text, begin in parts], pa.large_string())


def _most(length: int) -> int:
    """Return how many windows make up the words of one sample at most."""
    return max(FEWEST, WORDS // length)


def _used(side: Sample, drawn: Texts, windows: Windows) -> dict[str, int]:
    documents = len(side.texts) if side.documents is None else side.documents
    short = len(drawn) - len(windows.documents)
    return {"documents": documents, "sampled": len(drawn), "shorter_than_window": short}


def _too_few(n: int, scope: Mapping[str, Any]) -> Measurement:
    detail = {"verdict": "inconclusive", "p": None, "need_n": FEWEST, "direction": LOWER_IS_WORSE, **scope}
    return Measurement(None, None, None, n, _unit(scope), detail=detail)


def _unit(scope: Mapping[str, Any]) -> str:
    return TREND_UNIT if "baseline" in scope else UNIT


def _judge(
    field: Field, unit: Sequence[Counts], scope: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Measurement]:
    """Measure, test and name a verdict for every metric, then for the family."""
    n, half = field.n, field.n // 2
    mine = np.stack([draw(rng, n, half, unit[0]) for _ in range(REPEATS)])
    null = n + np.stack([draw(rng, n, half, unit[1]) for _ in range(REPEATS)])
    p = _permute(field, unit, rng)
    family = holm({slug: p[slug] for slug in PRIMARY})
    seen = [{**judged(field, rows), **described(field, rows[:DESCRIBED_REPEATS])} for rows in (mine, null)]
    shared = {
        **scope,
        "subsamples": REPEATS,
        "permutations": PERMUTATIONS,
        "budget_tokens": half * field.length,
        "units": [int(one.max()) + 1 for one in unit],
    }
    found = {}
    for slug in (*JUDGED, *DESCRIBED):
        logs = np.log([side[slug] for side in seen])
        detail = {"p": p.get(slug), "p_family": family.get(slug), **_raw(slug, logs), **_more(slug, logs, field)}
        name = field.encoder if slug in ENCODED else None
        one = _measurement(interval(logs[0] - logs[1], n, half), n, name, {**detail, **shared})
        nearer = slug in ANCHORED and one.detail["verdict"] == "better"
        found[slug] = replace(one, detail={**one.detail, "note": NEARER}) if nearer else one
    return {**found, COMBINED: _combined({slug: found[slug] for slug in PRIMARY}, field.encoder)}


def _permute(field: Field, unit: Sequence[Counts], rng: np.random.Generator) -> dict[str, float]:
    """Return the one-sided p of each judged metric under relabelling of candidate and null units; 1 where unknown."""
    n = field.n
    every = np.concatenate([unit[0], unit[1] + int(unit[0].max()) + 1])
    orders = np.stack([np.arange(2 * n), *(draw(rng, 2 * n, 2 * n, every) for _ in range(PERMUTATIONS))])
    mine, null = judged(field, orders[:, :n]), judged(field, orders[:, n:])
    gaps = {slug: np.log(null[slug] / mine[slug]) for slug in mine}
    return {slug: permutation_p(gap[0], gap[1:]) if isfinite(gap[0]) else 1.0 for slug, gap in gaps.items()}


def _raw(slug: str, logs: NDArray[np.float64]) -> dict[str, Any]:
    """Return the metric itself on both sides at the budget, from the mean of its logarithms."""
    values = [float(value) for value in logs.mean(axis=1)]
    if slug in ("reverse-cross-entropy", "self-repetition"):
        values = [-value for value in values]
    elif slug == "self-bleu":
        values = [1.0 - exp(value) for value in values]
    elif slug != "entropy":
        values = [exp(value) for value in values]
    return {"raw": values[0], "null": values[1], "raw_unit": RAW_UNITS.get(slug, "share")}


def _more(slug: str, logs: NDArray[np.float64], field: Field) -> dict[str, Any]:
    """Return what else is said beside one metric."""
    half = field.n // 2
    if slug == "distinct-1":
        tokens, vocabulary = half * field.length, field.sizes[0]
        adjusted = expectation_adjusted(exp(float(logs[0].mean())) * tokens, tokens, vocabulary)
        return {"expectation_adjusted": adjusted, "vocabulary": vocabulary}
    if slug == "tail-coverage":
        seen = spectrum(np.bincount(field.kinds[0][: field.n].ravel()))
        return {"types_left_if_resampled": told(of_spectrum(seen))}
    if slug == "rke":
        # Of all documents, once: order 1 grows with their number, and an eigenproblem per subsample would be dear.
        return {"vendi": vendi(field.vectors[: field.n]), "vendi_null": vendi(field.vectors[field.n :])}
    if slug == "prdc-coverage":
        return {"expected": expected_coverage(field.inside.shape[1], half)}
    if slug == "anchor-cluster-coverage" and field.clusters:
        return {"clusters": field.clusters, **({} if logs.any() else {"note": SATURATED})}
    return {}


def _measurement(seen: Interval, n: int, encoder: str | None, detail: Mapping[str, Any]) -> Measurement:
    """Turn a log ratio and its interval into a Measurement with verdict and need_n. Without p the interval decides."""
    if not isfinite(seen.value):
        unknown = {"verdict": "inconclusive", "need_n": 2 * FEWEST_CLUSTERS * PER_CLUSTER, "raw": None, "null": None}
        return Measurement(
            None, None, None, n, _unit(detail), encoder, {**detail, **unknown, "direction": LOWER_IS_WORSE}
        )
    low, high = log1p(-detail["margin"]), log1p(detail["margin"])
    p = detail["p"] if detail["p_family"] is None else detail["p_family"]
    verdict = "inconclusive"
    if seen.high < low and (p is None or p <= ALPHA):
        verdict = "worse"
    elif low < seen.low and seen.high < high:
        verdict = "equivalent"
    elif seen.low > high:
        verdict = "better"
    need = _need(seen, n, (low, high)) if verdict == "inconclusive" else None
    full = {"verdict": verdict, "need_n": need, "direction": LOWER_IS_WORSE, **detail}
    return Measurement(exp(seen.value), exp(seen.low), exp(seen.high), n, _unit(detail), encoder, full)


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
