"""The perplexity of real text under a model of the samples rises when samples lose what the text says."""

import numpy as np

from holdfast.metrics.blocks import cut
from holdfast.metrics.sample_lm import sample_lm
from tests.metrics.test_blocks import texts


def test_narrow_samples_predict_real_text_worse() -> None:
    """Every step is scored by equally many words; a narrower step scores worse, an equal one the same."""
    start = cut(texts(250, 1), 20, 0)
    model = sample_lm(start, texts(40, 2), texts(40, 3))
    first, same, narrow = (
        model.nll(given) for given in (start, cut(texts(250, 4), 20, 0), cut(texts(250, 5, vocabulary=40), 20, 0))
    )
    assert first is not None
    assert same is not None
    assert narrow is not None
    assert [40, 40] == [len(one) for one in first]
    assert 0 < model.slack < 0.2
    assert abs(np.mean(same[0]) - np.mean(first[0])) < model.slack
    assert np.mean(narrow[0]) > np.mean(first[0]) + 1.0


def test_too_few_words_are_not_scored() -> None:
    """A step with less text than the first is not compared with it; one with more is cut to as much."""
    start = cut(texts(250, 1), 20, 0)
    model = sample_lm(start, texts(10, 2))
    assert model.nll(cut(texts(100, 1), 20, 0)) is None
    again = model.nll(cut(texts(250, 1) + texts(200, 6), 20, 0))
    assert again is not None
    assert 10 == len(again[0])


def test_unknown_words_count_as_one() -> None:
    """Words that no list has do not break the model, and are less likely than known ones."""
    model = sample_lm(cut(texts(100, 1), 20, 0), texts(5, 2), ["zz yy xx ww vv"])
    scored = model.nll(cut(texts(100, 7, vocabulary=900), 20, 0))
    assert scored is not None
    assert max(scored[0]) < scored[1][0]


def test_the_slack_is_the_luck_of_a_fit() -> None:
    """Of 40 fits to fresh samples of one source, at most a few differ from the first by more than the slack."""
    model = sample_lm(cut(texts(250, 1), 20, 0), texts(40, 2))
    scored = [model.nll(cut(texts(250, seed), 20, 0)) for seed in range(100, 141)]
    means = np.array([np.mean(one[0]) for one in scored if one is not None])
    assert 6 >= np.count_nonzero(np.abs(means[1:] - means[0]) > model.slack)
    assert model.slack < 6 * float(means.std())
