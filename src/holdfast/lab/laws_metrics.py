"""Laws 19 to 23 and 28: what the product's own metrics and intervals must be, by closed forms and known sources."""

import numpy as np
from numpy.typing import NDArray

from holdfast.lab.law import Law, Line, at_least, at_most, close
from holdfast.metrics import lexical, neighbours, semantic, tail
from holdfast.stats import resample
from holdfast.stats.collapse import zipf

Floats = NDArray[np.float64]


def neighbourhood(full: bool) -> list[Line]:
    """Law 19."""
    rng, seen = np.random.default_rng(19), []
    for _ in range(200 if full else 60):
        real, sample = rng.normal(size=(2, 500, 16))
        inside = neighbours.within(sample, real)
        seen.append((neighbours.coverage(inside), neighbours.density(inside)))
    covered, dense = np.mean(seen, axis=0)
    law = neighbours.expected_coverage(500, 500)
    return [
        close("coverage, as printed", 0.9692, law, 5e-5),
        close("coverage of the source itself", law, covered, 0.01),
        close("density of the source itself", 1.0, dense, 0.03),
    ]


def effective_numbers(full: bool) -> list[Line]:  # noqa: ARG001  # nothing to make smaller
    """Law 20."""
    lines = []
    cases = (("50 different", np.eye(50), 50.0), ("50 equal", np.ones((50, 1)), 1.0),
             ("5 groups of 10", np.repeat(np.eye(5), 10, axis=0), 5.0))  # fmt: skip
    for what, vectors, expected in cases:
        lines += [close(f"Vendi, {what}", expected, semantic.vendi(vectors), 1e-6)]
        lines += [close(f"RKE, {what}", expected, semantic.rke(vectors), 1e-6)]
    for rho, printed in ((0.1, 44.5008), (0.5, 13.4629), (0.9, 2.0179)):
        top, rest = (1 + 49 * rho) / 50, (1 - rho) / 50
        closed = float(np.exp(-top * np.log(top) - 49 * rest * np.log(rest)))
        alike = np.linalg.cholesky(np.full((50, 50), rho) + (1 - rho) * np.eye(50))
        lines += [close(f"Vendi, all alike by {rho:g}", closed, semantic.vendi(alike), 1e-6)]
        lines += [close(f"as printed, {rho:g}", printed, closed, 5e-5)]
    return lines


def duality(full: bool) -> list[Line]:  # noqa: ARG001  # nothing to make smaller
    """Law 21."""
    drawn = np.random.default_rng(21).normal(size=(80, 12))
    rows = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    kernel = rows @ rows.T
    values = np.linalg.eigvalsh(kernel / 80)
    values = values[values > 1e-12]
    return [
        close("order 1, small form", float(np.exp(-(values * np.log(values)).sum())), semantic.vendi(rows), 1e-9),
        close("order 2, small form", float(80**2 / (kernel**2).sum()), semantic.rke(rows), 1e-9),
        close("order 2 is RKE", semantic.rke(rows), semantic.vendi(rows, 2.0), 1e-9),
        at_least("order 1 less order 2", 0.1, semantic.vendi(rows) - semantic.vendi(rows, 2.0)),
    ]


def missing(full: bool) -> list[Line]:
    """Law 22."""
    truth, rng, estimates, real, bounds = zipf(20_000, 1.1), np.random.default_rng(22), [], [], []
    for _ in range(200 if full else 100):
        counts = rng.multinomial(5000, truth)
        estimates.append(tail.missing_mass(counts))
        real.append(float(truth[counts == 0].sum()))
        bounds.append(tail.chao1(counts))
    error = float(np.sqrt(np.mean((np.array(estimates) - np.array(real)) ** 2)))
    return [
        close("missing mass", 0.223, float(np.mean(real)), 0.003),
        at_most("error of Good-Turing (RMSE)", 0.01, error),
        at_most("largest Chao1 bound", 20_000, max(bounds)),
    ]


def adjusted(full: bool) -> list[Line]:
    """Law 23."""
    rng, lines = np.random.default_rng(23), []
    for tokens in (100, 1000, 10_000, 100_000):
        types = [np.count_nonzero(rng.multinomial(tokens, np.full(1000, 1e-3))) for _ in range(400 if full else 200)]
        value = lexical.expectation_adjusted(float(np.mean(types)), tokens, 1000)
        lines.append(close(f"EAD of {tokens:,} uniform words", 1.0, value, 0.01))
    drawn = [(n, np.count_nonzero(rng.multinomial(n, zipf(4000, 1.1)))) for n in (1000, 10_000, 100_000)]
    natural = [lexical.expectation_adjusted(float(types), n, 4000) for n, types in drawn]
    return [*lines, at_least("drift on Zipf text", 2.0, max(natural) / min(natural))]


def subsampling(full: bool) -> list[Line]:
    """Law 28: intervals for distinct-2 from subsamples cover what fresh samples have; a bootstrap would not."""
    rng = np.random.default_rng(28)
    weights = zipf(2000, 1.0)

    def corpus(documents: int) -> NDArray[np.int64]:
        words = rng.choice(2000, size=(documents, 50), p=weights)
        return words[:, :-1] * 2000 + words[:, 1:]

    def distinct(pairs: NDArray[np.int64]) -> float:
        return lexical.distinct(np.unique(pairs, return_counts=True)[1])

    truth = float(np.mean([distinct(corpus(100)) for _ in range(200)]))
    covered, tries = 0, 200 if full else 100
    for _ in range(tries):
        pairs = corpus(200)
        seen = [distinct(pairs[resample.draw(rng, 200, 100)]) for _ in range(30)]
        interval = resample.interval(seen, 200, 100)
        covered += interval.low <= truth <= interval.high
    pairs = corpus(100)
    naive = [distinct(pairs[rng.integers(0, 100, 100)]) for _ in range(100)]
    return [
        at_least("coverage of the interval", 0.87, covered / tries),
        at_least("deviations a bootstrap is off by", 5.0, (truth - float(np.mean(naive))) / float(np.std(naive))),
    ]


LAWS = (
    Law(
        19,
        "Coverage and density of the real source itself",
        "Naeem et al., ICML 2020, arXiv:2002.09797",
        neighbourhood,
        "60 of 200 draws",
    ),
    Law(
        20,
        "Effective numbers of texts in closed form",
        "Friedman and Dieng, TMLR 2023, arXiv:2210.02410",
        effective_numbers,
    ),
    Law(
        21,
        "The small kernel equals the large one; order 2 is not order 1",
        "Ospanov and Farnia, arXiv:2410.21719",
        duality,
    ),
    Law(22, "Good-Turing is right, Chao1 is a bound", "Good, Biometrika 40 (1953); Chao 1984", missing, "100 samples"),
    Law(
        23,
        "EAD is exact for uniform words and drifts on text",
        "Liu et al., ACL 2022, arXiv:2202.13587",
        adjusted,
        "200 samples",
    ),
    Law(
        28,
        "Subsampling covers distinct-2, a bootstrap misses it",
        "Politis, Romano and Wolf 1999; stats/resample.py",
        subsampling,
        "100 of 200 sets",
    ),
)
