"""Cosine joins: the bounded search equals a comparison of all pairs, and the partitioned one says what it misses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.dedup import cosine, partition
from holdfast.dedup.cosine import Blocks, similar_pairs
from holdfast.dedup.partition import partitioned_pairs


def unit(rows: np.ndarray) -> np.ndarray:
    """The rows at length one, float32."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def vectors(count: int, dimensions: int = 96, rank: int = 12, seed: int = 0) -> np.ndarray:
    """Unit vectors of low rank plus noise, a tenth of them near copies of others."""
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(count, rank)) @ rng.normal(size=(rank, dimensions)) + rng.normal(size=(count, dimensions))
    source, target = rng.integers(count, size=(2, max(1, count // 10)))
    made[target] = made[source] + 0.3 * rng.normal(size=(len(source), dimensions)) * rng.random((len(source), 1)) * 3
    return unit(made)


def all_pairs(rows: np.ndarray, threshold: float) -> set[tuple[int, int]]:
    """Every pair of cosine >= threshold, and those on the edge in float32 left to the caller."""
    scores = rows.astype(np.float64) @ rows.T
    left, right = np.nonzero(np.triu(scores >= threshold, 1))
    return set(zip(left.tolist(), right.tolist(), strict=True))


def found_pairs(found: cosine.Pairs) -> set[tuple[int, int]]:
    """Pairs as a set."""
    return set(zip(found.left.tolist(), found.right.tolist(), strict=True))


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9, 0.95])
def test_every_pair_is_found(threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """By heads (or whole vectors at 0.6), over several blocks and an odd rest: all pairs, each with its cosine."""
    monkeypatch.setattr(cosine, "BLOCK", 256)
    rows = vectors(1_700)
    assert (cosine.heads(rows, threshold, 0) is None) == (threshold == 0.6)
    found = similar_pairs(rows, threshold)
    assert all_pairs(rows, threshold) == found_pairs(found)
    assert np.allclose((rows[found.left] * rows[found.right]).sum(axis=1), found.similarity, atol=1e-6)
    assert (0, 1.0) == (found.skipped, found.recall)
    assert found_pairs(found)


@given(st.integers(1, 60), st.integers(1, 24), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 5))
def test_small_sets_are_compared_whole(count: int, dimensions: int, threshold: float, seed: int) -> None:
    """Whatever the size, dimension and threshold, the pairs are all pairs."""
    rows = unit(np.random.default_rng(seed).normal(size=(count, dimensions)))
    scores = rows.astype(np.float64) @ rows.T
    edge = {(i, j) for i, j in np.argwhere(abs(scores - threshold) < 1e-6).tolist()}
    assert all_pairs(rows, threshold) - edge == found_pairs(similar_pairs(rows, threshold)) - edge


def test_a_head_never_loses_a_pair() -> None:
    """The bound of heads and tails is at least the cosine for every pair, whatever the rotation kept."""
    rows = vectors(1_500)
    heads = cosine.heads(rows, 0.9, 0)
    assert heads is not None
    assert (heads @ heads.T - rows @ rows.T).min() > -cosine.SLACK
    assert heads.shape[1] < rows.shape[1]


def test_heads_are_not_used_where_they_cannot_help() -> None:
    """Of vectors without structure and a low threshold no head is cheaper than the whole."""
    rows = unit(np.random.default_rng(0).normal(size=(1_500, 64)))
    assert cosine.heads(rows, 0.1, 0) is None


def test_vectors_of_nothing_have_no_partner() -> None:
    """Zero vectors, of texts without words, are like nobody."""
    rows = np.concatenate([np.zeros((3, 8), np.float32), unit(np.ones((2, 8)))])
    assert {(3, 4)} == found_pairs(similar_pairs(rows, 0.5))


def test_one_template_does_not_grow_with_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 600 equal vectors each keeps its first 10 later partners; the rest is counted as left out."""
    monkeypatch.setattr(cosine, "MOST_PARTNERS", 10)
    found = similar_pairs(unit(np.ones((600, 8))), 0.9)
    assert 10 * 590 + 45 == len(found.left)
    assert 600 * 599 // 2 == len(found.left) + found.skipped


def test_dense_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most pairs pass the bound, one whole product finds what picking finds."""
    rows = vectors(1_200)
    picked = found_pairs(similar_pairs(rows, 0.5))
    monkeypatch.setattr(cosine, "DENSE", -1.0)
    assert picked == found_pairs(similar_pairs(rows, 0.5))


def test_partition_says_its_recall() -> None:
    """Of the pairs of 6,000 vectors in 12 clusters at least .98 are found, and the stated recall is within .01."""
    rows = vectors(6_000, rank=24)
    partition_size, partition.SIZE = partition.SIZE, 500
    try:
        found = partitioned_pairs(rows, 0.9)
    finally:
        partition.SIZE = partition_size
    truth = all_pairs(rows, 0.9)
    share = len(truth & found_pairs(found)) / len(truth)
    assert share >= partition.PROMISED
    assert abs(found.recall - share) < 0.01
    assert set() == found_pairs(found) - truth


def test_more_probes_where_too_few_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one probe of many small clusters the recall is too low; it is measured, and the search done again."""
    monkeypatch.setattr(partition, "PROBES", 1)
    monkeypatch.setattr(partition, "SIZE", 20)
    monkeypatch.setattr(partition, "MOST_PROBES", 1)
    rows = vectors(2_000, rank=40)
    assert partitioned_pairs(rows, 0.6).recall < partition.PROMISED
    monkeypatch.setattr(partition, "MOST_PROBES", 100)
    assert partitioned_pairs(rows, 0.6).recall >= partition.PROMISED


def test_blocks_compare_any_rows() -> None:
    """Lists of rows give the pairs between them, by place in the lists."""
    rows = vectors(1_300)
    left, right = np.arange(0, 1_300, 2), np.arange(1, 1_300, 2)
    one, other, _ = Blocks(rows, 0.9).compare(left, right)
    met = {(min(a, b), max(a, b)) for a, b in zip(left[one].tolist(), right[other].tolist(), strict=True)}
    assert {pair for pair in all_pairs(rows, 0.9) if (pair[0] + pair[1]) % 2} == met
