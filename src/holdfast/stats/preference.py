"""What moves a judge besides quality: which side a text stood on, how long it is, and who wrote it.

Works on outcomes of comparisons: 1 where the first won, 0 where the second did, 0.5 for a tie.
"""

from collections.abc import Sequence
from math import exp, sqrt

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Measurement
from holdfast.stats.agreement import USUAL, Bootstrap
from holdfast.stats.proportion import normal_quantile, share, wilson

Floats = npt.NDArray[np.float64]
# A ridge on both coefficients: keeps the fit finite where length decides every comparison, and moves no other.
RIDGE = 1e-3
STEPS = 50


def position_consistency(forward: Sequence[float], swapped: Sequence[float]) -> Measurement:
    """Return the share of comparisons with the same outcome in both orders, both told from the first text's side.

    `detail.first_place` is how often the text shown first won, over both orders; without a bias of place it is near
    the share that the second place won (Zheng et al., arXiv:2306.05685, section 3.3).
    """
    pairs = list(zip(forward, swapped, strict=True))
    said = share(sum(one == other for one, other in pairs), len(pairs))
    first = sum((one == 1) + (other == 0) for one, other in pairs)
    second = sum((one == 0) + (other == 1) for one, other in pairs)
    detail = {"first_place": first / (2 * len(pairs) or 1), "second_place": second / (2 * len(pairs) or 1)}
    return Measurement(said.value, said.low, said.high, said.n, said.unit, detail=detail)


def length_controlled(outcomes: Sequence[float] | Floats, longer: Sequence[float] | Floats) -> Measurement:
    """Return the win rate of the first text were both equally long: the logistic fit on length, at no difference.

    P(win) = 1/(1 + exp(-(a + b tanh(d/sd)))), read at d = 0 (Dubois et al., arXiv:2404.04475); `longer` is d, the
    length of the first less that of the second. The interval is that of a, by the larger of the sandwich variance and
    the inverse information: where length alone tells the outcomes apart the first vanishes, and the second says that
    nothing is known. Where all outcomes are equal length explains nothing, and it is Wilson's. `detail.raw` is the
    plain win rate, `detail.slope` is b. Raises UsageError for fewer than three comparisons.
    """
    y, d = np.asarray(outcomes, dtype=np.float64), np.asarray(longer, dtype=np.float64)
    if len(y) != len(d) or len(y) < 3:
        raise UsageError(f"{len(y)} outcomes with {len(d)} lengths.", "Give three comparisons or more, each with both.")
    raw = float(y.mean())
    if float(np.ptp(y)) == 0.0:
        return Measurement(raw, *wilson(raw * len(y), len(y)), len(y), "share", detail={"raw": raw, "slope": 0.0})
    spread = float(d.std())
    x = np.stack([np.ones(len(y)), np.tanh(d / spread) if spread > 0 else np.zeros(len(y))], axis=1)
    fit = np.zeros(2)
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(x @ fit)))
        bread = (x * (p * (1.0 - p))[:, None]).T @ x + RIDGE * np.eye(2)
        fit = np.clip(fit + np.linalg.solve(bread, x.T @ (y - p) - RIDGE * fit), -20.0, 20.0)
    inverse = np.linalg.inv(bread)
    moved = x * (y - p)[:, None]
    error = sqrt(max(float((inverse @ (moved.T @ moved) @ inverse)[0, 0]), float(inverse[0, 0])))
    half = normal_quantile(0.975) * error
    value, low, high = (1.0 / (1.0 + exp(-float(fit[0] + off))) for off in (0.0, -half, half))
    detail = {"raw": raw, "slope": float(fit[1])}
    return Measurement(value, low, high, len(y), "share", detail=detail)


def leakage_score(own_first: float, other_first: float, own_second: float, other_second: float) -> float:
    """Return PLS from the win rates WR(i,i), WR(i,j), WR(j,j), WR(j,i); see `preference_leakage`."""
    parts = []
    for own, other in ((own_first, other_first), (own_second, other_second)):
        average = (own + other) / 2.0
        parts.append((own - average) / average if average > 0 else 0.0)
    return sum(parts) / 2.0


def preference_leakage(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], how: Bootstrap = USUAL
) -> Measurement:
    """Return how much each of two judges favours its own generator: 0 for none, relative to the mean win rate.

    `first` holds the outcomes of the first generator's records under (its own, the other) judge, `second` those of the
    second generator's under (its own, the other). PLS(i,j) = 1/2 [(WR(i,i) - AVG(i,j))/AVG(i,j) + (WR(j,j) -
    AVG(j,i))/AVG(j,i)], AVG(i,j) = 1/2 [WR(i,i) + WR(i,j)] (Li et al., arXiv:2502.01534). The interval resamples
    records of each generator, each with the outcomes of both judges.
    """
    tables = [np.asarray(each, dtype=np.float64) for each in (first, second)]
    if any(table.ndim != 2 or len(table) != 2 or not table.shape[1] for table in tables):
        raise UsageError("Preference leakage needs two judges and records of two generators.", "Give both of each.")
    rng = np.random.default_rng(how.seed)
    drawn = []
    for table in tables:
        n = table.shape[1]
        weights = rng.multinomial(n, np.full(n, 1.0 / n), size=how.resamples) / n
        drawn.append(weights @ table.T)
    rates = [table.mean(axis=1) for table in tables]
    value = float(leakage_score(*rates[0], *rates[1]))
    seen = [leakage_score(*one, *other) for one, other in zip(*drawn, strict=True)]
    tail = 50.0 * (1.0 - how.confidence)
    low, high = (float(each) for each in np.percentile(seen, [tail, 100.0 - tail]))
    return Measurement(value, low, high, sum(table.shape[1] for table in tables), "PLS")
