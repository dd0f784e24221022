"""Reworded items: nearness that words bear out."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.text import words
from holdfast.dedup.reworded import WORDED, reworded
from holdfast.dedup.semantic import PARAPHRASE, Paraphrases

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=9).map(" ".join), min_size=1, max_size=5)


def share(item: str, record: str) -> float:
    """The share of the item's distinct pairs of words (its only word where it has one) that the record holds."""

    def pairs(text: str) -> set[tuple[str, ...]]:
        said = words(text)
        return {tuple(said[k : k + 2]) for k in range(max(len(said) - 1, min(len(said), 1)))}

    return len(pairs(item) & pairs(record)) / max(len(pairs(item)), 1)


@given(TEXTS, TEXTS, st.randoms(use_true_random=False))
def test_a_pair_stays_by_its_nearness_or_by_its_words(records, items, random):
    """Every pair of cosine .85 stays, and of the others those whose record holds .4 of the item's pairs of words."""
    pairs = [(r, i, random.choice([0.7, 0.84, 0.85, 1.0])) for r in range(len(records)) for i in range(len(items))]
    near = Paraphrases(*(np.array(column) for column in zip(*pairs, strict=True)))
    found = reworded(near, pa.array(records), pa.array(items))
    expected = [(r, i, s) for r, i, s in pairs if s >= PARAPHRASE or share(items[i], records[r]) >= WORDED]
    assert expected == list(zip(*(column.tolist() for column in found), strict=True))
