"""n-gram metrics equal plain-Python forms of their definitions."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.text import word_hashes
from holdfast.metrics.ngram import bigrams, cells, cross_entropy, grams, recall, self_repetition
from holdfast.models.ngram_lm import fit

texts = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=1, max_size=6)


def hashed(documents: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return word hashes and offsets of documents given as words."""
    return word_hashes(pa.array([" ".join(words) for words in documents]))


@given(texts, st.integers(1, 4))
def test_grams_stay_inside_documents(documents: list[list[str]], k: int) -> None:
    """There is one hash per run of k words, equal exactly for equal runs, in order, none across documents."""
    runs, offsets = grams(*hashed(documents), k)
    plain = [[tuple(words[i : i + k]) for i in range(len(words) - k + 1)] for words in documents]
    assert list(map(len, plain)) == np.diff(offsets).tolist()
    flat = [run for one in plain for run in one]
    assert len(set(flat)) == len(set(zip(flat, runs.tolist(), strict=True))) == len(set(runs.tolist()))


def test_recall() -> None:
    """Recall is over the reference's types, whatever else the sample holds."""
    reference, sample = np.array([3, 1, 0, 2]), np.array([1, 0, 9, 5])
    assert pytest.approx(2 / 3) == recall(reference, sample)
    assert recall(np.zeros(2, int), sample[:2]) == 0.0


@given(texts, texts)
def test_cross_entropy_is_the_model_of_ngram_lm(real: list[list[str]], sample: list[list[str]]) -> None:
    """From counts alone it equals the fitted bigram model, averaged over all words with one before them."""
    letters = "abcd"
    pairs = [(a, b) for a in letters for b in letters]

    def counted(documents: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        words = [word for one in documents for word in one]
        runs = [pair for one in documents for pair in pairwise(one)]
        return np.array([words.count(w) for w in letters]), np.array([runs.count(p) for p in pairs])

    reference = counted(real)
    if not reference[1].sum():
        return
    shared = bigrams(np.arange(16), 4)
    ids, offsets = hashed(real)
    nats = -np.log(fit(*hashed(sample), vocabulary=4).probability(ids, offsets))
    scored = np.delete(nats, offsets[:-1][np.diff(offsets) > 0])
    assert scored.mean() == pytest.approx(cross_entropy(shared, reference, counted(sample)))


@given(texts, st.integers(1, 3))
def test_self_repetition(documents: list[list[str]], k: int) -> None:
    """It equals the definition: ln(1 + other documents that share a run, summed over distinct runs), averaged."""
    sets = [{tuple(words[i : i + k]) for i in range(len(words) - k + 1)} for words in documents]
    plain = [math.log1p(sum(sum(run in other for other in sets) - 1 for run in one)) for one in sets]
    runs, offsets = grams(*hashed(documents), k)
    seen = cells(np.unique(runs, return_inverse=True)[1], offsets)
    assert np.mean(plain) == pytest.approx(self_repetition(seen, np.arange(len(documents))))
    assert 0.0 == self_repetition(seen, np.arange(0))


@given(texts, st.integers(1, 3), st.sets(st.integers(0, 5)))
def test_cells(documents: list[list[str]], k: int, some: set[int]) -> None:
    """Exactly the runs in two documents or more have cells, largest count first; choosing documents keeps the order."""
    runs, offsets = grams(*hashed(documents), k)
    seen = cells(np.unique(runs, return_inverse=True)[1], offsets)
    counted = [Counter(tuple(words[i : i + k]) for i in range(len(words) - k + 1)) for words in documents]
    shared = [
        (i, count) for i, one in enumerate(counted) for run, count in one.items() if sum(run in c for c in counted) > 1
    ]
    assert sorted(shared) == sorted(zip(seen.document.tolist(), seen.count.tolist(), strict=True))
    assert [sum(one.values()) for one in counted] == seen.runs.tolist()
    chosen = np.isin(np.arange(len(documents)), list(some))
    few = seen.among(chosen)
    assert sorted(each for each in shared if each[0] in some) == sorted(
        zip(few.document.tolist(), few.count.tolist(), strict=True)
    )
    assert (np.diff(few.kind) >= 0).all()
    assert (np.diff(few.count)[np.diff(few.kind) == 0] <= 0).all()
