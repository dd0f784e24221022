"""Model collapse in closed form: Gaussians, linear regression, a learner that only remembers, and drift to one type.

Each law holds for the loop its docstring names. They are what `holdfast lab --verify-laws` holds simulation against;
those that speak of a mixture of real and synthetic data, and of tails, stand in `stats.dose`.
"""

from math import exp, inf, log, pi, prod, sin, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# From here on the asymptotic series of the digamma function is right to 1e-12.
_ASYMPTOTIC = 12.0


def gaussian_replace(n: int, generations: int) -> float:
    """Return E[variance] / start after fitting a Gaussian to n draws of the one before: (1 - 1/n)^t, divisor n.

    Shumailov et al., Nature 631 (2024), section on the Gaussian; the exact form of its first-order statement.
    """
    return (1.0 - 1.0 / n) ** generations


def gaussian_median(n: int, generations: int) -> float:
    """Return the median variance / start where each fit divides by n - 1: exp(t [psi((n-1)/2) - ln((n-1)/2)]).

    The mean stays 1 for ever, yet every single chain goes to 0 almost surely (Shumailov et al. 2024, theorem 3.1):
    over repeats, look at the median. psi is the digamma function; ln of a chi-square's mean of logarithms.
    """
    half = (n - 1) / 2.0
    return exp(generations * (digamma(half) - log(half)))


def digamma(x: float) -> float:
    """Return psi(x) for x > 0: recurrence to 12, then the asymptotic series (Abramowitz and Stegun 6.3.18)."""
    shift = 0.0
    while x < _ASYMPTOTIC:
        shift -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return shift + log(x) - 0.5 / x - series


def sample_variance(n: int, generations: int) -> float:
    """Return the variance of one draw of generation t over all chains, / start: 1 + t/n. Shumailov et al. 2024."""
    return 1.0 + generations / n


def wasserstein_squared(n: int, generations: int) -> float:
    """Return E[W2^2] between generation t and the start, / start variance: 1.5 t/n to first order. Shumailov et al."""
    return 1.5 * generations / n


def gaussian_accumulate(n: int, generations: float = inf) -> float:
    """Return E[variance] / start when all draws of all generations are kept: product of 1 - 1/(n k^2), k = 1..t.

    Its limit is sin(pi/sqrt n)/(pi/sqrt n): bounded, whatever the number of generations. The setting is that of Kazdan
    et al., ICML 2025, arXiv:2410.16713; the product was derived for this package.
    """
    if generations == inf:
        angle = pi / sqrt(n)
        return sin(angle) / angle
    return prod(1.0 - 1.0 / (n * k * k) for k in range(1, int(generations) + 1))


def regression_replace(features: int, rows: int, generations: int, noise: float = 1.0) -> float:
    """Return the test error of linear regression on the labels of the model before: s^2 d n / (T - d - 1).

    Isotropic features, the same T rows each generation. Gerstgrasser et al., COLM 2024, arXiv:2404.01413.
    """
    return noise**2 * features * generations / (rows - features - 1)


def regression_accumulate(features: int, rows: int, generations: float = inf, noise: float = 1.0) -> float:
    """Return the same where the labels of all generations are kept: the sum of 1/i^2 for n; pi^2/6 its bound."""
    terms = pi**2 / 6 if generations == inf else sum(1.0 / (i * i) for i in range(1, int(generations) + 1))
    return noise**2 * features / (rows - features - 1) * terms


def bias_floor(share: float, bias_squared: float) -> float:
    """Return the test error that more data does not remove: (share of biased labels)^2 |bias|^2.

    Least squares on a mixture of which `share` is labelled by w + delta, |delta|^2 = `bias_squared`. The plainest case
    of Dohmatob et al., Strong model collapse, ICLR 2025, arXiv:2410.04840.
    """
    return share**2 * bias_squared


def zipf(types: int, exponent: float) -> Floats:
    """Return the probabilities of Zipf's law, p_i proportional to i^-exponent."""
    weights = np.arange(1, types + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def unseen_mass(probability: Floats, samples: int) -> float:
    """Return the expected error of a learner that only remembers: the mass of types not among its samples.

    sum of p (1 - p)^T. M. Hutter, Learning curve theory, arXiv:2102.04074; its use for collapse: Dohmatob et al., A
    tale of tails, ICML 2024, arXiv:2402.07043.
    """
    return float((probability * np.exp(samples * np.log1p(-probability))).sum())


def fixation(share: float, n: int) -> float:
    """Return the expected generations of pure resampling until only one of two types is left.

    -2 n [p ln p + (1 - p) ln(1 - p)] for n samples a generation, in the diffusion limit: 2 n ln 2 from one half.
    M. Kimura and T. Ohta, The average number of generations until fixation, Genetics 61 (1969), for n haploid copies.
    """
    return -2.0 * n * (share * log(share) + (1.0 - share) * log(1.0 - share))
