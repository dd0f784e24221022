"""Laws 11 to 18: Gaussians and regression in a loop, held against `stats.collapse` and `stats.dose`.

The mean and variance of n normal draws are independent, normal and chi-square (Cochran), so chains are simulated by
those two numbers: exact, and a hundred thousand chains cost a second.
"""

import numpy as np
from numpy.typing import NDArray

from holdfast.lab.law import Law, Line, close, near
from holdfast.stats import collapse, dose

Floats = NDArray[np.float64]

SIZE = 100
CHAINS = 200_000


def _chains(n: int, generations: int, chains: int, divisor: int, seed: int) -> tuple[Floats, Floats]:
    """Return the mean and variance of many chains after each generation fitted to n draws of the one before."""
    rng = np.random.default_rng(seed)
    mean, variance = np.zeros(chains), np.ones(chains)
    for _ in range(generations):
        mean = mean + rng.standard_normal(chains) * np.sqrt(variance / n)
        variance = variance * rng.chisquare(n - 1, chains) / divisor
    return mean, variance


def replace(full: bool) -> list[Line]:
    """Law 11."""
    chains = CHAINS if full else CHAINS // 2
    return [
        near(f"variance after {t}", expected, _chains(SIZE, t, chains, SIZE, 11)[1].mean(), 0.02)
        for t, expected in ((50, collapse.gaussian_replace(SIZE, 50)), (100, collapse.gaussian_replace(SIZE, 100)))
    ]


def unbiased(full: bool) -> list[Line]:
    """Law 12."""
    variance = _chains(SIZE, 100, CHAINS if full else CHAINS // 2, SIZE - 1, 12)[1]
    return [
        close("mean variance after 100", 1.0, variance.mean(), 0.03),
        close("median variance after 100", collapse.gaussian_median(SIZE, 100), float(np.median(variance)), 0.01),
    ]


def distance(full: bool) -> list[Line]:
    """Law 13."""
    chains = CHAINS if full else CHAINS // 2
    mean, variance = _chains(SIZE, 10, chains, SIZE - 1, 13)
    draws = mean + np.sqrt(variance) * np.random.default_rng(131).standard_normal(chains)
    between = mean**2 + (np.sqrt(variance) - 1.0) ** 2
    return [
        near("W2 squared after 10", collapse.wasserstein_squared(SIZE, 10), between.mean(), 0.02),
        near("variance of a draw after 10", collapse.sample_variance(SIZE, 10), draws.var(), 0.02),
    ]


def accumulate(full: bool) -> list[Line]:
    """Law 14: pools are carried as count, mean and variance."""
    lines = []
    for n, chains in ((10, 120_000), (100, 20_000)):
        rng = np.random.default_rng(14)
        mean, variance, size = np.zeros(chains), np.ones(chains), 0
        pool_mean, pool_variance = np.zeros(chains), np.zeros(chains)
        for _ in range(200 if full else 100):
            new_mean = mean + rng.standard_normal(chains) * np.sqrt(variance / n)
            new_variance = variance * rng.chisquare(n - 1, chains) / n
            share = n / (size + n)
            gap = new_mean - pool_mean
            pool_variance = (1 - share) * pool_variance + share * new_variance + share * (1 - share) * gap**2
            pool_mean = pool_mean + share * gap
            mean, variance, size = pool_mean, pool_variance, size + n
        lines.append(close(f"variance, n {n}", collapse.gaussian_accumulate(n), variance.mean(), 0.004))
    return lines


def regression(full: bool) -> list[Line]:
    """Law 15: least squares on the labels of the model before, the same rows each generation."""
    d, rows, generations, runs = 10, 100, 10, 4000 if full else 2000
    rng = np.random.default_rng(15)
    x = rng.standard_normal((runs, rows, d))
    solve = np.linalg.inv(x.transpose(0, 2, 1) @ x) @ x.transpose(0, 2, 1)
    last, total, kept = np.zeros((runs, d)), np.zeros((runs, rows)), np.zeros((runs, d))
    for generation in range(1, generations + 1):
        noise = rng.standard_normal((runs, rows))
        last = np.einsum("rdt,rt->rd", solve, np.einsum("rtd,rd->rt", x, last) + noise)
        total += np.einsum("rtd,rd->rt", x, kept) + rng.standard_normal((runs, rows))
        kept = np.einsum("rdt,rt->rd", solve, total / generation)
    return [
        near("error, replace", collapse.regression_replace(d, rows, generations), (last**2).sum(1).mean(), 0.02),
        near("error, accumulate", collapse.regression_accumulate(d, rows, generations), (kept**2).sum(1).mean(), 0.02),
        close("bound, accumulate", 0.1848, collapse.regression_accumulate(d, rows), 5e-5),
    ]


def weight(full: bool) -> list[Line]:
    """Law 16: the weight itself, and the simulated variance of the mean it leads to."""
    rng, n, lines = np.random.default_rng(16), 100, []
    for k, expected in ((1.0, 0.6180), (0.5, 0.7321), (4.0, 0.3904), (9.0, 0.2824)):
        best = dose.real_weight(n, int(n * k))
        root = max(np.roots([k, 1.0, -1.0]).real)
        lines += [close(f"weight, k {k:g}", root, best, 1e-6), close(f"as printed, k {k:g}", expected, best, 5e-5)]
        estimate = np.zeros(40_000 if full else 20_000)
        for _ in range(40):
            real = rng.normal(0, 1 / np.sqrt(n), len(estimate))
            synthetic = estimate + rng.normal(0, 1 / np.sqrt(n * k), len(estimate))
            estimate = best * real + (1 - best) * synthetic
        lines.append(near(f"n variance, k {k:g}", best, n * estimate.var(), 0.025))
    return lines


def sharpened(full: bool) -> list[Line]:
    """Law 17: a sampler that shrinks the variance by .8, with real draws beside it."""
    lines, size = [], 20_000 if full else 10_000
    for real in (0.3, 0.5, 0.7):
        rng, variance, seen = np.random.default_rng(17), 1.0, []
        for generation in range(60):
            fresh = rng.normal(0, 1, int(real * size))
            drawn = rng.normal(0, np.sqrt(0.8 * variance), size - len(fresh))
            variance = float(np.concatenate([fresh, drawn]).var())
            seen += [variance] if generation > 20 else []
        law = dose.sharpened_variance(real, 0.8)
        lines.append(near(f"variance at {100 * real:g} % real", law, float(np.mean(seen)), 0.02))
    return lines


def floor(full: bool) -> list[Line]:
    """Law 18: least squares on a mixture of which a share is labelled by a shifted teacher."""
    d, rows, lines = 20, 20_000, []
    shift = np.full(d, 1 / np.sqrt(d))
    for share in (0.1, 0.3, 0.5):
        rng, errors = np.random.default_rng(18), []
        for _ in range(100 if full else 40):
            x = rng.standard_normal((rows, d))
            shifted = np.arange(rows) < share * rows
            labels = x @ shift * shifted + 0.1 * rng.standard_normal(rows)
            errors.append(float((np.linalg.solve(x.T @ x, x.T @ labels) ** 2).sum()))
        lines.append(near(f"error at {100 * share:g} %", collapse.bias_floor(share, 1.0), float(np.mean(errors)), 0.03))
    return lines


NATURE = "Shumailov et al., Nature 631 (2024), arXiv:2305.17493"
LAWS = (
    Law(11, "Gaussian, replace: the variance shrinks by 1 - 1/n", NATURE, replace, "half the chains"),
    Law(12, "Gaussian, unbiased: the mean stays, the median goes", NATURE, unbiased, "half the chains"),
    Law(13, "Gaussian: distance and spread grow by t/n", NATURE, distance, "half the chains"),
    Law(
        14,
        "Gaussian, accumulate: the variance is bounded",
        "Kazdan et al., ICML 2025, arXiv:2410.16713",
        accumulate,
        "100 generations",
    ),
    Law(
        15,
        "Regression: replace grows linearly, accumulate is bounded",
        "Gerstgrasser et al., COLM 2024, arXiv:2404.01413",
        regression,
        "half the runs",
    ),
    Law(
        16,
        "The best weight of real data: the golden ratio at equal sizes",
        "He, Xu and Cheng, arXiv:2502.18049",
        weight,
        "half the chains",
    ),
    Law(
        17,
        "Sharpened sampling settles at a/(1 - (1 - a) s)",
        "Alemohammad et al., ICLR 2024, arXiv:2307.01850",
        sharpened,
        "half the draws",
    ),
    Law(
        18,
        "Strong collapse: a floor of share squared times bias squared",
        "Dohmatob et al., ICLR 2025, arXiv:2410.04840",
        floor,
        "40 of 100 repeats",
    ),
)
