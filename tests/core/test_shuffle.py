"""Shuffle: rows come back by their place, however they came and however little fits into memory."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core import shuffle
from holdfast.core.shuffle import Shuffle, sliced


@given(st.permutations(range(23)), st.integers(1, 8), st.sampled_from([1, 400, 10_000]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_back_by_place(tmp_path, places, step, size):
    """Any order, any batches, one span or many: the rows read 0, 1, 2 ... and none is lost."""
    moved = Shuffle(tmp_path, 23, size)
    moved.span = max(1, 23 * 400 // max(size, 1))
    for start in range(0, 23, step):
        part = places[start : start + step]
        moved.add(pa.table({"value": pa.array(part, pa.int64())}), np.asarray(part, np.int64))
    found = [value for table in moved.tables() for value in table.column("value").to_pylist()]
    assert list(range(23)) == found


def test_many_bytes_lie_in_files_that_are_gone_afterwards(tmp_path):
    """Rows of many spans are written to the folder; reading them takes the files away."""
    moved = Shuffle(tmp_path, 10, 10 * shuffle.SPAN_BYTES)
    moved.add(pa.table({"value": range(10)}), np.arange(9, -1, -1))
    assert 10 == len(list(tmp_path.iterdir()))
    assert [9, 8, 7] == [table.column("value")[0].as_py() for table in moved.tables()][:3]
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("sizes", [[10], [3, 3, 4], [1] * 10, [4, 6]])
def test_sliced_anew_the_rows_stay_in_order(sizes):
    """Tables of 4, 4 and 2 rows are cut into tables of other sizes without loss."""
    tables = (pa.table({"value": rows}) for rows in (range(4), range(4, 8), range(8, 10)))
    found = list(sliced(tables, iter(sizes)))
    assert (sizes, list(range(10))) == (
        [table.num_rows for table in found],
        [value for table in found for value in table.column("value").to_pylist()],
    )


def test_the_number_of_open_files_is_bounded(tmp_path):
    """However many bytes there are, no more than MOST_SPANS files are open at once."""
    moved = Shuffle(tmp_path, 5_000, 10**13)
    moved.add(pa.table({"value": range(5_000)}), np.arange(5_000))
    assert shuffle.MOST_SPANS >= len(list(tmp_path.iterdir()))
    assert 5_000 == sum(table.num_rows for table in moved.tables())
