"""The bigram model equals a plain-Python reference, sums to one, and prefers what it has seen."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.models.ngram_lm import fit

documents = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=6)


def packed(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the texts as flat ids and offsets."""
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([word for text in texts for word in text], dtype=np.uint64), offsets.astype(np.int64)


def reference(train: list[list[int]], text: list[int], size: int) -> float:
    """Return nats per word of one text, straight from the formulas of the module's docstring."""
    words = Counter(word for one in train for word in one)
    pairs = Counter(pair for one in train for pair in pairwise(one))
    total, types = sum(words.values()), len(words)
    nats = 0.0
    for place, word in enumerate(text):
        p = (words[word] + types / size) / (total + types) if total else 1 / size
        if place:
            after = {b: c for (a, b), c in pairs.items() if a == text[place - 1]}
            if after:
                p = (after.get(word, 0) + len(after) * p) / (sum(after.values()) + len(after))
        nats -= math.log(p)
    return nats / len(text)


@given(documents, documents)
def test_equals_the_reference(train: list[list[int]], texts: list[list[int]]) -> None:
    """Cross-entropy per document equals the plain form on every input; an empty document has none."""
    size = 8
    seen = fit(*packed(train), vocabulary=size).cross_entropy(*packed(texts))
    assert len(texts) == len(seen)
    for text, nats in zip(texts, seen, strict=True):
        if text:
            assert reference(train, text, size) == pytest.approx(nats, abs=1e-9)
        else:
            assert math.isnan(nats)


@given(documents)
def test_sums_to_one(train: list[list[int]]) -> None:
    """After any word, known or not, the probabilities of all words of the vocabulary sum to one."""
    model = fit(*packed(train), vocabulary=8)
    for before in range(8):
        texts = [[before, word] for word in range(8)]
        assert pytest.approx(1.0) == model.probability(*packed(texts))[1::2].sum()
        assert pytest.approx(1.0) == model.probability(*packed([[word] for word in range(8)])).sum()


def test_prefers_its_own_text() -> None:
    """Text of the training source is cheaper than the same words in another order."""
    rng = np.random.default_rng(0)
    text = [[int(w) for w in (np.arange(20) + start) % 50] for start in rng.integers(0, 50, 100)]
    shuffled = [[int(w) for w in rng.permutation(one)] for one in text]
    model = fit(*packed(text))
    assert model.cross_entropy(*packed(text)).mean() + 1 < model.cross_entropy(*packed(shuffled)).mean()


def test_too_small_a_vocabulary_is_refused() -> None:
    """A vocabulary smaller than the words seen cannot be meant."""
    with pytest.raises(UsageError, match="vocabulary of 2"):
        fit(*packed([[1, 2, 3]]), vocabulary=2)
