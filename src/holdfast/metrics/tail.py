"""The tail: rare types, the mass never seen, and what is left of the anchor's rare types.

Rare means seen one to three times in the anchor sample. These numbers move first when a distribution narrows.
"""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

# Types seen at most this often are the tail; the forecast of `stats.dose` is quoted for the same types.
RARE = 3


def spectrum(counts: Counts) -> dict[int, int]:
    """Return the frequency spectrum: how many types were seen exactly c times, for every c >= 1 that occurs."""
    seen, types = np.unique(counts[counts > 0], return_counts=True)
    return {int(c): int(k) for c, k in zip(seen, types, strict=True)}


def tail_coverage(reference: Counts, sample: Counts, rare: int = RARE) -> float:
    """Return the share of the reference's types seen 1 to `rare` times that occur in the sample; NaN if it has none.

    Counts run over one shared list of types.
    """
    wanted = (reference > 0) & (reference <= rare)
    total = np.count_nonzero(wanted)
    return float(np.count_nonzero(sample[wanted])) / float(total) if total else float("nan")


def missing_mass(counts: Counts) -> float:
    """Return the Good-Turing estimate of the probability of all types not seen: types seen once / tokens.

    I. J. Good, The population frequencies of species, Biometrika 40 (1953). Nearly unbiased. 1 for an empty sample.
    """
    total = int(counts.sum())
    return float(np.count_nonzero(counts == 1)) / total if total else 1.0


def chao1(counts: Counts) -> float:
    """Return Chao's bound V + f1 (f1 - 1) / (2 (f2 + 1)): at least so many types exist. Never an estimate of them.

    A. Chao, Nonparametric estimation of the number of classes in a population, 1984, bias-corrected form.
    """
    once, twice = int(np.count_nonzero(counts == 1)), int(np.count_nonzero(counts == 2))
    return float(np.count_nonzero(counts)) + once * (once - 1) / (2.0 * (twice + 1))
