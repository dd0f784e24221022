"""Laws 7 to 10, 26 and 27: types that are resampled in a loop, held against `stats.dose` and `stats.collapse`."""

import numpy as np
from numpy.typing import NDArray

from holdfast.lab.law import Law, Line, at_least, close, near
from holdfast.stats import collapse, dose

Floats = NDArray[np.float64]

SIZE = TYPES = 1000


def simpson(probability: Floats) -> float:
    """Return the sum of squared probabilities."""
    return float((probability**2).sum())


def _loop(start: Floats, real: float, steps: int, rng: np.random.Generator) -> list[float]:
    """Return the Simpson index of each generation; n draws from real * truth + (1 - real) * previous."""
    current, seen = start, []
    for _ in range(steps):
        current = rng.multinomial(SIZE, real * start + (1 - real) * current) / SIZE
        seen.append(simpson(current))
    return seen


def effective(full: bool) -> list[Line]:
    """Law 7."""
    truth, rng, lines = collapse.zipf(TYPES, 1.0), np.random.default_rng(7), []
    for real, printed in ((0.1, 0.03443), (0.3, 0.03124), (0.5, 0.03063), (0.7, 0.03041)):
        law = dose.simpson_fresh(simpson(truth), SIZE, real)
        seen = float(np.mean(_loop(truth, real, 8000 if full else 4000, rng)[200:]))
        lines += [close(f"fixed point at {real:g} real, as printed", printed, law, 6e-6)]
        lines += [near(f"Simpson at {real:g} real", law, seen, 0.02)]
    return lines


def replaced(full: bool) -> list[Line]:
    """Law 8."""
    truth, rng, lines = collapse.zipf(TYPES, 1.0), np.random.default_rng(8), []
    for steps, printed in ((1, 0.03031), (10, 0.03900), (60, 0.08589)):
        law = dose.simpson_replace(simpson(truth), SIZE, steps)
        seen = [_loop(truth, 0.0, steps, rng)[-1] for _ in range(600 if full else 300)]
        lines += [close(f"after {steps}, as printed", printed, law, 6e-6)]
        lines += [near(f"Simpson after {steps}", law, float(np.mean(seen)), 0.025)]
    return lines


def survival(full: bool) -> list[Line]:
    """Law 9."""
    rng, n, copies, lines = np.random.default_rng(9), 1_000_000, 10_000 if full else 5000, []
    for count in (1, 3, 10):
        types = np.concatenate([np.full(copies, count), [n - copies * count]])
        for _ in range(10):
            types = rng.multinomial(n, types / n)
        left = float(np.count_nonzero(types[:copies])) / copies
        lines.append(close(f"seen {count} times, left after 10", dose.survival(count, 10), left, 0.02))
    return lines


def documents(full: bool) -> list[Line]:
    """Law 10."""
    rng, n, repeats = np.random.default_rng(10), 10_000, 80 if full else 40
    left = np.zeros(21)
    for _ in range(repeats):
        current = np.arange(n)
        for generation in range(1, 21):
            current = current[rng.integers(0, n, n)]
            left[generation] += np.count_nonzero(np.bincount(current)) / repeats
    return [near(f"distinct after {g}", dose.distinct_documents(n, g), left[g], 0.015) for g in (1, 5, 10, 20)]


def remembered(full: bool) -> list[Line]:
    """Law 26: a million draws of a model that knows a thousand samples, against the mass it then does not know."""
    truth, rng, seen = collapse.zipf(1_000_000, 1.5), np.random.default_rng(26), []
    cumulative = np.cumsum(truth)
    for _ in range(100 if full else 40):
        real = np.searchsorted(cumulative, rng.random(1000))
        types, counts = np.unique(real, return_counts=True)
        kept = types[rng.multinomial(1_000_000, counts / 1000) > 0]
        seen.append(1.0 - float(truth[kept].sum()))
    of_real = collapse.unseen_mass(truth, 1000)
    return [
        near("unseen mass of 10^3 real", 0.0934, of_real, 0.04),
        near("unseen after 10^6 synthetic", of_real, float(np.mean(seen)), 0.04),
        at_least("over that of 10^6 real", 10.0, float(np.mean(seen)) / collapse.unseen_mass(truth, 1_000_000)),
    ]


def fixed(full: bool) -> list[Line]:
    """Law 27."""
    rng, n = np.random.default_rng(27), 100
    counts, times = np.full(8000 if full else 4000, n // 2), np.zeros(8000 if full else 4000)
    while (alive := (counts > 0) & (counts < n)).any():
        times[alive] += 1
        counts[alive] = rng.binomial(n, counts[alive] / n)
    return [near("generations to one type", collapse.fixation(0.5, n), times.mean(), 0.04)]


LAWS = (
    Law(
        7,
        "A real share a is worth a(2 - a) of real data",
        "Seddik et al., COLM 2024, arXiv:2404.05090, extended",
        effective,
        "4000 generations",
    ),
    Law(
        8,
        "Pure resampling concentrates: S = 1 - (1 - 1/n)^m (1 - S0)",
        "Seddik et al., COLM 2024, arXiv:2404.05090",
        replaced,
        "300 loops",
    ),
    Law(
        9,
        "A type seen c times survives as a branching process says",
        "Suresh et al., arXiv:2412.17646, exact form",
        survival,
        "5000 types",
    ),
    Law(
        10, "Distinct documents under repeated resampling", "mean-field recursion, stats/dose.py", documents, "40 loops"
    ),
    Law(
        26,
        "More synthetic data teaches a rememberer nothing",
        "Dohmatob et al., A tale of tails, arXiv:2402.07043",
        remembered,
        "40 models",
    ),
    Law(27, "Generations until one of two types is left", "Kimura and Ohta, Genetics 61 (1969)", fixed, "4000 loops"),
)
