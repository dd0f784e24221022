"""Length matching: documents become windows of equally many words, so that equal documents are equal tokens.

A window begins at a seeded random place of its document. Documents shorter than the window are set aside and
counted, never padded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]

# A window must hold four-word runs; at equal work, windows above 100 words would leave fewer documents.
SHORTEST = 5
LONGEST = 100

# The window is this percentile of document length on the side with the shorter documents.
PERCENTILE = 25


@dataclass(frozen=True, slots=True)
class Windows:
    """Word hashes of equally long windows, shape (windows, length), the document and the first word's place of each."""

    words: Hashes
    documents: Counts
    begins: Counts


def matched_length(*sides: Counts) -> int:
    """Return the window length for sides with these document lengths: their lowest 25th percentile, 5 to 100."""
    lengths = [int(np.percentile(side, PERCENTILE)) for side in sides if len(side)]
    return min(LONGEST, max(SHORTEST, min(lengths, default=SHORTEST)))


def cut(ids: Hashes, offsets: Counts, length: int, rng: np.random.Generator) -> Windows:
    """Return one window of `length` words from each document that has so many, in document order."""
    spare = np.diff(offsets) - length
    documents = np.flatnonzero(spare >= 0)
    begins = rng.integers(0, spare[documents] + 1)
    return Windows(ids[(offsets[documents] + begins)[:, None] + np.arange(length)], documents, begins)
