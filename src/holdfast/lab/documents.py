"""Text for the lab: windows of equally many tokens, as numbers, and the shipped text.

A token is a word or a single mark, in its own letter case (`generators.bigrams.TOKEN`). Texts are laid end to end and
cut into windows, so that short and long records make the same budget; a window may span two records. The vocabulary
is that of the whole text and one number for all other words, so that models of the lab are compared under one V.
"""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import MachineError, UsageError
from holdfast.generators.bigrams import TOKEN

# Documents: ids of words, shape (documents, words).
Documents: TypeAlias = NDArray[np.int64]
Counts = NDArray[np.int64]

# BLAKE2b-128 of the shipped text; the expected values of checks 1 to 3 hold for it and for no other.
SHIPPED_DIGEST = "410f5ccca39f3bdb65d8bcb20a7571b8"
SHIPPED_NAME = "Python's help topics (shipped)"
# Words per document. Longer ones make fewer of them, and blocks of 25 fewer still.
LENGTH = 50
# Of the text, the share that is never trained on.
HELD_OUT = 0.2
# Fewer windows than this say nothing about a tail; more than the most are drawn by seed, so that a run stays short.
FEWEST = 200
MOST = 2500


@dataclass(frozen=True, slots=True)
class Split:
    """What one seed trains on and what it is judged by: real windows that share none."""

    train: Documents
    held_out: Documents


class Text:
    """A text as windows, with the words behind the numbers. `digest` is that of the texts themselves."""

    def __init__(self, texts: Sequence[str], length: int = LENGTH, most: int = MOST) -> None:
        """Cut texts into windows of `length` tokens. Raises UsageError for fewer than 200 of them."""
        tokens = list(chain.from_iterable(TOKEN.findall(text) for text in texts))
        count = len(tokens) // length
        if count < FEWEST:
            raise UsageError(
                f"{len(tokens):,} tokens make {count} windows of {length}; the lab needs {FEWEST}.",
                f"Give at least {FEWEST * length:,} tokens of real text.",
            )
        words, ids = np.unique(tokens, return_inverse=True)
        self.words: list[str] = words.tolist()
        self.places = {word: place for place, word in enumerate(self.words)}
        self.length, self.most, self.tokens = length, most, len(tokens)
        self.windows: Documents = ids[: count * length].reshape(count, length).astype(np.int64)
        self.digest = digest_of(texts)

    @property
    def vocabulary(self) -> int:
        """V: the types of the text and one for all others."""
        return len(self.words) + 1

    def split(self, seed: int) -> Split:
        """Return the windows of one seed: `most` at most, a fifth of them held out."""
        order = np.random.default_rng([seed, 0]).permutation(len(self.windows))[: self.most]
        train = round(len(order) * (1.0 - HELD_OUT))
        return Split(self.windows[order[:train]], self.windows[order[train:]])

    def written(self, documents: Documents) -> list[str]:
        """Return documents as texts, a blank between tokens: reading them again gives the same tokens."""
        names = [*self.words, "\u2753"]
        return [" ".join(names[place] for place in row) for row in documents.tolist()]

    def read(self, texts: Iterable[str]) -> Documents:
        """Return texts as windows; a word that the text does not have is the one number of all others."""
        found = chain.from_iterable(TOKEN.findall(text) for text in texts)
        ids = np.fromiter((self.places.get(token, len(self.words)) for token in found), np.int64)
        count = len(ids) // self.length
        return np.asarray(ids[: count * self.length].reshape(count, self.length))


def digest_of(texts: Sequence[str]) -> str:
    """Return the BLAKE2b-128 of texts in their order, 32 hex digits."""
    return blake2b("\f".join(texts).encode(), digest_size=16).hexdigest()


def shipped() -> list[str]:
    """Return the texts that come with the package, their digest checked."""
    packed = files("holdfast.lab").joinpath("corpus", "topics.txt.gz").read_bytes()
    texts = gzip.decompress(packed).decode().removesuffix("\n").split("\f")
    if digest_of(texts) != SHIPPED_DIGEST:
        raise MachineError("The shipped text is not the one that was shipped.", "Install holdfast again.")
    return texts


def offsets(documents: NDArray[Any]) -> Counts:
    """Return the offsets of documents of equal length in their own flat array."""
    return np.asarray(np.arange(len(documents) + 1, dtype=np.int64) * documents.shape[1])
