"""What is trained in the lab: one small protocol, four models behind it.

    ngram         the word-bigram model of `models.ngram_lm`: seconds, no key, the same numbers everywhere
    transformer   a small transformer from scratch ([lab]: torch): minutes on a CPU, `--device cuda` where there is one
    causal:PATH   any causal language model in a local folder, trained on ([lab]: torch and transformers)
    command:...   a program of one's own: files in, files out

A backend fits stages of documents in their order and gives a model back; a model draws documents and tells the nats
per word of given ones. It sees numbers of words and, where it wants text, `Text` writes and reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError, nearest
from holdfast.lab import causal, command, ngram, transformer
from holdfast.lab.documents import Documents, Text
from holdfast.models.ngram_sample import Decoding

Floats = NDArray[np.float64]


class Model(Protocol):
    """A fitted model."""

    def sample(self, count: int, decoding: Decoding, seed: int) -> Documents:
        """Return `count` documents drawn by `seed`; `decoding.best_of` is not the model's affair."""

    def nll(self, documents: Documents) -> Floats:
        """Return nats per word for each document."""


Fit = Callable[[Sequence[Documents], int], Model]


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to train: `fit(stages, seed)` trains on one stage after the other.

    `ordered` says whether the order of stages can matter to it.
    """

    name: str
    fit: Fit
    ordered: bool


def find(name: str, text: Text, device: str = "cpu") -> Backend:
    """Return the backend of that name for a text. Raises UsageError for an unknown one."""
    kind, _, rest = name.partition(":")
    if kind == "ngram" and not rest:
        return Backend(name, partial(ngram.fit, text), ordered=False)
    if kind == "transformer" and not rest:
        return Backend(name, partial(transformer.fit, text, device), ordered=True)
    if kind == "causal" and rest:
        return Backend(name, partial(causal.fit, causal.Base(rest, device), text), ordered=True)
    if kind == "command" and rest:
        return Backend(name, partial(command.fit, command.Program.of(rest), text), ordered=True)
    remedy = nearest(kind, ("ngram", "transformer", "causal:PATH", "command:PROGRAM"))
    raise UsageError(f"There is no backend {name!r}.", remedy)


def drawn(model: Model, count: int, decoding: Decoding, seed: int) -> Documents:
    """Return `count` documents; with best_of = k each is the one of k that the model finds most likely."""
    k = decoding.best_of
    documents = model.sample(count * k, decoding, seed)
    if k == 1:
        return documents
    nats = model.nll(documents).reshape(count, k)
    return np.asarray(documents.reshape(count, k, -1)[np.arange(count), nats.argmin(axis=1)])
