"""Self-BLEU by the two largest counts equals the definition, which compares every document with every other."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.text import word_hashes
from holdfast.metrics.bleu import SMOOTHING, brevity, self_bleu

NLTK = 0.4495401241900324

corpora = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=2, max_size=6)


def runs(words: list[str], k: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + k]) for i in range(len(words) - k + 1))


def bleu(words: list[str], others: list[list[str]]) -> float:
    """BLEU-4 of one document as NLTK's sentence_bleu with SmoothingFunction().method1 defines it."""
    logs = []
    for k in (1, 2, 3, 4):
        mine = runs(words, k)
        matched = sum(min(count, max(runs(other, k)[run] for other in others)) for run, count in mine.items())
        if k == 1 and not matched:
            return 0.0
        logs.append(math.log((matched or SMOOTHING) / max(1, sum(mine.values()))))
    nearest = min((abs(len(other) - len(words)), len(other)) for other in others)[1]
    penalty = 1.0 if len(words) > nearest else math.exp(1 - nearest / len(words))
    return penalty * math.exp(sum(logs) / 4)


def hashed(documents: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    return word_hashes(pa.array([" ".join(words) for words in documents]))


@given(corpora)
def test_equals_the_definition(documents: list[list[str]]) -> None:
    """On any documents, empty and short ones among them, it is the mean BLEU of each against all others."""
    plain = [bleu(one, documents[:i] + documents[i + 1 :]) for i, one in enumerate(documents)]
    assert np.mean(plain) == pytest.approx(self_bleu(*hashed(documents)))


def test_reference_value() -> None:
    """A value that NLTK 3.10 gives with method 1, to 1e-9."""
    texts = ["the cat sat on the mat today", "the cat sat on a mat", "a dog sat on the mat", "nothing in common here"]
    assert NLTK == pytest.approx(self_bleu(*hashed([text.split() for text in texts])), abs=1e-9)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=9))
def test_brevity(lengths: list[int]) -> None:
    """The nearest other length counts, the shorter on a tie."""
    seen = brevity(np.array(lengths))
    for i, length in enumerate(lengths):
        nearest = min((abs(other - length), other) for j, other in enumerate(lengths) if j != i)[1]
        assert seen[i] == pytest.approx(1.0 if nearest <= length else math.exp(1 - nearest / max(length, 1)))


def test_ends_of_the_scale() -> None:
    """Equal documents score 1, documents without a common word 0, and one document alone says nothing."""
    assert 1.0 == pytest.approx(self_bleu(*hashed([list("abcde")] * 3)))
    assert 0.0 == self_bleu(*hashed([["a"], ["b"]])) == self_bleu(*hashed([["a"]]))
