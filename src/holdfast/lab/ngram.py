"""The lab's default model: word bigrams with Witten-Bell back-off, drawn from as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.lab.documents import Documents, Text, offsets
from holdfast.models import ngram_lm
from holdfast.models.ngram_sample import Decoding, draw, table


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A fitted bigram model of documents of `length` words."""

    model: ngram_lm.BigramLM
    length: int

    def sample(self, count: int, decoding: Decoding, seed: int) -> Documents:
        """Return `count` documents drawn by `seed`."""
        return draw(table(self.model, decoding), count, self.length, np.random.default_rng(seed))

    def nll(self, documents: Documents) -> NDArray[np.float64]:
        """Return nats per word for each document."""
        return self.model.cross_entropy(documents.ravel(), offsets(documents))


def fit(text: Text, stages: Sequence[Documents], seed: int) -> NgramModel:  # noqa: ARG001  # counts need no luck
    """Count the pairs of all stages; their order is nothing to a model that counts."""
    documents = np.concatenate(stages)
    return NgramModel(ngram_lm.fit(documents.ravel(), offsets(documents), text.vocabulary), text.length)
