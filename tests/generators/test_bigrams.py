"""The bigram model of texts: it draws what followed, as often as it did, and ends."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from holdfast.generators.bigrams import TOKEN, Bigrams, joined

TEXTS = ["a b a c. ", "a b", "", "b's d"]


def test_followers_are_counted() -> None:
    """What stood after a token within one text, without the end."""
    bigrams = Bigrams(TEXTS)
    assert {"b": 2, "c": 1} == dict(bigrams.followers("a"))
    assert [] == bigrams.followers("d")
    assert [] == bigrams.followers("never seen")


def test_draws_follow_the_counts() -> None:
    """Only pairs that were seen, first tokens as texts begin, and no more than asked for."""
    bigrams = Bigrams(TEXTS)
    texts = [bigrams.draw(Random(f"{seed}"), 50) for seed in range(600)]
    assert texts == [bigrams.draw(Random(f"{seed}"), 50) for seed in range(600)]
    assert {"a", "b's"} == {text[0] for text in texts}
    seen = {("a", "b"), ("b", "a"), ("a", "c"), ("c", "."), ("b's", "d")}
    pairs = Counter(pair for text in texts for pair in pairwise(text))
    assert seen == set(pairs)
    assert 1.6 < pairs["a", "b"] / pairs["a", "c"] < 2.4
    assert all(len(bigrams.draw(Random(seed), 3)) <= 3 for seed in range(20))
    assert [] == Bigrams([]).draw(Random(1), 9)


def test_probabilities_are_those_of_the_model() -> None:
    """After a, b is twice as likely as c; an unknown token is possible and rare."""
    by_model = Bigrams(TEXTS).probabilities(["a", "b", "a", "c", "unknown"])
    assert by_model[1] > by_model[3] > by_model[4] > 0


@pytest.mark.parametrize("text", ["It's (almost) done: 50% off, really!", "A [b] {c} costs $5."])
def test_joined_reads_like_text(text: str) -> None:
    """Blanks stand between words, not before closing or after opening marks."""
    assert text == joined(TOKEN.findall(text))
