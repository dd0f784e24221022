"""Dose laws: what a share of synthetic data does to the tails over generations of training.

Closed forms and the arithmetic of a mixing cap. Every law holds for the sampler its docstring names and for
nothing else: they bound what to expect, they do not predict a particular training run.

Symbols: `real` is the share of real records in each generation's training set (0-1), `n` the number of
samples per generation, S the Simpson index (sum of squared probabilities; 1/S is the effective number of types).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, expm1, floor, sqrt
from typing import Literal

from holdfast.core.errors import UsageError

Band = Literal["minimal", "noticeable", "substantial"]

# Bounds of the bands on the synthetic share. They are where the effective share of `effective_share` falls to
# 0.91 (at .3) and 0.51 (at .7); published evidence against them stands in COUNTER_EVIDENCE.
NOTICEABLE_FROM = 0.3
SUBSTANTIAL_ABOVE = 0.7


@dataclass(frozen=True, slots=True)
class Published:
    """A published result that qualifies the bands: which way it points, what it says, and where."""

    points: Literal["stricter", "looser", "conditional"]
    says: str
    reference: str


COUNTER_EVIDENCE: tuple[Published, ...] = (
    Published(
        "stricter",
        "In a regression model even about 1 % of synthetic data (0.1 % in the published version's abstract) leaves an "
        "error floor that more data does not remove; the floor is the squared product of share and bias, so it is "
        "real but can be tiny.",
        "Dohmatob et al., Strong model collapse, ICLR 2025, arXiv:2410.04840",
    ),
    Published(
        "stricter",
        "Published series of GPT-2 and DistilGPT-2: at 25 % synthetic, generation 10 keeps 61 % of rare-token survival "
        "(GPT-2) and 52 to 57 % of distinct-2. Weak evidence: perplexity was never measured there, and the decline "
        "is strictly linear.",
        "Ramkumar and Pragalya, CollapseTracker, collapse_metrics.csv; aggregated over its three domains",
    ),
    Published(
        "stricter",
        "Performance falls with the synthetic share already within one round of training; editing real text at token "
        "level instead of generating it keeps the error bounded.",
        "Zhu et al., ToEdit, ICML 2025, arXiv:2412.14689",
    ),
    Published(
        "looser",
        "More than 98 % of the alignment data was synthetic, held up by some 20 thousand human-annotated items and "
        "by verification.",
        "Nemotron-4 340B, as reported by secondary sources",
    ),
    Published(
        "looser",
        "Over more than 1000 language models, one third rephrased text with two thirds web text reached the same loss "
        "5 to 10 times faster; the good share settled near 30 %. Purely rephrased text was no faster than web text.",
        "Kang et al., EMNLP 2025, arXiv:2510.01631",
    ),
    Published(
        "conditional",
        "When synthetic data accumulates beside all earlier real data instead of replacing it, the error stays "
        "bounded, although the real share goes to zero.",
        "Gerstgrasser et al., COLM 2024, arXiv:2404.01413",
    ),
    Published(
        "conditional",
        "Verified retraining converges to what the verifier knows, not to the truth; early gains level off or reverse "
        "unless the verifier is perfect.",
        "Yi et al., ICLR 2026, arXiv:2510.16657",
    ),
)


def band(synthetic: float) -> Band:
    """Name the dose band of a synthetic share: below .3 minimal, .3 to .7 noticeable, above .7 substantial."""
    if synthetic > SUBSTANTIAL_ABOVE:
        return "substantial"
    return "noticeable" if synthetic >= NOTICEABLE_FROM else "minimal"


def effective_share(real: float) -> float:
    """Return n_eff/n = 1 - (1 - real)^2: the long-run diversity of the mix, as the real sample it is worth.

    The excess Simpson index at the fixed point of `simpson_fresh` is that of n_eff purely real samples, to O(1/n).
    Assumes fresh real data each generation and a generator that resamples without sharpening. Derived from the
    next-token model of Seddik et al. 2024 (arXiv:2404.05090), confirmed by simulation in the tests.
    """
    return real * (2.0 - real)


def effective_share_fixed(real: float) -> float:
    """Return n_eff/n where the same real records come back each generation: a (2 - a) / (3 - 2 a), a = `real`.

    Less than `real` itself: what is drawn anew adds its noise to the real part and nothing to know. To O(1/n), from
    `simpson_fixed` started at a sample of a * n real records; compared with a purely real sample of n_eff records.
    """
    return effective_share(real) / (3.0 - 2.0 * real)


def shrink(ratio: float) -> float:
    """Return by which factor a generator narrows the variance: the square of its ratio of effective types, at most 1.

    `ratio` is exp(entropy of the generated text - entropy of the anchor), both at the same budget. Takes the entropy
    as that of a Gaussian, log(sigma) + constant. A ratio above 1 is no sharpening.
    """
    return min(1.0, ratio) ** 2


def sharpened_variance(real: float, shrink: float) -> float:
    """Return the variance, relative to real data, at which a Gaussian loop settles under sharpened sampling.

    `shrink` is the factor by which one generation narrows the variance (low temperature, top-p, a judge's
    taste; 1 = none). Fixed point of v = real + (1 - real) * shrink * v; sampling noise left out. 0 for no real data.
    """
    if shrink == 1.0:
        return 1.0 if real > 0 else 0.0
    return real / (1.0 - (1.0 - real) * shrink)


def real_weight(real: float, synthetic: float) -> float:
    """Return the weight of the real part that minimises long-run variance: w = (sqrt(a^2 + 4a) - a) / 2, a = real/syn.

    0.618 (the golden ratio) at equal sizes; the minimum of n_real * variance equals w itself. Assumes fresh real
    data each step and an unbiased generator. He, Xu and Cheng 2025 (arXiv:2502.18049), general form.
    """
    if synthetic == 0:
        return 1.0
    ratio = real / synthetic
    return (sqrt(ratio * ratio + 4.0 * ratio) - ratio) / 2.0


def simpson_replace(start: float, n: int, generations: int) -> float:
    """Return E[S] after `generations` of pure resampling: 1 - (1 - 1/n)^m (1 - S0).

    Each generation is n draws from the empirical distribution before it. Seddik et al. 2024 (arXiv:2404.05090).
    """
    return 1.0 - (1.0 - 1.0 / n) ** generations * (1.0 - start)


def simpson_fresh(start: float, n: int, real: float) -> float:
    """Return the fixed point of E[S] when each generation draws n samples, a share `real` of them freshly real.

    S* - S0 = (1 - S0) / (n [1 - (1 - real)^2 (1 - 1/n)]); 1 when nothing is real. Extends Seddik et al. 2024.
    """
    synthetic = (1.0 - real) ** 2
    return start + (1.0 - start) / (n * (1.0 - synthetic * (1.0 - 1.0 / n)))


def simpson_fixed(start: float, n: int, real: float) -> float:
    """Return the fixed point of E[S] when the same real documents, `real` * n of them, come back each generation.

    `start` is the Simpson index of exactly those documents; the other (1 - real) n are drawn from the mix before.
    """
    drawn = (1.0 - real) * n
    if drawn == 0:
        return start
    synthetic = (1.0 - real) ** 2
    return ((1.0 - synthetic) * start + synthetic / drawn) / (1.0 - synthetic * (1.0 - 1.0 / drawn))


def lineage_survival(generations: int) -> float:
    """Return q_m, the chance that one occurrence still has descendants after m generations of pure resampling.

    q_0 = 1, q_{k+1} = 1 - exp(-q_k): survival of a critical Poisson branching process; tends to 2/m.
    """
    survives = 1.0
    for _ in range(generations):
        survives = -expm1(-survives)
    return survives


def survival(count: int, generations: int) -> float:
    """Return the chance that a type seen `count` times is still seen after m generations of pure resampling.

    1 - (1 - q_m)^count, exact for large n and count << n; the exact form of the bound in Suresh et al. 2024
    (arXiv:2412.17646).
    """
    return 1.0 - (1.0 - lineage_survival(generations)) ** count


def expected_types(spectrum: Mapping[int, int], generations: int) -> float:
    """Return how many types are expected to be left after m generations of pure resampling at constant size.

    `spectrum` maps a count c to N_c, the number of types seen exactly c times: sum of N_c [1 - (1 - q_m)^c].
    """
    return sum(types * survival(count, generations) for count, types in spectrum.items())


def distinct_documents(n: int, generations: int) -> float:
    """Return how many of n distinct documents are left when n are drawn with replacement, m times over.

    D_{m+1} = n (1 - (1 - 1/n)^{D_m}), D_0 = n: the mean-field form, within 1 % of simulation at n = 10 000.
    """
    left = float(n)
    for _ in range(generations):
        left = n * (1.0 - (1.0 - 1.0 / n) ** left)
    return left


@dataclass(frozen=True, slots=True)
class Dilution:
    """Two ways to reach a cap, each alone enough: real units to add (None: no number suffices), synthetic to drop."""

    add_real: int | None
    drop_synthetic: int


def dilution(real: int, synthetic: int, cap: float) -> Dilution:
    """Return the fewest real units to add, or synthetic ones to leave out, so that synthetic/(all) <= cap.

    Units are records or tokens, as the caller counts them. Exact integer arithmetic on the cap as written.
    Raises UsageError for negative counts or a cap outside 0-1.
    """
    if real < 0 or synthetic < 0 or not 0.0 <= cap <= 1.0:
        raise UsageError(
            f"No dilution for real={real}, synthetic={synthetic}, cap={cap}.", "Give counts and a 0-1 cap."
        )
    share = Fraction(str(cap))
    if synthetic <= share * (real + synthetic):
        return Dilution(0, 0)
    add = None if share == 0 else ceil(synthetic / share) - synthetic - real
    return Dilution(add, synthetic - floor(real * share / (1 - share)))
