"""Samples as blocks of equally many words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.metrics.blocks import (
    DOCUMENTS,
    MOST_DOCUMENTS,
    Cut,
    anchor,
    blocks,
    cut,
    described,
    hashed,
    length,
    measured,
)
from holdfast.metrics.sketch import Distinct

WORDS = 20


def texts(count: int, seed: int, vocabulary: int = 400, words: int = WORDS) -> list[str]:
    """Documents of words drawn by Zipf's law."""
    rng = np.random.default_rng(seed)
    p = 1 / np.arange(1, vocabulary + 1)
    return [" ".join(f"w{word}" for word in rng.choice(vocabulary, words, p=p / p.sum())) for _ in range(count)]


@given(st.permutations(range(DOCUMENTS)))
def test_documents_of_a_block_have_no_order(order: list[int]) -> None:
    """Shuffling documents inside a block changes no value."""
    some = texts(DOCUMENTS, 1)
    whole = Cut(*hashed(some))
    shuffled = Cut(*hashed([some[place] for place in order]))
    real = anchor(texts(60, 2), 0)
    assert measured(whole, WORDS, real) == measured(shuffled, WORDS, real)


def test_a_block_holds_a_budget_of_words() -> None:
    """Every block has 25 times the words of a document; short documents fill fewer blocks, and none are invented."""
    long, short = cut(texts(250, 1), WORDS, 0), cut(texts(250, 1, words=10), WORDS, 0)
    assert [10, 5] == [len(list(blocks(given, DOCUMENTS * WORDS))) for given in (long, short)]
    assert {DOCUMENTS * WORDS} == {len(block.ids) for block in blocks(short, DOCUMENTS * WORDS)}
    assert all(block.offsets[-1] == len(block.ids) for block in blocks(cut(texts(99, 3, words=33), 33, 0), 25 * 20))


def test_long_documents_are_cut_and_empty_ones_left_out() -> None:
    """No document fills a block alone, and a thousand documents are the most that is read."""
    given = cut([*texts(3, 1, words=500), "", "   "], WORDS, 0)
    assert [WORDS] * 3 == np.diff(given.offsets).tolist()
    assert MOST_DOCUMENTS == len(cut(texts(MOST_DOCUMENTS + 50, 1, words=6), 6, 0))


def test_fixed_prompts_stay_in_their_blocks() -> None:
    """Equally many texts come in the same order, whatever they say."""
    names = [f"prompt{number} says" for number in range(100)]
    first, second = cut([f"{name} this" for name in names], 1, 0), cut([f"{name} that" for name in names], 1, 0)
    assert first.ids.tolist() == second.ids.tolist()


def test_no_texts_fill_no_block() -> None:
    """An empty step has no values, not zeros."""
    assert {} == measured(cut([], WORDS, 0), WORDS, None)
    assert {} == measured(cut(["", ""], WORDS, 0), WORDS, None)


@pytest.mark.parametrize("name", ["distinct-2", "missing-mass", "tail-coverage"])
def test_a_narrower_source_is_lower_on_every_metric(name: str) -> None:
    """They fall when the source uses a tenth of its words. Bigram recall does not: common words recall more."""
    real = anchor(texts(400, 9), 0)
    wide, narrow = (measured(cut(texts(250, 3, size), WORDS, 0), WORDS, real)[name] for size in (400, 40))
    assert max(narrow) < min(wide)


def test_what_is_shown_beside_rests_on_everything() -> None:
    """Distinct runs come from the sketch of all text, also of what was not cut; clusters only with an anchor."""
    given, everything = cut(texts(100, 1), WORDS, 0), Distinct()
    everything.add(*hashed(texts(500, 1)))
    alone = described(given, everything, None)
    assert 500 * WORDS == alone["all-distinct-1"].n
    assert "anchor-cluster-coverage" not in alone
    assert 0.8 <= described(given, everything, anchor(texts(400, 1), 0))["anchor-cluster-coverage"].value <= 1.0


def test_the_length_is_that_of_shorter_documents() -> None:
    """The 25th percentile, at least 5 and at most 100 words."""
    assert (20, 5, 100) == (length(texts(50, 1)), length(texts(50, 1, words=2)), length(texts(50, 1, words=300)))
