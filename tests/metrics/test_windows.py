"""Windows are equally long, inside their documents, and leave out only documents that are too short."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.metrics.windows import LONGEST, SHORTEST, cut, matched_length


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(5, 12), st.integers(0, 9))
def test_cut(lengths: list[int], length: int, seed: int) -> None:
    """Each document of at least `length` words gives one run of its own words; no other gives any."""
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    ids = np.arange(offsets[-1], dtype=np.uint64)
    windows = cut(ids, offsets, length, np.random.default_rng(seed))
    assert windows.words[:, 0].tolist() == (offsets[windows.documents] + windows.begins).tolist()
    assert [d for d, size in enumerate(lengths) if size >= length] == windows.documents.tolist()
    for words, document in zip(windows.words.astype(np.int64), windows.documents, strict=True):
        assert offsets[document] <= words[0] <= words[-1] < offsets[document + 1]
        assert (np.diff(words) == 1).all()


def test_matched_length() -> None:
    """The side with the shorter documents decides, at its lower quartile, between 5 and 100 words."""
    assert 20 == matched_length(np.array([20, 20, 20, 40]), np.array([90, 95, 99]))
    assert SHORTEST == matched_length(np.array([1, 2]), np.array([50]))
    assert LONGEST == matched_length(np.array([900]), np.array([700]))
    assert SHORTEST == matched_length(np.array([], int), np.array([], int))
