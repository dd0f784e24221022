"""e-values: evidence that may be looked at after every check, and added up, without inflating false alarms.

An e-value is a statistic whose mean is at most 1 while nothing has changed. Its logarithm is what is passed around,
because a hundred blocks that agree are worth more than a float can hold.

    sign block   how many of a check's blocks (or documents) lie on the bad side of a bound, against H0: P <= 1/2
    e-SR         M_t = e_t (1 + M_{t-1}): the mean number of checks before M >= A by chance alone is at least A
    product      M_t = e_t M_{t-1}: the chance that it ever reaches 1/alpha is at most alpha (Ville)
    e-CUSUM      C_t = e_t max(1, C_{t-1}): says when the change began

Shin, Ramdas and Rinaldo, E-detectors, New England J. Statistics in Data Science 2 (2024), arXiv:2203.03532; Ramdas,
Gruenwald, Vovk and Shafer, Game-theoretic statistics and safe anytime-valid inference, arXiv:2210.01948.
"""

from collections.abc import Sequence
from math import inf, log, log1p

import numpy as np

from holdfast.core.errors import UsageError

# log M before the first check: M = 0 for e-SR.
NOTHING = -inf


def log_sign_block(below: int, blocks: int) -> float:
    """Return the log of e = integral from 1/2 to 1 of 2 * 2^B t^S (1 - t)^(B - S) dt, S = `below` of B = `blocks`.

    The e-value of S successes in B trials against H0: P(success) <= 1/2, mixed evenly over P in (1/2, 1); its mean
    under every such P is at most 1, and exactly 1 at P = 1/2. In closed form, by P(Beta(S + 1, B - S + 1) > 1/2) =
    P(Bin(B + 1, 1/2) <= S):  e = sum over j <= S of C(B + 1, j) / ((B + 1) C(B, S)), summed here in logarithms of
    ratios of neighbouring terms. 0 for no blocks. Raises UsageError unless 0 <= S <= B.
    """
    if not 0 <= below <= blocks:
        raise UsageError(f"{below} of {blocks} blocks is no count.", "Give 0 <= below <= blocks.")
    step = np.arange(below)
    ratios = np.log(below - step) - np.log(blocks + 2 - below + step)
    terms = np.concatenate([[0.0], np.cumsum(ratios)])
    return float(np.logaddexp.reduce(terms)) - log(blocks + 1 - below)


def log_mean(logs: Sequence[float]) -> float:
    """Return the log of the mean of e-values: an e-value again, however they depend on each other; 0 without any.

    Vovk and Wang, E-values: calibration, combination and applications, Annals of Statistics 49 (2021).
    """
    return float(np.logaddexp.reduce(np.asarray(logs, np.float64))) - log(len(logs)) if logs else 0.0


def log_calibrated(p: float) -> float:
    """Return the log of e = (1 - p + p ln p) / (p ln(p)^2), which turns a p-value into an e-value.

    Vovk and Wang 2021, the mixture of k p^(k - 1) over k in (0, 1). e(1) = 1/2. Raises UsageError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise UsageError(f"{p} is no p-value.", "Give 0 < p <= 1.")
    spread = log(p)
    if spread > -1e-4:
        return log(0.5)  # the limit; the formula loses all digits near p = 1
    return log(1.0 - p + p * spread) - spread - 2.0 * log(-spread)


def shiryaev_roberts(before: float, log_e: float) -> float:
    """Return log M_t = log e_t + log(1 + M_{t-1}) from log M_{t-1}; `NOTHING` before the first check."""
    return log_e + float(np.logaddexp(0.0, before))


def product(logs: Sequence[float]) -> float:
    """Return the log of the product e-process: alarm at log(1/alpha), once, whenever looked at."""
    return float(np.sum(np.asarray(logs, np.float64)))


def onset(logs: Sequence[float]) -> int:
    """Return which check the change most likely began at: where the e-CUSUM, at its highest, last started anew.

    The index i of the largest product of e_i ... e_j over i <= j. Raises UsageError without checks.
    """
    if not logs:
        raise UsageError("No checks, no onset.", "Give the e-value of at least one check.")
    start, best, total, highest = 0, 0, 0.0, -inf
    for place, log_e in enumerate(logs):
        if total <= 0.0:
            start, total = place, 0.0
        total += log_e
        if total > highest:
            highest, best = total, start
    return best


def peeking(alpha: float, looks: int) -> float:
    """Return the chance that a test at level `alpha` false-alarms in one of so many independent looks.

    1 - (1 - alpha)^looks: .6415 for 5 % and 20 looks. It is what the e-values above avoid.
    """
    return float(-np.expm1(looks * log1p(-alpha)))
