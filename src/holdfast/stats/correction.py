"""What a judge's verdicts say of the truth once its errors are known: pass rates corrected, and the error left behind.

Two corrections. Rogan and Gladen's where the labelled records come from elsewhere than those judged (they give the
judge's sensitivity and specificity); PPI++ where they are a random sample of them (it also uses how verdicts and labels
vary together). Both refuse, or say less, rather than return a number that the labels do not carry.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Measurement
from holdfast.stats.proportion import normal_quantile

Floats = npt.NDArray[np.float64]
# Draws behind an interval of a ratio of shares; its ends then move by about a fiftieth of its width.
DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a judge passed or refused what people call good or bad."""

    good_passed: int
    good_refused: int
    bad_passed: int
    bad_refused: int

    @classmethod
    def of(cls, human: Sequence[bool], judge: Sequence[bool]) -> "Confusion":
        """Count verdicts against labels, in the same order."""
        pairs = list(zip(human, judge, strict=True))
        return cls(*(sum(pair == wanted for pair in pairs) for wanted in _ALL))

    @property
    def good(self) -> int:
        """Records that people call good."""
        return self.good_passed + self.good_refused

    @property
    def bad(self) -> int:
        """Records that people call bad."""
        return self.bad_passed + self.bad_refused

    @property
    def sensitivity(self) -> float:
        """The share of good records that pass (q1, phi)."""
        return self.good_passed / self.good if self.good else float("nan")

    @property
    def specificity(self) -> float:
        """The share of bad records that are refused (q0, 1 - psi)."""
        return self.bad_refused / self.bad if self.bad else float("nan")


_ALL = ((True, True), (True, False), (False, True), (False, False))


def rogan_gladen(passed: int, n: int, known: Confusion, confidence: float = 0.95) -> Measurement:
    """Return the true pass rate behind `passed` of `n` verdicts: (p + q0 - 1)/(q0 + q1 - 1), within 0 and 1.

    Rogan and Gladen, American Journal of Epidemiology 107 (1978); the interval is that of Lee et al., arXiv:2511.21140:
    Var = [p(1-p)/n + (1-theta)^2 q0(1-q0)/m0 + theta^2 q1(1-q1)/m1]/(q0+q1-1)^2, over shares with two items added
    (Agresti and Coull), so that a judge without a seen error is not taken for one without errors. n is that of the
    verdicts. Raises UsageError where q0 + q1 <= 1: such a judge says nothing about the truth.
    """
    if not 0 <= passed <= n or n == 0 or not known.good or not known.bad:
        what = f"{passed} of {n} passed, with {known.good} good and {known.bad} bad records labelled."
        raise UsageError(what, "A corrected pass rate needs verdicts, and labelled records of both kinds.")
    skill = known.specificity + known.sensitivity - 1.0
    if skill <= 0:
        what = f"The judge passes {known.sensitivity:.2f} of the good and {1 - known.specificity:.2f} of the bad."
        raise UsageError(what, "It does not tell them apart, and nothing can be corrected: take another judge.")
    value = (passed / n + known.specificity - 1.0) / skill
    z = normal_quantile(0.5 + confidence / 2.0)
    p = (passed + z * z / 2.0) / (n + z * z)
    q1, m1 = (known.good_passed + 1.0) / (known.good + 2.0), known.good + 2.0
    q0, m0 = (known.bad_refused + 1.0) / (known.bad + 2.0), known.bad + 2.0
    steady = q0 + q1 - 1.0
    if steady <= 0:
        return Measurement(_inside(value), 0.0, 1.0, n, "share", detail={"method": "rogan-gladen"})
    theta = _inside((p + q0 - 1.0) / steady)
    spread = (1.0 - theta) ** 2 * q0 * (1.0 - q0) / m0 + theta**2 * q1 * (1.0 - q1) / m1
    half = z * sqrt(p * (1.0 - p) / (n + z * z) + spread) / steady
    shift = 2.0 * z * z * (theta * q1 * (1.0 - q1) / m1 - (1.0 - theta) * q0 * (1.0 - q0) / m0)
    low, high = _inside(theta + shift - half), _inside(theta + shift + half)
    return Measurement(_inside(value), low, high, n, "share", detail={"method": "rogan-gladen"})


def ppi_mean(
    human: Sequence[float] | Floats,
    judge: Sequence[float] | Floats,
    rest: Sequence[float] | Floats,
    confidence: float = 0.95,
) -> Measurement:
    """Return the mean label over everything: lambda mean(J_rest) + mean(Y - lambda J) with the best lambda.

    PPI++ for a mean (Angelopoulos, Duchi and Zrnic, arXiv:2311.01453): lambda = Cov(Y, J)/[Var(J)(1 + n/N)], the
    variance lambda^2 Var(J_rest)/N + Var(Y - lambda J)/n. `human` and `judge` are of the n labelled records, which must
    be a random sample, `rest` the verdicts of the N others. `detail.effective` is how many labels without a judge
    would say as much. Raises UsageError for fewer than two labels.
    """
    y, j, more = (np.asarray(each, dtype=np.float64) for each in (human, judge, rest))
    n, others = len(y), len(more)
    if len(j) != n or n < 2:
        raise UsageError(f"{n} labels and {len(j)} verdicts of the same records.", "Give two of each or more.")
    alone = float(y.var(ddof=1)) / n
    varies = float(j.var(ddof=1))
    weight = float(np.cov(y, j)[0, 1]) / (varies * (1.0 + n / others)) if varies > 0 and others else 0.0
    value = float(y.mean()) + weight * ((float(more.mean()) if others else 0.0) - float(j.mean()))
    variance = float((y - weight * j).var(ddof=1)) / n
    variance += weight**2 * float(more.var(ddof=1)) / others if others > 1 else 0.0
    half = normal_quantile(0.5 + confidence / 2.0) * sqrt(variance)
    detail = {"method": "ppi++", "lambda": weight, "effective": n * alone / variance if variance > 0 else float(n)}
    return Measurement(value, value - half, value + half, n + others, "mean", detail=detail)


def retained_error(error: float, keep_good: float, keep_bad: float) -> float:
    """Return the share of bad records among those kept: p psi/[(1 - p) phi + p psi]; 0 where none is kept.

    `error` is p, the share of bad records before; `keep_good` is phi, `keep_bad` psi. Bayes' rule.
    """
    kept = (1.0 - error) * keep_good + error * keep_bad
    return error * keep_bad / kept if kept > 0 else 0.0


def breakdown(keep_good: float, keep_bad: float) -> float:
    """Return the share of bad records above which the kept ones are mostly bad: phi/(phi + psi).

    It follows from `retained_error` = 1/2, and plays the part of the threshold p* in Feng et al., arXiv:2406.07515.
    """
    return keep_good / (keep_good + keep_bad) if keep_good + keep_bad > 0 else 0.0


def expected_error(passed: int, n: int, known: Confusion, seed: int = 0) -> Measurement:
    """Return the `retained_error` of a filter that passed `passed` of `n`, with p from `rogan_gladen`.

    Without skill (q0 + q1 <= 1) or without labels of both kinds the value is None. The interval holds 95 % of draws in
    which each share has its Jeffreys posterior Beta(hits + 1/2, misses + 1/2) (Brown, Cai and DasGupta, Statistical
    Science 16, 2001).
    """

    def left(phi: Floats, psi: Floats, rate: Floats) -> Floats:
        skilled = phi - psi > 1e-9
        theta = np.clip((rate - psi) / np.where(skilled, phi - psi, 1.0), 0.0, 1.0)
        kept = theta * phi + (1.0 - theta) * psi
        return np.where(skilled, (1.0 - theta) * psi / np.maximum(kept, 1e-12), 1.0)

    if not n or not known.good or not known.bad or known.sensitivity + known.specificity <= 1:
        return Measurement(None, 0.0, 1.0, n, "share")
    error = 1.0 - (rogan_gladen(passed, n, known).value or 0.0)
    value = retained_error(error, known.sensitivity, 1.0 - known.specificity)
    return _drawn(value, left, known, n, (passed, n, seed))


def expected_breakdown(known: Confusion, seed: int = 0) -> Measurement:
    """Return the `breakdown` of a judge with these counts, with an interval as in `expected_error`; n counts labels.

    A judge that passed nothing keeps nothing that could be bad: the value is None.
    """
    n = known.good + known.bad
    if not known.good or not known.bad or not known.good_passed + known.bad_passed:
        return Measurement(None, 0.0, 1.0, n, "share")
    value = breakdown(known.sensitivity, 1.0 - known.specificity)
    return _drawn(value, lambda phi, psi, _rate: phi / (phi + psi), known, n, (1, 1, seed))


def _drawn(
    value: float,
    figure: Callable[[Floats, Floats, Floats], Floats],
    known: Confusion,
    n: int,
    rate: tuple[int, int, int],
) -> Measurement:
    passed, judged, seed = rate
    rng = np.random.default_rng(seed)

    def share(hits: int, of: int) -> Floats:
        return rng.beta(hits + 0.5, of - hits + 0.5, DRAWS)

    seen = figure(share(known.good_passed, known.good), share(known.bad_passed, known.bad), share(passed, judged))
    low, high = (float(each) for each in np.percentile(seen, [2.5, 97.5]))
    return Measurement(value, min(low, value), max(high, value), n, "share")


def _inside(value: float) -> float:
    return min(1.0, max(0.0, value))
