"""Quantification: which share of a set belongs to a class, from scores whose errors were seen on held-out documents.

A share is estimated from the distribution of scores, never by counting classified documents: a classifier that errs
equally often on both sides still counts wrongly at every share but one. All functions take scores of documents that
the scorer did not learn from; a score says how synthetic a document looks, on any scale.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A document may say at most so much: odds of e^4 = 55. A log ratio beyond what a few hundred held-out documents can
# show is extrapolation.
MOST_LOG_RATIO = 4.0
# Thresholds at which true and false positive rates differ by less divide noise by almost nothing.
# G. Forman, Quantifying counts and costs via classification, Data Mining and Knowledge Discovery 17 (2008).
LEAST_GAP = 0.25
SWEEP = 49
CELLS = 64
# Keeps the slope finite where the references are apart without overlap: one pseudo-document in a hundred.
RIDGE = 1e-2


class Calibration(NamedTuple):
    """log P(score | synthetic) / P(score | real) = slope * score + intercept."""

    slope: float
    intercept: float

    def __call__(self, scores: Floats) -> Floats:
        """Return the log ratio of each score, at most `MOST_LOG_RATIO` either way."""
        return np.clip(self.slope * scores + self.intercept, -MOST_LOG_RATIO, MOST_LOG_RATIO)


def calibrate(real: Floats, synthetic: Floats) -> Calibration:
    """Fit the logistic calibration on held-out scores, both sides weighing the same, by Newton's method.

    J. Platt, Probabilistic outputs for support vector machines (1999). With equal weights the fitted log odds are the
    log ratio of the densities. A sum of log ratios over words that are not independent claims far too much; the slope
    below 1 that is found on held-out documents takes that back.
    """
    scores = np.concatenate([real, synthetic])
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    x = (scores - centre) / scale
    y = np.repeat([0.0, 1.0], [len(real), len(synthetic)])
    weight = np.repeat([0.5 / len(real), 0.5 / len(synthetic)], [len(real), len(synthetic)])
    a, b = 1.0, 0.0
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-np.clip(a * x + b, -30, 30)))
        error, spread = weight * (p - y), weight * p * (1.0 - p)
        gradient = np.array([float(error @ x) + RIDGE * a / len(x), float(error.sum())])
        cross = float(spread @ x)
        hessian = np.array([[float(spread @ (x * x)) + RIDGE / len(x), cross], [cross, float(spread.sum())]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        a, b = a - float(np.clip(step[0], -2, 2)), b - float(np.clip(step[1], -2, 2))
        if float(np.abs(step).max()) < 1e-6:
            break
    return Calibration(a / scale, b - a * centre / scale)


def likeliest(log_ratios: Floats) -> float:
    """Return the share a in [0, 1] that maximises sum log(1 - a + a r): the maximum likelihood of a mixture.

    Liang et al. 2024 (arXiv 2403.07183), equation 2, with calibrated log ratios. The sum is concave in a, so that its
    derivative is searched by halving; log ratios are rounded to 1/`CELLS`.
    """
    cells = np.rint((np.clip(log_ratios, -MOST_LOG_RATIO, MOST_LOG_RATIO) + MOST_LOG_RATIO) * CELLS).astype(np.int64)
    counts = np.bincount(cells)
    gain = np.expm1(np.arange(len(counts)) / CELLS - MOST_LOG_RATIO)
    if float(counts @ gain) <= 0:
        return 0.0
    if float(counts @ (gain / (1.0 + gain))) >= 0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if float(counts @ (gain / (1.0 + middle * gain))) > 0 else (low, middle)
    return (low + high) / 2


def adjusted_count(real: Floats, synthetic: Floats, target: Floats) -> float | None:
    """Return (rate - fpr) / (tpr - fpr), the median over thresholds with tpr - fpr >= `LEAST_GAP`; may leave [0, 1].

    Gart and Buck, Comparison of a screening test and a reference test (1966), known as Rogan and Gladen's; median
    sweep: Forman 2008. None where no threshold tells the references apart by that much.
    """
    pooled = np.sort(np.concatenate([real, synthetic]))
    thresholds = pooled[np.linspace(0, len(pooled) - 1, SWEEP + 2).astype(int)[1:-1]]
    above = [1.0 - np.searchsorted(np.sort(scores), thresholds) / len(scores) for scores in (real, synthetic, target)]
    gap = above[1] - above[0]
    good = gap >= min(LEAST_GAP, 1.0)
    return float(np.median((above[2] - above[0])[good] / gap[good])) if good.any() else None


def matched_mean(real: Floats, synthetic: Floats, target: Floats) -> float:
    """Return (mean(target) - mean(real)) / (mean(synthetic) - mean(real)) of calibrated posteriors; may leave [0, 1].

    Bella et al., Quantification via probability estimators (ICDM 2010): probabilistic adjusted count.
    """
    calibration = calibrate(real, synthetic)
    means = [float((1.0 / (1.0 + np.exp(-calibration(scores)))).mean()) for scores in (real, synthetic, target)]
    gap = means[1] - means[0]
    return (means[2] - means[0]) / gap if gap > 0 else 0.0


def auc(real: Floats, synthetic: Floats) -> float:
    """Return the chance that a synthetic document scores above a real one, ties half: Mann and Whitney's U."""
    if not len(real) or not len(synthetic):
        return 0.5
    order = np.sort(real)
    below, upto = np.searchsorted(order, synthetic, "left"), np.searchsorted(order, synthetic, "right")
    return float((below + upto).mean() / 2 / len(real))
