"""Agreement of raters beyond chance: Cohen's kappa, Krippendorff's alpha, Gwet's AC1, and plain pairwise agreement.

Ratings are an array of raters x items, NaN where a rater did not rate. Intervals are percentile bootstraps over items
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): items are drawn, never single ratings.
Several items about one prompt are taken as independent, which makes intervals too narrow where they are not.

Where everybody gives every item the same answer, agreement beyond chance cannot be told: the value is None. Such a
resample counts as 0, since it shows no agreement beyond chance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Measurement

Ratings = Sequence[Sequence[float]] | npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]
Floats = npt.NDArray[np.float64]
MISSING = -1


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are drawn: the seed, how many resamples, and which share of them the interval holds."""

    seed: int = 0
    resamples: int = 1000
    confidence: float = 0.95


USUAL = Bootstrap()


@dataclass(frozen=True, slots=True)
class _Table:
    """Ratings as codes of categories, items with equal ratings counted together: they say the same of every figure."""

    codes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    values: Floats

    @property
    def tallies(self) -> Floats:
        """How many raters gave a pattern each category: patterns x categories."""
        told = np.zeros((len(self.counts), len(self.values)))
        for code in range(len(self.values)):
            told[:, code] = (self.codes == code).sum(axis=0)
        return told


def cohen_kappa(
    a: Sequence[float] | Floats, b: Sequence[float] | Floats, weights: Weights = "none", how: Bootstrap = USUAL
) -> Measurement:
    """Return kappa = (p_o - p_e)/(1 - p_e) of two raters over the items that both rated; weighted for ordinal scores.

    J. Cohen, Educational and Psychological Measurement 20 (1960); weighted: Psychological Bulletin 70 (1968),
    kappa_w = 1 - sum w o / sum w e with w = |difference| (linear) or its square (quadratic) of the scores themselves.
    Raises UsageError for raters of unequal length.
    """
    if len(a) != len(b):
        raise UsageError(f"One rater has {len(a)} ratings, the other {len(b)}.", "Give one rating per item, or NaN.")
    table = _table(np.asarray([a, b], float), least=2)
    many = len(table.values)
    gaps = np.abs(table.values[:, None] - table.values[None, :])
    cost = {"none": (gaps > 0).astype(float), "linear": gaps, "quadratic": gaps**2}[weights].ravel()
    cell = np.zeros((len(table.counts), many * many))
    cell[np.arange(len(table.counts)), table.codes[0] * many + table.codes[1]] = 1.0

    def kappa(drawn: Floats) -> Floats:
        seen = (drawn @ cell) / drawn.sum(axis=1, keepdims=True)
        square = seen.reshape(-1, many, many)
        chance = (square.sum(axis=2)[:, :, None] * square.sum(axis=1)[:, None, :]).reshape(-1, many * many)
        return _beyond(seen @ cost, chance @ cost)

    return _measured(kappa, table, "kappa", how, raters=2, weights=weights)


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal", how: Bootstrap = USUAL) -> Measurement:
    """Return alpha = 1 - D_o/D_e of any number of raters, ratings missing or not; n counts items with two or more.

    K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): coincidences within items, each weighted by
    1/(its ratings - 1), with the nominal, ordinal or interval difference function.
    """
    table = _table(np.asarray(ratings, float), least=2)
    tallies = table.tallies
    many, given = len(table.values), tallies.sum(axis=1)
    pairs = tallies[:, :, None] * tallies[:, None, :] - tallies[:, :, None] * np.eye(many)[None]
    pairs = (pairs / (given - 1.0)[:, None, None]).reshape(len(given), many * many)

    def alpha(drawn: Floats) -> Floats:
        seen = (drawn @ pairs).reshape(-1, many, many)
        marginal = seen.sum(axis=2)
        whole = marginal.sum(axis=1)
        distance = _distance(level, table.values, marginal)
        observed = (seen * distance).sum(axis=(1, 2)) / whole
        expected = (marginal[:, :, None] * marginal[:, None, :] * distance).sum(axis=(1, 2)) / (whole * (whole - 1.0))
        return _beyond(observed, expected)

    return _measured(alpha, table, "alpha", how, raters=len(table.codes), level=level)


def gwet_ac1(ratings: Ratings, categories: int | None = None, how: Bootstrap = USUAL) -> Measurement:
    """Return AC1 = (p_a - p_e)/(1 - p_e), p_e = sum pi (1 - pi)/(q - 1): steady where nearly all answers are equal.

    K. L. Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008), sections 3 and 4. `categories` is
    q, how many answers there are to choose from; without it, how many were given. n counts items with two ratings or
    more, on which p_a rests; pi rests on the others too.
    """
    table = _table(np.asarray(ratings, float), least=1)
    tallies, many = table.tallies, max(categories or 0, len(table.values))
    given = tallies.sum(axis=1)
    rated = given >= 2
    agreed = np.where(rated, (tallies * (tallies - 1)).sum(axis=1) / np.maximum(1.0, given * (given - 1.0)), 0.0)
    spread = tallies / given[:, None]

    def ac1(drawn: Floats) -> Floats:
        twice = (drawn @ rated.astype(float)).clip(1e-12)
        pi = (drawn @ spread) / drawn.sum(axis=1, keepdims=True)
        chance = (pi * (1.0 - pi)).sum(axis=1) / max(1, many - 1)
        return _beyond(1.0 - (drawn @ agreed) / twice, 1.0 - chance) if many > 1 else np.full(len(drawn), np.nan)

    n = int(table.counts[rated].sum())
    return _measured(ac1, table, "AC1", how, n, raters=len(table.codes), categories=many)


def raw_agreement(ratings: Ratings, how: Bootstrap = USUAL) -> Measurement:
    """Return the share of pairs of ratings of one item that are equal, averaged over items; chance is not taken out."""
    table = _table(np.asarray(ratings, float), least=2)
    tallies = table.tallies
    given = tallies.sum(axis=1)
    agreed = (tallies * (tallies - 1)).sum(axis=1) / (given * (given - 1.0))
    return _measured(lambda drawn: (drawn @ agreed) / drawn.sum(axis=1), table, "share", how, raters=len(table.codes))


def _table(ratings: Floats, least: int) -> _Table:
    """Return the items with at least `least` ratings. Raises UsageError unless they are raters x items, two raters."""
    if ratings.ndim != 2 or len(ratings) < 2:
        raise UsageError(
            f"Ratings of shape {ratings.shape} are not raters x items.", "Give a row for each of 2 raters."
        )
    missing = np.isnan(ratings)
    values = np.unique(ratings[~missing])
    codes = np.where(missing, MISSING, np.searchsorted(values, np.where(missing, 0.0, ratings)))
    codes = codes[:, (~missing).sum(axis=0) >= least]
    patterns, counts = np.unique(codes, axis=1, return_counts=True)
    return _Table(patterns.astype(np.int64), counts, values)


def _distance(level: Level, values: Floats, marginal: Floats) -> Floats:
    """Return the squared difference of each two categories, resamples x categories x categories."""
    many = len(values)
    if level == "nominal":
        return (1.0 - np.eye(many))[None]
    if level == "interval":
        return ((values[:, None] - values[None, :]) ** 2)[None]
    middle = np.cumsum(marginal, axis=1) - marginal / 2.0
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2, dtype=np.float64)


def _beyond(observed: Floats, expected: Floats) -> Floats:
    """Return 1 - observed/expected disagreement; NaN where none was to be expected."""
    known = expected > 1e-12
    return np.where(known, 1.0 - observed / np.where(known, expected, 1.0), np.nan)


def _measured(
    figure: Callable[[Floats], Floats], table: _Table, unit: str, how: Bootstrap, n: int | None = None, **detail: object
) -> Measurement:
    items = int(table.counts.sum())
    rests_on = items if n is None else n
    value = float(figure(table.counts[None].astype(float))[0]) if rests_on else float("nan")
    least = 0.0 if unit == "share" else -1.0
    if np.isnan(value) or items < 2:
        # One item leaves a bootstrap without width: what it says is known, and nothing about others.
        return Measurement(None if np.isnan(value) else value, least, 1.0, rests_on, unit, detail=detail)
    rng = np.random.default_rng(how.seed)
    drawn = rng.multinomial(items, table.counts / items, size=how.resamples).astype(float)
    seen = np.nan_to_num(figure(drawn), nan=0.0)
    tail = 50.0 * (1.0 - how.confidence)
    low, high = (float(each) for each in np.percentile(seen, [tail, 100.0 - tail]))
    return Measurement(value, low, high, rests_on, unit, detail=detail)
