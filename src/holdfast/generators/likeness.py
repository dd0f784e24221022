"""How like a text is to known ones: ROUGE-L on words, exact, without comparing it to every one of them.

ROUGE-L is 2 L / (n + m) for texts of n and m words whose longest common subsequence has L (C.-Y. Lin 2004, "ROUGE: A
Package for Automatic Evaluation of Summaries"). L is at most the number of words that both have, which an inverted
index counts; the subsequence is computed only where that bound allows the likeness that is asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from holdfast.core.text import words

# Words of a text that are compared: an instruction is shorter; of a longer text its beginning tells.
COMPARED = 400


class Known:
    """Known texts, indexed by their words once."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Read the texts; each is known by its place."""
        self._texts = [words(text)[:COMPARED] for text in texts]
        self._lengths = np.array([len(text) for text in self._texts], np.int64)
        places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, text in enumerate(self._texts):
            for word, times in Counter(text).items():
                places[word].append((place, times))
        self._index: dict[str, NDArray[np.int64]] = {word: np.array(found).T for word, found in places.items()}

    def like(self, text: str, more_than: float) -> int | None:
        """Return the place of the first known text with a ROUGE-L above `more_than`, or None."""
        given = words(text)[:COMPARED]
        shared = np.zeros(len(self._texts), np.int64)
        for word, times in Counter(given).items():
            if word in self._index:
                place, counts = self._index[word]
                shared[place] += np.minimum(counts, times)
        possible = 2 * shared > more_than * (self._lengths + len(given))
        for place in np.flatnonzero(possible):
            known = self._texts[place]
            if 2 * common(given, known) > more_than * (len(given) + len(known)):
                return int(place)
        return None


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence of words.

    All rows of the usual table at once as bits of one number: M. Crochemore et al. 2001, "A fast and practical
    bit-vector algorithm for the longest common subsequence problem".
    """
    places: dict[str, int] = defaultdict(int)
    for place, word in enumerate(one):
        places[word] |= 1 << place
    everywhere = (1 << len(one)) - 1
    left = everywhere
    for word in other:
        hit = left & places.get(word, 0)
        left = ((left + hit) | (left - hit)) & everywhere
    return len(one) - left.bit_count()
