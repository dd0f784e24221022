"""Lookup: every known key is found with its values, whatever the size of its table of flags."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.dedup import lookup
from holdfast.dedup.lookup import Lookup

keys = st.lists(st.tuples(st.sampled_from([0, 5, 1 << 20, 1 << 63, (1 << 64) - 1]), st.integers(0, 5)), max_size=20)


@given(keys, st.lists(st.sampled_from([0, 3, 5, 1 << 20, 1 << 40, 1 << 63, (1 << 64) - 1]), max_size=10))
def test_find_equals_a_dictionary(pairs: list[tuple[int, int]], wanted: list[int]) -> None:
    """Positions come in order, each with the lowest values of its key."""
    table = Lookup.of(np.array([k for k, _ in pairs], np.uint64), np.array([v for _, v in pairs], np.int64), 3)
    expected = [(p, v) for p, key in enumerate(wanted) for v in sorted({v for k, v in pairs if k == key})[:3]]
    positions, values = table.find(np.array(wanted, np.uint64))
    assert expected == list(zip(positions.tolist(), values.tolist(), strict=True))


def test_flags_grow_with_the_keys() -> None:
    """A table of many keys still rules out most unknown ones at one look, and finds all it has."""
    random = np.random.default_rng(2)
    known = random.integers(1 << 63, size=1_000_000).astype(np.uint64) * np.uint64(2)
    table = Lookup.of(known, np.arange(known.size), 8)
    flags = table.flags()
    assert flags.size > 1 << lookup._FEWEST_BITS
    assert flags.mean() < 0.15
    positions, values = table.find(known[:1_000], flags)
    assert set(zip(range(1_000), range(1_000), strict=True)) <= set(
        zip(positions.tolist(), values.tolist(), strict=True)
    )
