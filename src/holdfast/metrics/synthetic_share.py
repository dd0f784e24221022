"""The synthetic share of a set of texts against a real and a synthetic reference: value, interval, and its own proof.

Four estimators (`ESTIMATORS`) read scores that no document was learned from: the references are cut into folds by
unit, each fold is scored by what the others taught, and a target document is scored by every fold's model. How far
each estimator is off on mixtures made of held-out references decides its weight, and the same mixtures are the
self-validation that is shown. Where references and target do not fit there is no value, only a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.occurrence import COLUMNS, LEAST_SEEN, Scorer, Shown, scorer, shown
from holdfast.stats.quantify import adjusted_count, auc, calibrate, likeliest, matched_mean

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Sides = NDArray[np.bool_]

FOLDS = 5
ESTIMATORS = ("occurrence", "count", "classifier", "matched")
OCCURRENCE, CLASSIFIER = SCORES = (0, 1)
# Bootstrap replicates of references and target, mixtures per share, and the shares of the self-validation.
REPLICATES, MIXTURES = 200, 20
SHARES = tuple(step / 10 for step in range(11))
CONFIDENCE = 0.9
# Fewer independent documents on a side, or in the target, and neither calibration nor interval means anything.
LEAST_UNITS, LEAST_TARGET = 30, 20
# Held-out references that are told apart less often than this differ too little: at .65 even a thousand documents
# leave an interval of a quarter of the scale.
LEAST_AUC = 0.65
# Mean error on held-out mixtures above which the number would only pretend to be one.
MOST_ERROR = 0.15
# How far the target may be from the nearest mixture of the references, in units of their distance from each other:
# farther, and the references say more about each other than about the target. bench/share.py shows both sides of it.
MOST_MISFIT = 1.0
# References that hardly differ in single words, as continuations of the same openings do, are taken to differ by so
# much: text of the same kind stays below a tenth of it, other kinds of text are at two to seven times it.
LEAST_APART = 0.03


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts and their dependence: those of one unit came about together; `makers` numbers their generators.

    A unit has one number in all the texts that are held against each other.
    """

    texts: Sequence[str]
    units: Rows
    makers: Rows


class Scored(NamedTuple):
    """Scores by scorer (last axis), with unit and maker of each document."""

    scores: Floats
    units: Rows
    makers: Rows

    def drawn(self, rng: np.random.Generator) -> Floats:
        """Return the scores of a bootstrap sample: units with replacement, of one maker where there are several.

        Whoever wrote the target need not be the average of the makers of the reference, and is often one.
        """
        rows = np.flatnonzero(self.makers == rng.choice(np.unique(self.makers)))
        return self.scores[_resampled(rng, rows, self.units)]

    def halves(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return the scores of half of the units, and of one maker's of the others, one of each unit first."""
        found, code = np.unique(self.units, return_inverse=True)
        first = (rng.permutation(len(found)) < (len(found) + 1) // 2)[code]
        rest = np.flatnonzero(~first & (self.makers == rng.choice(np.unique(self.makers))))
        return self.scores[first], self.scores[rest[_spread(rng, code[rest])]]


class Validated(NamedTuple):
    """What was said of held-out mixtures with a known share: mean estimate, mean error, 5 % and 95 % of estimates."""

    share: float
    mean: float
    error: float
    low: float
    high: float


class Share(NamedTuple):
    """An estimate; `value` is None, with `why`, where it cannot be told, and the bounds are then 0 and 1."""

    value: float | None
    low: float
    high: float
    n: int
    misfit: float | None
    by: dict[str, float]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """References that were learned from and held against themselves, ready to measure targets.

    `fold` has the fold of each unit, -1 for a unit without a reference document.
    """

    real: Scored
    synthetic: Scored
    scorers: tuple[Scorer, ...]
    fold: Rows
    rates: Floats
    weights: Floats
    validation: tuple[Validated, ...]
    auc: float
    seed: int
    why: str | None

    @property
    def error(self) -> float:
        """Mean absolute error of the self-validation."""
        return float(np.mean([entry.error for entry in self.validation]))

    def scores(self, texts: Shown, units: Rows) -> Floats:
        """Return documents x folds x scorers; a document of a unit of the references has the one score that is blind.

        Any other scorer learned from it, or from its copy, and would recognise it.
        """
        scores = np.stack([score(texts) for score in self.scorers], axis=1)
        known = np.flatnonzero(units < len(self.fold))
        blind = self.fold[units[known]]
        known, blind = known[blind >= 0], blind[blind >= 0]
        scores[known] = scores[known, blind][:, None]
        return scores

    def measure(self, target: Texts) -> Share:
        """Return the share of synthetic documents among `target`, with a 90 % interval.

        The interval is the percentile bootstrap over units of both references and of the target, calibrated anew
        each time on one of the generators: it holds sampling and calibration error, and what differs from one generator
        of the reference to the next.
        """
        n = len(target.texts)
        why = self.why or (f"there are only {n} documents, {LEAST_TARGET} are needed" if n < LEAST_TARGET else None)
        if why:
            return Share(None, 0.0, 1.0, n, None, {}, why)
        features = shown(target.texts)
        return self.share(Scored(self.scores(features, target.units), target.units, np.zeros(n, np.int64)), features)

    def share(self, target: Scored, features: Shown) -> Share:
        """Return what `measure` does, of documents that are scored already."""
        each = estimates(self.real.scores, self.synthetic.scores, target.scores)
        value = combined(each, self.weights)
        misfit = self.misfit(value, features, target.units)
        by = dict(zip(ESTIMATORS, np.clip(each, 0, 1).round(4).tolist(), strict=True))
        if misfit > MOST_MISFIT:
            why = f"the texts differ from every mixture of the references by {misfit:.1f} times what these differ by"
            return Share(None, 0.0, 1.0, len(target.scores), misfit, by, why)
        rng = np.random.default_rng(self.seed)
        seen = [
            combined(estimates(*(side.drawn(rng) for side in (self.real, self.synthetic, target))), self.weights)
            for _ in range(REPLICATES)
        ]
        low, high = np.quantile(seen, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return Share(value, min(float(low), value), max(float(high), value), len(target.scores), misfit, by)

    def misfit(self, share: float, features: Shown, units: Rows) -> float:
        """Return the squared distance of the target from the mixture over that of the references from each other.

        Over the restricted vocabulary: shares of units that hold a word, each squared difference by its variance
        p (1 - p) at p half way between the references, less what sampling alone would make of it.
        """
        real, synthetic, noise = self.rates
        mixed = (1 - share) * real + share * synthetic
        rates, spread = rates_of(features, units)
        scale = (real + synthetic) / 2
        scale = scale * (1 - scale)
        used = scale > 0
        apart = ((synthetic - real) ** 2 - noise)[used] / scale[used]
        off = ((rates - mixed) ** 2 - spread - noise / 2)[used] / scale[used]
        return max(float(off.mean()), 0.0) / max(float(apart.mean()), LEAST_APART)

    def ranked(self, scores: Floats) -> Floats:
        """Return a number per document that only orders them, from least to most like the synthetic reference."""
        return np.asarray(scores[:, :, CLASSIFIER].mean(axis=1))


def gauge(real: Texts, synthetic: Texts, size: int, seed: int = 0) -> Gauge:
    """Learn from references and validate on held-out mixtures of at most `size` documents."""
    made = np.repeat([False, True], [len(real.texts), len(synthetic.texts)])
    units = np.concatenate([real.units, synthetic.units])
    counts = [len(np.unique(side.units)) for side in (real, synthetic)]
    if min(counts) < LEAST_UNITS:
        what = "real" if counts[0] < LEAST_UNITS else "synthetic"
        why = f"the {what} reference has only {min(counts)} independent documents, {LEAST_UNITS} are needed"
        nothing = Scored(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return Gauge(
            nothing, nothing, (), np.zeros(0, np.int64), np.zeros((3, 0)), np.zeros(len(ESTIMATORS)), (), 0.5, seed, why
        )
    features = shown([*real.texts, *synthetic.texts])
    fold = np.full(int(units.max()) + 1, -1)
    fold[np.unique(units)] = np.random.default_rng(seed).permutation(len(np.unique(units))) % FOLDS
    scores, scorers = _held_out(features, made, fold[units])
    sides = (
        Scored(scores[~made], real.units, real.makers),
        Scored(scores[made], synthetic.units, synthetic.makers),
    )
    weights, validation = _validated(*sides, size, seed)
    separation = auc(scores[~made, CLASSIFIER], scores[made, CLASSIFIER])
    found = Gauge(*sides, scorers, fold, _rates(features, made, units), weights, validation, separation, seed, None)
    return replace(found, why=_unfit(found))


def _unfit(found: Gauge) -> str | None:
    if found.auc < LEAST_AUC:
        return f"the references are too alike: held-out documents are told apart with an AUC of {found.auc:.2f}"
    if found.error > MOST_ERROR:
        return f"on held-out mixtures the estimate is off by {100 * found.error:.0f} points on average"
    return None


def estimates(real: Floats, synthetic: Floats, target: Floats) -> Floats:
    """Return what each of `ESTIMATORS` says; target scores are documents x folds x scorers or without folds."""
    flat = target.reshape(-1, target.shape[-1])
    likely = [likeliest(calibrate(real[:, which], synthetic[:, which])(flat[:, which])) for which in SCORES]
    rest = [side[:, CLASSIFIER] for side in (real, synthetic, flat)]
    count = adjusted_count(*rest)
    matched = matched_mean(*rest)
    return np.asarray([likely[0], matched if count is None else count, likely[1], matched])


def combined(each: Floats, weights: Floats) -> float:
    """Return the weighted mean of estimates, cut to [0, 1]."""
    return float(np.clip(each @ weights, 0.0, 1.0))


def rates_of(features: Shown, units: Rows) -> tuple[Floats, Floats]:
    """Return the share of units that hold each column, and the sampling variance of it. A unit has one vote."""
    sizes = np.unique(units, return_inverse=True, return_counts=True)
    weight = 1.0 / sizes[2][sizes[1]]
    n = len(sizes[0])
    rates = np.bincount(features.columns, weight[features.documents], COLUMNS) / n
    return rates, rates * (1 - rates) / max(n - 1, 1)


def _rates(features: Shown, made: Sides, units: Rows) -> Floats:
    """Return the rates of both references and the variance of their difference; 0 outside the restricted vocabulary."""
    kept = np.bincount(features.columns, minlength=COLUMNS) >= LEAST_SEEN
    (real, first), (synthetic, second) = (
        rates_of(features.take(rows), units[rows]) for rows in (np.flatnonzero(~made), np.flatnonzero(made))
    )
    return np.stack([np.where(kept, values, 0.0) for values in (real, synthetic, first + second)])


def _held_out(features: Shown, made: Sides, fold: Rows) -> tuple[Floats, tuple[Scorer, ...]]:
    """Return the scores of each document by a scorer that saw none of its unit, and the scorers."""
    scores, scorers = np.zeros((features.n, 2)), []
    for number in range(FOLDS):
        learn, judge = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        scorers.append(scorer(features.take(learn), made[learn]))
        scores[judge] = scorers[-1](features.take(judge))
    return scores, tuple(scorers)


def _validated(real: Scored, synthetic: Scored, size: int, seed: int) -> tuple[Floats, tuple[Validated, ...]]:
    """Return the weight of each estimator, by its squared error on held-out mixtures, and what their mean says."""
    rng = np.random.default_rng(seed + 1)
    said = np.zeros((len(SHARES), MIXTURES, len(ESTIMATORS)))
    for repeat in range(MIXTURES):
        (calibrating, others), (made_first, made) = real.halves(rng), synthetic.halves(rng)
        n = min(size, len(others), len(made))
        for row, share in enumerate(SHARES):
            count = round(share * n)
            mixture = np.concatenate([made[:count], others[: n - count]])
            said[row, repeat] = estimates(calibrating, made_first, mixture)
    truth = np.asarray(SHARES)[:, None, None]
    weights = 1.0 / (((said - truth) ** 2).mean(axis=(0, 1)) + 1e-4)
    weights /= weights.sum()
    mean = np.clip(said @ weights, 0, 1)
    tails = np.quantile(mean, [0.05, 0.95], axis=1)
    rows = zip(SHARES, mean.mean(1), np.abs(mean - truth[:, :, 0]).mean(1), *tails, strict=True)
    return weights, tuple(Validated(*(float(value) for value in row)) for row in rows)


def _resampled(rng: np.random.Generator, rows: Rows, units: Rows) -> Rows:
    """Return the rows of as many units as there are, drawn with replacement."""
    found, code = np.unique(units[rows], return_inverse=True)
    if len(found) == len(rows):
        return rows[rng.integers(0, len(rows), len(rows))]
    order, sizes = np.argsort(code, kind="stable"), np.bincount(code)
    chosen = rng.integers(0, len(found), len(found))
    counts = sizes[chosen]
    first = (np.cumsum(sizes) - sizes)[chosen] - (np.cumsum(counts) - counts)
    return rows[order[np.repeat(first, counts) + np.arange(int(counts.sum()))]]


def _spread(rng: np.random.Generator, units: Rows) -> Rows:
    """Return all places in random order, one of each unit before a second of any."""
    order = rng.permutation(len(units))
    within = np.argsort(units[order], kind="stable")
    sorted_units = units[order][within]
    starts = np.flatnonzero(np.diff(sorted_units, prepend=-1))
    place = np.empty(len(units), np.int64)
    place[within] = np.arange(len(units)) - np.repeat(starts, np.diff(np.append(starts, len(units))))
    return order[np.argsort(place, kind="stable")]
