"""Encoders: text to vectors. The default is honestly lexical and needs no model.

`LexicalEncoder` weighs words by TF-IDF and projects them to 128 dimensions by random signs. Texts that share
words are near each other; a paraphrase without a common word is far. Every number that rests on vectors names
its encoder, and numbers of different encoders are never compared.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.core.hashing import STEP, mix
from holdfast.core.text import Texts, word_hashes

Vectors = NDArray[np.float32]
Ids = NDArray[np.uint64]
Offsets = NDArray[np.int64]

DIMENSIONS = 128
LEXICAL = f"lexical-hash-tfidf-rp{DIMENSIONS}@1"

# Rows of the gathered sign matrix held at a time: 32 768 x 128 float32 = 16 MiB.
CHUNK = 32_768


class Encoder(Protocol):
    """Anything with a name that turns texts into unit vectors, shape (texts, dimensions), float32."""

    @property
    def name(self) -> str:
        """What every number resting on these vectors is labelled with."""

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text; the zero vector for a text without words."""


class FixedEncoder(Encoder, Protocol):
    """An encoder whose vectors depend on nothing but the text, so that they may be kept (`models.encodings`)."""

    @property
    def digest(self) -> str:
        """Changes with everything that the vectors depend on: weights, tokens, precision."""


@dataclass(frozen=True, slots=True)
class LexicalEncoder:
    """TF-IDF over word hashes, projected by random signs, as fitted on a corpus by `fit_lexical`.

    Weight of a word: (1 + ln tf) * idf, idf = 1 + ln((1 + documents) / (1 + df)); a word not in the corpus has
    df = 0. The sign row of a word is drawn from its hash alone, so that nothing is stored per word and equal words
    project equally everywhere. Inner products are kept within about 1/sqrt(128) = .09 (D. Achlioptas,
    Database-friendly random projections, JCSS 66, 2003).
    """

    words: Ids
    idf: NDArray[np.float32]
    unseen: float
    name: str = LEXICAL

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text, shape (texts, 128); the zero vector for a text without words."""
        return self.encode_words(*word_hashes(texts))

    def encode_words(self, ids: Ids, offsets: Offsets) -> Vectors:
        """The same from word hashes: document i is `ids[offsets[i]:offsets[i + 1]]`."""
        types, document, column, tf = _cells(ids, offsets)
        weight = ((1.0 + np.log(tf)) * self.weight(types)[column]).astype(np.float32)
        vectors = _project(signs(types), document, column, weight, len(offsets) - 1)
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(norm > 0, norm, 1.0), dtype=np.float32)

    def weight(self, types: Ids) -> NDArray[np.float32]:
        """Return the idf of each word hash in `types`."""
        if len(self.words) == 0:
            return np.full(len(types), self.unseen, np.float32)
        place = np.minimum(np.searchsorted(self.words, types), len(self.words) - 1)
        return np.where(self.words[place] == types, self.idf[place], np.float32(self.unseen))


def fit_lexical(ids: Ids, offsets: Offsets) -> LexicalEncoder:
    """Fit the idf weights to documents of word hashes."""
    documents = len(offsets) - 1
    types, _, column, _ = _cells(ids, offsets)
    frequency = np.bincount(column, minlength=len(types))
    idf = 1.0 + np.log((1.0 + documents) / (1.0 + frequency))
    return LexicalEncoder(types, idf.astype(np.float32), float(1.0 + np.log(1.0 + documents)))


def signs(types: Ids) -> Vectors:
    """Return a row of +1/-1 per word hash, shape (words, 128): the bits of two SplitMix64 draws seeded by the hash."""
    halves = np.stack([mix(types + np.uint64(STEP)), mix(types + np.uint64(2 * STEP % 2**64))], axis=1).astype("<u8")
    bits = np.unpackbits(halves.view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2.0 - 1.0


def _cells(ids: Ids, offsets: Offsets) -> tuple[Ids, Offsets, Offsets, Offsets]:
    """Return (sorted types, document, type column, count) of all non-empty (document, word) cells, by document."""
    types, column = np.unique(ids, return_inverse=True)
    document = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))
    width = max(len(types), 1)
    cells, counts = np.unique(document * width + column, return_counts=True)
    return types, cells // width, cells % width, counts


def _project(rows: Vectors, document: Offsets, column: Offsets, weight: Any, documents: int) -> Vectors:
    """Sum weight * rows[column] per document; cells come ordered by document."""
    total = np.zeros((documents, DIMENSIONS), dtype=np.float32)
    for first in range(0, len(document), CHUNK):
        part = slice(first, first + CHUNK)
        found, start = np.unique(document[part], return_index=True)
        total[found] += np.add.reduceat(rows[column[part]] * weight[part, None], start, axis=0)
    return total
