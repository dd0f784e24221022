"""Documents drawn from a bigram model follow its own probabilities, at every temperature and in every nucleus."""

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.models.ngram_lm import BigramLM, fit
from holdfast.models.ngram_sample import Decoding, draw, table

LENGTH = 400
rng = np.random.default_rng(0)
WORDS = rng.choice(12, size=(30, 20), p=1 / np.arange(1, 13) / (1 / np.arange(1, 13)).sum())
MODEL = fit(WORDS.ravel(), np.arange(31) * 20, 12)


def rows(model: BigramLM) -> np.ndarray:
    """P(w | h) over the known words, a row per context, from the model's own scoring."""
    size = len(model.words)
    pairs = np.array([(h, w) for h in model.words for w in model.words]).ravel()
    seen = model.probability(pairs, np.arange(size * size + 1) * 2)[1::2]
    return seen.reshape(size, size)


def expected(decoding: Decoding) -> np.ndarray:
    """The same under temperature and nucleus, by the definitions, one context at a time."""
    made = []
    for row in rows(MODEL) ** (1 / decoding.temperature):
        order = np.argsort(-row, kind="stable")
        mass = np.cumsum(row[order]) / row.sum()
        kept = order[: int(np.searchsorted(mass, decoding.top_p - 1e-9)) + 1]
        cut = np.zeros_like(row)
        cut[kept] = row[kept]
        made.append(cut / cut.sum())
    return np.array(made)


@pytest.mark.parametrize("decoding", [Decoding(), Decoding(0.5), Decoding(1.7), Decoding(1.0, 0.6), Decoding(0.7, 0.8)])
def test_followers_are_drawn_as_the_model_says(decoding: Decoding) -> None:
    """Of 120 000 draws each follower is as frequent as defined, within five standard errors; what is cut never is."""
    drawn = draw(table(MODEL, decoding), 300, LENGTH, np.random.default_rng(1))
    size = len(MODEL.words)
    counts = np.bincount((drawn[:, :-1] * size + drawn[:, 1:]).ravel(), minlength=size * size).reshape(size, size)
    wanted = expected(decoding)
    total = counts.sum(1, keepdims=True)
    error = np.sqrt(wanted * (1 - wanted) * total)
    assert (np.abs(counts - wanted * total) <= 5 * error + 1e-6).all()
    assert 0 == counts[wanted == 0].sum()


def test_first_words_are_drawn_by_frequency() -> None:
    """A document begins with a word by P(w)."""
    first = draw(table(MODEL, Decoding()), 60_000, 1, np.random.default_rng(2))[:, 0]
    wanted = (MODEL.word_counts + 1) / (MODEL.tokens + 12)
    assert wanted == pytest.approx(np.bincount(first, minlength=12) / 60_000, abs=0.01)


def test_words_are_those_of_the_model() -> None:
    """Ids need not be 0, 1, 2: hashes come back as hashes, and the same seed gives the same documents."""
    ids = np.array([900, 7, 900, 42], np.int64)
    model = fit(ids, np.array([0, 4]))
    one = draw(table(model, Decoding()), 50, 9, np.random.default_rng(3))
    assert {7, 42, 900} == set(one.ravel().tolist())
    assert (one == draw(table(model, Decoding()), 50, 9, np.random.default_rng(3))).all()


def test_a_model_of_one_document_of_one_word_can_be_drawn_from() -> None:
    """Without a single pair every word is drawn by backing off."""
    model = fit(np.array([5]), np.array([0, 1]))
    assert {5} == set(draw(table(model, Decoding(0.5, 0.9)), 3, 4, np.random.default_rng(0)).ravel().tolist())


@pytest.mark.parametrize("wrong", [(0.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.2, 1), (1.0, 1.0, 0)])
def test_senseless_decoding_is_refused(wrong: tuple[float, float, int]) -> None:
    """Temperature 0, an empty or overfull nucleus, and no document at all are named."""
    with pytest.raises(UsageError, match="No text can be drawn"):
        Decoding(*wrong)


def test_nothing_is_drawn_from_nothing() -> None:
    """A model of no words is refused."""
    with pytest.raises(UsageError, match="no words"):
        table(fit(np.array([], np.int64), np.array([0])), Decoding())
