"""The synthetic share: found where it can be, not told where it cannot, and each unit held blind."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.metrics.occurrence import shown
from holdfast.metrics.synthetic_share import LEAST_UNITS, Scored, Texts, gauge, rates_of

COMMON = [f"c{n}" for n in range(60)]
PEOPLE, MODELS = [f"p{n}" for n in range(40)], [f"m{n}" for n in range(40)]


def texts(count, own, *, seed, lean=0.25):
    """Texts of 60 words, most of them common, some of them more frequent with one author."""
    rng = np.random.default_rng(seed)
    other = MODELS if own is PEOPLE else PEOPLE
    words = [COMMON, own, other]
    chances = [1 - 1.5 * lean, lean, 0.5 * lean]
    return [" ".join(rng.choice(words[k]) for k in rng.choice(3, 60, p=chances)) for _ in range(count)]


def side(given, first=0):
    """Texts that have nothing to do with each other."""
    return Texts(given, first + np.arange(len(given)), np.zeros(len(given), np.int64))


@pytest.fixture(scope="module")
def held():
    """References of 150 documents a side."""
    return gauge(side(texts(150, PEOPLE, seed=1)), side(texts(150, MODELS, seed=2), 1_000), 100)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_share_of_a_mixture_is_within_its_interval(held, share):
    """On 200 documents the share is found to within eight points, and the interval holds it to within one."""
    made = round(200 * share)
    mixed = [*texts(made, MODELS, seed=3), *texts(200 - made, PEOPLE, seed=4)]
    said = held.measure(side(mixed, 5_000))
    assert abs(said.value - share) < 0.08
    assert said.low - 0.01 <= share <= said.high + 0.01


def test_self_validation_runs_over_all_shares(held):
    """It has 0 to 100 %, rises with them, and begins with the floor."""
    assert [step / 10 for step in range(11)] == [entry.share for entry in held.validation]
    assert held.validation[0].mean < held.validation[5].mean < held.validation[-1].mean
    assert held.why is None
    assert held.validation[0].mean < 0.1


def test_other_text_is_not_told(held):
    """Text of words that neither reference uses differs from every mixture of them."""
    rng = np.random.default_rng(5)
    strange = [" ".join(f"z{n}" for n in rng.integers(0, 80, 60)) for _ in range(100)]
    said = held.measure(side(strange, 5_000))
    assert (None, 0.0, 1.0) == (said.value, said.low, said.high)
    assert "differ" in said.why


def test_references_that_are_alike_tell_nothing():
    """Two samples of one author have an AUC of about a half."""
    held = gauge(side(texts(100, PEOPLE, seed=6)), side(texts(100, PEOPLE, seed=7), 1_000), 50)
    assert "too alike" in held.why
    assert held.measure(side(texts(50, PEOPLE, seed=8), 5_000)).value is None


def test_few_units_tell_nothing():
    """Many documents of few units are few; so are few documents in question."""
    units = np.arange(300) % (LEAST_UNITS - 1)
    few = Texts(texts(300, PEOPLE, seed=9), units, np.zeros(300, np.int64))
    assert "independent" in gauge(few, side(texts(100, MODELS, seed=10), 1_000), 50).why


def test_few_documents_in_question_are_said(held):
    """A dozen documents have no share."""
    assert "are needed" in held.measure(side(texts(12, PEOPLE, seed=11), 5_000)).why


def test_a_document_of_the_references_is_scored_blind(held):
    """A reference document asked again gets the score of the fold that did not learn from it, from every fold."""
    known = texts(150, PEOPLE, seed=1)
    scores = held.scores(shown(known), np.arange(150))
    assert np.allclose(held.real.scores[:, None], scores)


def test_the_interval_holds_what_differs_between_generators():
    """Two generators, one of them hard to tell from people: the interval is wider than with the first alone."""
    easy, hard = texts(120, MODELS, seed=12), texts(120, MODELS, seed=13, lean=0.1)
    mixed = [*texts(100, MODELS, seed=15), *texts(100, PEOPLE, seed=16)]
    real, asked = side(texts(150, PEOPLE, seed=14)), side(mixed, 9_000)
    one = gauge(real, side(easy, 1_000), 60).measure(asked)
    both = Texts([*easy, *hard], 1_000 + np.arange(240), np.repeat([0, 1], 120))
    two = replace(gauge(real, both, 60), why=None).measure(asked)
    assert one.high - one.low < two.high - two.low


def test_a_unit_has_one_vote():
    """Ten copies of a text weigh as one beside another text."""
    rates, _ = rates_of(shown(["a"] * 10 + ["b"]), np.asarray([0] * 10 + [1]))
    assert {0.5} == set(rates[rates > 0].round(9).tolist())


def test_bootstrap_draws_whole_units():
    """A unit of two documents is drawn with both or not at all."""
    units = np.repeat(np.arange(20), 2)
    scored = Scored(np.repeat(np.arange(20.0), 2)[:, None], units, np.zeros(40, np.int64))
    drawn = scored.drawn(np.random.default_rng(0))[:, 0]
    assert {0} == set((np.bincount(drawn.astype(int)) % 2).tolist())
    assert len(drawn) == 40
