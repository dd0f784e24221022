"""Agreement figures equal published and hand-computed ones, and their intervals hold the truth as often as promised."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.stats.agreement import Bootstrap, cohen_kappa, gwet_ac1, krippendorff_alpha, raw_agreement

NAN = float("nan")
# Four observers, twelve units: the example of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


def _pairs(table: list[list[int]]) -> tuple[list[float], list[float]]:
    """Return the ratings behind a table of counts."""
    cells = [(row, column, count) for row, line in enumerate(table) for column, count in enumerate(line)]
    first = [float(row) for row, _, count in cells for _ in range(count)]
    return first, [float(column) for _, column, count in cells for _ in range(count)]


@pytest.mark.parametrize(("table", "expected"), [([[20, 5], [10, 15]], 0.4), ([[45, 15], [25, 15]], 0.06 / 0.46)])
def test_kappa_of_the_textbook_tables(table: list[list[int]], expected: float) -> None:
    """Check 25 of the acceptance table: .400 and .1304, to 1e-9."""
    found = cohen_kappa(*_pairs(table))
    assert pytest.approx(expected, abs=1e-9) == found.value
    assert np.sum(table) == found.n
    assert found.low is not None
    assert found.low < expected < (found.high or 0)


def test_weighted_kappa_by_hand() -> None:
    """[[4,1,0],[1,2,1],[0,1,2]] of 12 pairs, with scores 0, 1 and 2.

    Marginals are 5, 4, 3 both ways. Unweighted: p_o = 8/12, p_e = 50/144, kappa = 46/94. Linear: sum w o = 4/12, sum
    w e = (2*5*4 + 2*4*3 + 2*2*5*3)/144 = 124/144. Quadratic: 4/12 over (40 + 24 + 120)/144 = 184/144.
    """
    a, b = _pairs([[4, 1, 0], [1, 2, 1], [0, 1, 2]])
    assert pytest.approx(46 / 94) == cohen_kappa(a, b).value
    assert pytest.approx(1 - (4 / 12) / (124 / 144)) == cohen_kappa(a, b, "linear").value
    assert pytest.approx(1 - (4 / 12) / (184 / 144)) == cohen_kappa(a, b, "quadratic").value


def test_alpha_of_the_published_example() -> None:
    """Nominal .743, ordinal .815, interval .849 over the eleven units that two or more observers rated."""
    found = [krippendorff_alpha(PUBLISHED, level) for level in ("nominal", "ordinal", "interval")]
    assert [0.743, 0.815, 0.849] == [round(each.value or 0, 3) for each in found]
    assert {11} == {each.n for each in found}


def test_ac1_by_hand() -> None:
    """[[45,15],[25,15]]: p_a = .6, pi = .65, p_e = .455, AC1 = .145/.545; and it holds where kappa's paradox strikes.

    [[118,5],[2,0]]: 118 of 125 agree, yet kappa is below 0; pi = 243/250, p_e = 2 pi (1 - pi).
    """
    assert pytest.approx(0.145 / 0.545) == gwet_ac1(_pairs([[45, 15], [25, 15]])).value
    rare = _pairs([[118, 5], [2, 0]])
    chance = 2 * (243 / 250) * (7 / 250)
    assert pytest.approx((118 / 125 - chance) / (1 - chance)) == gwet_ac1(rare).value
    assert (cohen_kappa(*rare).value or 0) < 0


def test_ac1_with_missing_ratings_by_hand() -> None:
    """Three items, one rated once: p_a rests on the two others, pi on all three.

    Items (1,1,1), (1,2,-), (2,-,-): p_a = (1 + 0)/2, pi_1 = (1 + 1/2 + 0)/3 = 1/2, p_e = 1/2, AC1 = 0.
    """
    found = gwet_ac1([[1, 1, 2], [1, 2, NAN], [1, NAN, NAN]])
    assert pytest.approx(0) == found.value
    assert 2 == found.n


def test_raw_agreement_of_three_raters() -> None:
    """All equal is 1, two of three is a third, averaged over items; an item rated once is left out."""
    found = raw_agreement([[1, 1, 1], [1, 1, NAN], [1, 2, NAN]])
    assert pytest.approx((1 + 1 / 3) / 2) == found.value
    assert 2 == found.n


def test_one_answer_for_everything_shows_no_agreement_beyond_chance() -> None:
    """The value is unknown and its bounds are everything, so that no threshold is passed; nothing rated is the same."""
    same = [[1.0] * 40, [1.0] * 40]
    for found in (cohen_kappa(*same), krippendorff_alpha(same), gwet_ac1(same), cohen_kappa([NAN], [1.0])):
        assert (None, -1.0, 1.0) == (found.value, found.low, found.high)
    assert 1.0 == gwet_ac1(same, categories=2).value


def test_what_is_no_table_of_ratings_is_refused() -> None:
    """One rater, or raters of unequal length, are told as such."""
    with pytest.raises(UsageError, match="raters x items"):
        krippendorff_alpha([[1.0, 2.0]])
    with pytest.raises(UsageError, match="One rater has 2"):
        cohen_kappa([1.0, 2.0], [1.0])


def test_the_order_and_the_names_of_answers_are_nothing() -> None:
    """Items in another order, and other codes for the same answers, give the same figures and the same intervals."""
    rng = np.random.default_rng(5)
    a = rng.integers(0, 3, 200).astype(float)
    b = np.where(rng.random(200) < 0.7, a, rng.integers(0, 3, 200))
    order = rng.permutation(200)
    assert cohen_kappa(a, b) == cohen_kappa(a[order], b[order]) == cohen_kappa(a + 7, b + 7)


@pytest.mark.parametrize("figure", ["kappa", "alpha", "ac1"])
def test_intervals_cover(figure: str) -> None:
    """The 95 % interval holds the figure of the whole population in 91 to 98 % of 300 samples of 150 items."""
    rng = np.random.default_rng(11)
    truth = (rng.random(200_000) < 0.7).astype(float)
    raters = np.stack([np.where(rng.random(len(truth)) < right, truth, 1 - truth) for right in (0.9, 0.8)])
    measure = {
        "kappa": lambda ratings, how: cohen_kappa(ratings[0], ratings[1], how=how),
        "alpha": lambda ratings, how: krippendorff_alpha(ratings, how=how),
        "ac1": lambda ratings, how: gwet_ac1(ratings, how=how),
    }[figure]
    whole = measure(raters, Bootstrap(resamples=2)).value or 0
    covered = 0
    for sample in range(300):
        rows = rng.choice(len(truth), 150, replace=False)
        found = measure(raters[:, rows], Bootstrap(seed=sample, resamples=400))
        covered += (found.low or 0) <= whole <= (found.high or 0)
    assert 0.91 <= covered / 300 <= 0.98


def test_the_figures_of_three_human_raters_and_two_judges(shared_data: Path) -> None:
    """PandaLM's votes: the figures equal those of plain loops over pairs, written without any of this code."""
    packed = (shared_data / "multigen" / "pandalm_human_pairs.jsonl.gz").read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    humans = np.array([row["human_votes"] for row in rows], float).T
    counts = [[row["human_votes"].count(vote) for vote in (0, 1, 2)] for row in rows]
    agreed = sum(sum(k * (k - 1) for k in item) / 6 for item in counts) / len(rows)
    totals = [sum(item[vote] for item in counts) for vote in (0, 1, 2)]
    ratings = sum(totals)
    expected = 1 - sum(k * (k - 1) for k in totals) / (ratings * (ratings - 1))
    assert pytest.approx(1 - (1 - agreed) / expected, abs=1e-12) == krippendorff_alpha(humans).value
    shares = [total / ratings for total in totals]
    chance = sum(share * (1 - share) for share in shares) / 2
    assert pytest.approx((agreed - chance) / (1 - chance), abs=1e-12) == gwet_ac1(humans).value
    codes = {"0": 0, "Tie": 0, "1": 1, "2": 2}
    for name in ("judge_gpt35", "judge_pandalm7b"):
        votes = [(row["human_majority"], codes.get(row[name], NAN)) for row in rows]
        said = [(human, judge) for human, judge in votes if not np.isnan(judge)]
        same = sum(human == judge for human, judge in said) / len(said)
        human_of, judge_of = zip(*said, strict=True)
        by_luck = sum(human_of.count(vote) * judge_of.count(vote) for vote in (0, 1, 2)) / len(said) ** 2
        found = cohen_kappa(*zip(*votes, strict=True))
        assert pytest.approx((same - by_luck) / (1 - by_luck), abs=1e-12) == found.value
        assert {"judge_gpt35": 974, "judge_pandalm7b": 999}[name] == found.n


def test_one_item_says_nothing_about_others() -> None:
    """Over one item every figure has the whole interval, and a share's begins at 0; so does one of no items."""
    one = [[1.0], [0.0]]
    found = (cohen_kappa(*one), krippendorff_alpha(one), gwet_ac1(one, 2), raw_agreement(one))
    assert [(-1.0, 1.0)] * 3 + [(0.0, 1.0)] == [(each.low, each.high) for each in found]
    none = raw_agreement([[np.nan], [0.0]])
    assert (None, 0.0, 1.0) == (none.value, none.low, none.high)
