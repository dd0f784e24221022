"""The arithmetic of a mixture: no cap is exceeded by one unit, strata keep their weights to within one record."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.workflows.mixture import (
    PARTS,
    Candidates,
    Rules,
    _of_size,
    apportion,
    chosen,
    parts_of,
    rank_within,
    reachable,
)

GENERATORS, STRATA = 3, 3
ONE = st.tuples(
    st.booleans(), st.integers(1, 30), st.integers(0, 5), st.integers(0, GENERATORS - 1), st.integers(0, STRATA - 1)
)
SHARES = st.integers(0, 100).map(lambda percent: percent / 100)
SIZES = st.one_of(st.none(), st.integers(0, 60))


def candidates(rows, *, by_records):
    """Records (synthetic, words, real words of a mixed one, generator, stratum) in taking order."""
    synthetic = np.asarray([row[0] for row in rows], np.bool_)
    words = np.asarray([row[1] for row in rows], np.int64)
    beside = np.asarray([row[2] for row in rows], np.int64)
    made, real = np.where(synthetic, words, 0), np.where(synthetic, beside, words)
    if by_records:
        made, real = synthetic.astype(np.int64), (~synthetic).astype(np.int64)
    groups = [np.asarray([row[at] for row in rows], np.int64) for at in (3, 4)]
    return Candidates(made, real, synthetic, *groups)


def share(part, whole):
    """part/whole exactly; 0 of nothing."""
    return Fraction(int(part), int(whole)) if whole else Fraction(0)


@given(st.lists(ONE, max_size=60), st.booleans(), st.tuples(SHARES, SHARES, SHARES), SIZES, st.booleans())
@settings(max_examples=400)
def test_no_cap_is_exceeded_and_weights_hold(rows, by_records, caps, size, weighted):
    """Over random mixtures: every share is at most its cap, exactly, and strata are within one record of theirs."""
    given_ = candidates(rows, by_records=by_records)
    weights = (1, 2, 0.5) if weighted else ()
    cap, per_generator, per_stratum = caps
    taken = chosen(given_, Rules(cap, [per_generator] * GENERATORS, per_stratum, weights, size, by_records))
    made, real = given_.made * taken, given_.real * taken
    assert share(made.sum(), made.sum() + real.sum()) <= Fraction(str(cap))
    for group in range(GENERATORS):
        assert share(made[given_.generator == group].sum(), made.sum()) <= Fraction(str(per_generator))
    for group in range(STRATA):
        inside = given_.stratum == group
        assert share(made[inside].sum(), (made + real)[inside].sum()) <= Fraction(str(per_stratum))
    assert taken.sum() <= (len(rows) if size is None else size)
    if weighted:
        counts = np.bincount(given_.stratum[taken], minlength=STRATA)
        wanted = [Fraction(int(taken.sum())) * Fraction(str(weight)) / Fraction("3.5") for weight in weights]
        assert all(abs(count - target) < 1 for count, target in zip(counts.tolist(), wanted, strict=True))


def plain(real, made, **rules):
    """Take from `real` real and `made` synthetic records of one generator and stratum."""
    rows = [(False, 1, 0, 0, 0)] * real + [(True, 1, 0, 0, 0)] * made
    taken = chosen(candidates(rows, by_records=True), Rules(**rules))
    return int(taken[:real].sum()), int(taken[real:].sum())


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"cap": 0.5}, (10, 10)),
        ({"cap": 0.25, "size": 12}, (9, 3)),
        ({"cap": 1.0}, (10, 40)),
        ({"cap": 0.0}, (10, 0)),
        ({"cap": 0.9, "size": 45}, (5, 40)),
        ({"cap": 0.5, "size": 1000}, (10, 10)),
        ({"cap": 0.333333}, (10, 4)),
    ],
)
def test_as_many_as_the_caps_allow(rules, expected):
    """10 real and 40 synthetic records: as many synthetic ones as the cap allows at that size, the rest real."""
    assert expected == plain(10, 40, **rules)


def test_every_generator_is_filled_to_its_cap():
    """30, 8 and 2 records under a cap of half: the large one gives as many as the two others together."""
    rows = [(True, 1, 0, generator, 0) for generator, count in enumerate((30, 8, 2)) for _ in range(count)]
    given_ = candidates(rows, by_records=True)
    taken = chosen(given_, Rules(1.0, [0.5] * 3))
    assert [10, 8, 2] == np.bincount(given_.generator[taken], minlength=3).tolist()


def test_a_stratum_without_real_records_gets_its_weight_from_the_others_room():
    """Strata of equal weight, one all synthetic: it is filled, and the overall cap holds."""
    rows = [(False, 1, 0, 0, 0)] * 20 + [(True, 1, 0, 0, 0)] * 20 + [(True, 1, 0, 0, 1)] * 20
    given_ = candidates(rows, by_records=True)
    taken = chosen(given_, Rules(0.5, [1.0], weights=(1, 1)))
    assert ([20, 20], 20) == (np.bincount(given_.stratum[taken]).tolist(), int(taken[:20].sum()))


@given(st.integers(0, 500), st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_apportioned_shares_are_whole_and_within_one(total, weights):
    """The parts sum to the total and each is less than one away from its exact share."""
    parts = apportion(total, weights)
    whole = sum(weights)
    assert (total if whole else 0) == sum(parts)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


def test_ranks_and_reachable_totals_by_hand():
    """Places within groups; of 30, 8 and 2 units with caps of one half 20 can be had."""
    assert [0, 0, 1, 1, 2] == rank_within(np.asarray([5, 2, 5, 2, 5])).tolist()
    assert 20 == reachable([30, 8, 2], [500_000] * 3)


COUNTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=3).filter(
    lambda strata: any(weight for _, _, weight in strata)
)


@given(COUNTS, SHARES)
@settings(max_examples=300)
def test_the_largest_deal_is_found(strata, cap):
    """No size above the one dealt can be filled: the search agrees with trying every size."""
    rows = [(kind, 1, 0, 0, at) for at, each in enumerate(strata) for kind in (False, True) for _ in range(each[kind])]
    weights = [each[2] for each in strata]
    taken = chosen(candidates(rows, by_records=True), Rules(cap, [1.0], weights=weights))
    there = ([each[0] for each in strata], [each[1] for each in strata])
    most = parts_of(cap)
    fits = [size for size in range(len(rows) + 1) if _of_size(size, there, weights, most * size // PARTS) is not None]
    assert max(fits, default=0) == taken.sum()


def test_rounding_throws_no_lawful_mixture_away():
    """25 synthetic and 75 real records in strata of 1 to 3, cap a quarter: all 100 are lawful, and taken."""
    rows = [(True, 1, 0, 0, 0)] * 25 + [(False, 1, 0, 0, 1)] * 75
    assert 100 == chosen(candidates(rows, by_records=True), Rules(0.25, [1.0], weights=(1, 3))).sum()


def test_by_tokens_a_size_is_filled_by_tokens():
    """10 real records of 1,000 words and 100 synthetic of 10: the cap is on words, and 100 records are had."""
    rows = [(False, 1000, 0, 0, 0)] * 10 + [(True, 10, 0, 0, 0)] * 100
    taken = chosen(candidates(rows, by_records=False), Rules(0.5, [1.0], size=100, by_records=False))
    assert (100, True) == (int(taken.sum()), bool(taken[:10].sum() >= 1))
