"""Text as tokens with places, and the word-bigram model of some texts to score and to draw them.

Tokens are words and single marks, in their own letter case; white space is between them. Each text counts as ended by
a token of its own, so that drawing can end. The model is `models.ngram_lm`, which only scores.
"""

import re
from collections.abc import Iterable, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from holdfast.models.ngram_lm import BigramLM, fit

TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_END = "\n"


class Bigrams:
    """A bigram model of texts: their tokens, and what follows each."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Fit the model to all texts that have a token. Memory and time grow with their length."""
        known: dict[str, int] = {_END: 0}
        ids: list[int] = []
        offsets = [0]
        for text in texts:
            tokens = TOKEN.findall(text)
            if tokens:
                ids.extend(known.setdefault(token, len(known)) for token in [*tokens, _END])
                offsets.append(len(ids))
        self._ids = known
        self._tokens = list(known)
        self._firsts = [ids[start] for start in offsets[:-1]]
        self.model: BigramLM = fit(np.array(ids, np.int64), np.array(offsets, np.int64))

    def probabilities(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        """Return P(token | token before it) for each token of one text."""
        ids = np.array([self._ids.get(token, len(self._tokens)) for token in tokens], np.int64)
        return self.model.probability(ids, np.array([0, len(ids)], np.int64))

    def followers(self, token: str) -> list[tuple[str, int]]:
        """Return the tokens seen after `token`, the end left out, and how often each was."""
        places, counts = self._after(self._ids.get(token, -1))
        return [(self._tokens[place], count) for place, count in zip(places, counts, strict=True) if place]

    def draw(self, random: Random, most: int) -> list[str]:
        """Draw a text: a first token as texts begin, then each as often as it followed, to an end or `most` tokens."""
        if not self._firsts:
            return []
        drawn: list[str] = []
        at = random.choice(self._firsts)
        while at and len(drawn) < most:
            drawn.append(self._tokens[at])
            places, counts = self._after(at)
            at = random.choices(places, counts)[0]
        return drawn

    def _after(self, place: int) -> tuple[list[int], list[int]]:
        """Return the places of the tokens seen after the one at `place`, and their counts."""
        size, pairs = len(self.model.words), self.model.pairs
        low, high = np.searchsorted(pairs, [place * size, (place + 1) * size])
        return (pairs[low:high] % size).tolist(), self.model.pair_counts[low:high].tolist()


def joined(tokens: Sequence[str]) -> str:
    """Return tokens as text: a blank before each word, none before closing marks or after opening ones."""
    text = " ".join(tokens)
    return re.sub(r"([(\[{$]) | ([.,;:!?%)\]}])", r"\1\2", text)
