"""divergence: word distributions that differ are told from samples of one source."""

import numpy as np
import pyarrow as pa
import pytest

from holdfast.metrics.divergence import apart, js_distance


def texts(count, words, seed):
    """Texts of 20 words drawn from a vocabulary, frequent words first."""
    rng = np.random.default_rng(seed)
    chance = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, (count, 20), p=chance / chance.sum())
    return pa.chunked_array([pa.array([" ".join(row) for row in drawn], pa.string())])


def vocabulary(first):
    """100 words from a number on."""
    return [f"w{number}" for number in range(first, first + 100)]


@pytest.mark.parametrize(
    ("left", "right", "expected"), [([1, 2], [1, 2], 0.0), ([1, 1], [2, 3], 1.0), ([1, 2], [1, 1], 0.5579230452841438)]
)
def test_distances_by_hand(left, right, expected):
    """Equal samples 0, samples without a common word 1, and one in between computed by hand."""
    found = js_distance(np.asarray(left, np.uint64), np.asarray(right, np.uint64))
    assert expected == pytest.approx(found)


@pytest.mark.parametrize("seed", range(8))
def test_two_samples_of_one_source_do_not_differ(seed):
    """The interval of the excess holds zero, although samples so small are far apart."""
    found = apart(texts(60, vocabulary(0), seed), texts(40, vocabulary(0), 100 + seed), 7)
    assert (False, True) == (found.differs, found.across.value > 0.2)


def test_sources_that_share_half_their_words_differ():
    """And the sources are further apart than two samples of one, by an interval above zero."""
    found = apart(texts(60, vocabulary(0), 1), texts(40, vocabulary(50), 2), 7)
    assert (True, True) == (found.differs, found.across.low > found.within.high)


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_texts_are_not_compared(count):
    """Three texts cannot be parted three ways; texts without words have no distribution."""
    assert apart(texts(60, vocabulary(0), 1), texts(count, vocabulary(0), 2), 7) is None
    assert apart(pa.chunked_array([["."] * 9]), pa.chunked_array([["."] * 9]), 7) is None
