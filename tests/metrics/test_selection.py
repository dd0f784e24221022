"""Greedy choice: each record in its turn adds about the most, and few records cover more than as many by chance."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.hashing import to_offsets
from holdfast.metrics.selection import Grams, by_coverage, grams

RECORDS = st.lists(st.lists(st.integers(1, 25), max_size=8), max_size=15)
NOTHING = np.empty(0, np.uint64)


def arrays(records):
    """Records of small gram numbers."""
    hashes = np.asarray([gram for record in records for gram in record], np.uint64)
    return Grams(hashes, to_offsets(np.asarray([len(record) for record in records], np.int64)))


@given(RECORDS, st.sets(st.integers(1, 25), max_size=10))
def test_every_choice_is_within_a_tenth_of_the_best(records, covered):
    """All records come once; each taken one gains at least nine tenths of what the best of those left would."""
    known = np.asarray(sorted(covered), np.uint64)
    sizes = np.asarray([max(1, len(record)) for record in records], np.int64)
    order = by_coverage(arrays(records), sizes, known).tolist()
    assert sorted(order) == list(range(len(records)))
    seen, left = set(covered), set(range(len(records)))
    for record in order:
        gains = {each: len(set(records[each]) - seen) / sizes[each] for each in left}
        assert gains[record] >= 0.9 * max(gains.values()) - 1e-9
        seen |= set(records[record])
        left.remove(record)


def test_only_wanted_pairs_count():
    """Where nothing of a record is wanted it comes last, however new it is."""
    order = by_coverage(arrays([[1, 2, 3, 4], [7], [8]]), np.ones(3, np.int64), NOTHING, np.asarray([7, 8], np.uint64))
    assert [1, 2, 0] == order.tolist()


def test_on_text_few_records_cover_more_than_as_many_by_chance():
    """Of 200 texts in 40 groups of five alike, the first 40 chosen hold every word pair."""
    texts = [" ".join(f"g{n % 40}w{place}" for place in range(20)) for n in range(200)]
    found = grams(pa.chunked_array([pa.array(texts)]))
    order = by_coverage(found, np.diff(found.offsets), NOTHING)
    spans = [found.hashes[found.offsets[row] : found.offsets[row + 1]] for row in order[:40].tolist()]
    assert np.unique(found.hashes).size == np.unique(np.concatenate(spans)).size
