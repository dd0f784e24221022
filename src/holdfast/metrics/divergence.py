"""Distance between the word distributions of two sets of texts, held against that of one set with itself.

Two samples of one source also differ, the more the smaller they are: what counts is how much further apart the two
sources are than two samples of the first, all of the same number of words.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.hashing import Hashes, Offsets
from holdfast.core.text import word_hashes
from holdfast.stats.resample import Interval, interval

# Draws; the interval's half width is then known to about a tenth of itself.
DRAWS = 60
# Three samples of two documents each: with fewer there is nothing to draw.
FEWEST = 4


class Apart(NamedTuple):
    """Jensen-Shannon distances, 0 (equal) to 1 (no word in common): across, within the first, and the difference."""

    across: Interval
    within: Interval
    excess: Interval

    @property
    def differs(self) -> bool:
        """True where the two sources are further apart than chance: the interval of the excess is above zero."""
        return self.excess.low > 0


def apart(near: pa.ChunkedArray, far: pa.ChunkedArray, seed: int) -> Apart | None:
    """Compare the words of two sets of texts; None where one of them has fewer than `FEWEST` texts or no words."""
    if min(len(near), len(far)) < FEWEST:
        return None
    left, right = (word_hashes(texts) for texts in (near, far))
    fewest = min(len(near), len(far))
    size, rng = fewest // 2, np.random.default_rng(seed)
    across, within = [], []
    for _ in range(DRAWS):
        rows = rng.permutation(len(near))
        samples = [_words(*left, rows[:size]), _words(*left, rows[size : 2 * size])]
        samples.append(_words(*right, rng.permutation(len(far))[:size]))
        budget = min(map(len, samples))
        if not budget:
            return None
        first, second, other = (rng.permutation(sample)[:budget] for sample in samples)
        across.append(js_distance(first, other))
        within.append(js_distance(first, second))
    excess = np.asarray(across) - np.asarray(within)
    return Apart(*(interval(np.asarray(values), fewest, size) for values in (across, within, excess)))


def js_distance(left: Hashes, right: Hashes) -> float:
    """Return the Jensen-Shannon distance of two samples of words: the root of the divergence in bits, 0 to 1.

    It is a metric (Endres and Schindelin, A new metric for probability distributions, IEEE TIT 49, 2003).
    """
    words, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    parts = [np.bincount(codes[: left.size], minlength=words.size) / left.size]
    parts.append(np.bincount(codes[left.size :], minlength=words.size) / right.size)
    bits = _entropy((parts[0] + parts[1]) / 2) - (_entropy(parts[0]) + _entropy(parts[1])) / 2
    return float(np.sqrt(min(max(bits, 0.0), 1.0)))


def _entropy(shares: npt.NDArray[np.float64]) -> float:
    there = shares[shares > 0]
    return float(-(there * np.log2(there)).sum())


def _words(hashes: Hashes, offsets: Offsets, rows: npt.NDArray[np.int64]) -> Hashes:
    return np.concatenate([hashes[offsets[row] : offsets[row + 1]] for row in rows.tolist()])
