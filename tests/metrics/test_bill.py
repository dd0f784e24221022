"""The diversity bill: what a filter took is told apart from what any removal of that size takes."""

import numpy as np
import pyarrow as pa
import pytest

from holdfast.metrics.bill import SLUGS, bill

WORDS = [f"w{number}" for number in range(3_000)]


def texts(count, seed=1):
    """Documents of 60 words with a long tail: word k is drawn with chance ~ 1/(k + 1)."""
    random = np.random.default_rng(seed)
    chance = 1.0 / np.arange(1, len(WORDS) + 1)
    drawn = random.choice(len(WORDS), (count, 60), p=chance / chance.sum())
    return [" ".join(WORDS[word] for word in row) for row in drawn]


def column(rows):
    """Texts as an Arrow column."""
    return pa.chunked_array([pa.array(rows, pa.string())])


def rarity(rows):
    """How many words of each document are of the rarer half of the vocabulary."""
    return np.asarray([sum(int(word[1:]) > 1_500 for word in row.split()) for row in rows])


def verdicts(said):
    """The verdict of each measure."""
    return {slug: measurement.detail["verdict"] for slug, measurement in said.items()}


def test_leaving_out_what_holds_rare_words_costs_the_tail():
    """A filter that keeps the commonest documents is told: tail coverage and bigram recall fall below chance."""
    rows = texts(600)
    rare = rarity(rows)
    said = bill(column(rows), rare <= np.sort(rare)[420], seed=7)
    assert ("costs", "costs") == (verdicts(said)["tail-coverage"], verdicts(said)["anchor-bigram-recall"])


def test_leaving_out_copies_costs_nothing():
    """Removing the second copy of every document keeps more than chance does, and no measure is billed."""
    rows = texts(400)
    said = bill(column(rows + rows), np.arange(800) < 400, seed=7)
    assert (True, "gains") == ("costs" not in verdicts(said).values(), verdicts(said)["tail-coverage"])


def test_leaving_out_at_random_is_like_chance():
    """Of 40 random removals at most 4 are billed for anything: the five intervals together hold 95 %."""
    rows = column(texts(200))
    billed = 0
    for seed in range(40):
        kept = np.random.default_rng(seed).random(200) < 0.6
        billed += "costs" in verdicts(bill(rows, kept, seed=seed)).values()
    assert billed <= 4


def test_against_real_text_the_reference_is_the_real_text():
    """With an anchor recall is the anchor's: keeping the half that shares its words is no loss to it."""
    rows = texts(300)
    alien = [row.replace("w", "x") for row in texts(300, seed=2)]
    kept = np.arange(600) < 300
    own, real = bill(column(rows + alien), kept, seed=7), bill(column(rows + alien), kept, seed=7, anchor=column(rows))
    assert ("costs", "gains") == (verdicts(own)["tail-coverage"], verdicts(real)["tail-coverage"])


@pytest.mark.parametrize("kept", [5, 595])
def test_too_little_is_not_told(kept):
    """A handful of records, left or left out, gives no bill rather than a number without meaning."""
    assert {} == bill(column(texts(600)), np.arange(600) < kept, seed=7)


def test_every_number_has_interval_and_n():
    """Each measure holds its ratio between its bounds, over all records given."""
    said = bill(column(texts(300)), np.arange(300) < 200, seed=7)
    assert (SLUGS, True) == (
        tuple(said),
        all(one.low <= one.value <= one.high and one.n == 300 for one in said.values()),
    )
