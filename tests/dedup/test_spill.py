"""Spill: what is written is read back, in memory or from a file that leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest

from holdfast.dedup.spill import forget, spill


@pytest.mark.parametrize("in_file", [False, True])
def test_values_come_back_in_order(in_file: bool, tmp_path: Path) -> None:
    """All values are there after their pages were given back too, and the folder is empty."""
    with spill(tmp_path if in_file else None) as store:
        assert 0 == store.values().size
        store.append(np.arange(5, dtype=np.uint32))
        store.append(np.empty(0, np.uint32))
        store.append(np.arange(5, 20_000, dtype=np.uint32))
        values = store.values()
        assert in_file == isinstance(values, np.memmap)
        forget(values)
        assert np.array_equal(np.arange(20_000), values)
        assert [] == list(tmp_path.iterdir())
