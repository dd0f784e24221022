"""The MinHash join: every pair is exact, what it misses is what the formula says, and its limits are counted."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.hashing import to_offsets
from holdfast.dedup import join as joining
from holdfast.dedup import minhash, near
from holdfast.dedup.clusters import NearSpec, connected
from tests.dedup.planted import rows, texts_table


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms for large inputs, whatever the size."""
    for name in ("holdfast.core.kernels", "holdfast.dedup.join_kernels"):
        monkeypatch.setitem(sys.modules, name, import_module(name))


def packed(sets: list[set[int]]) -> tuple[Any, Any, Any]:
    """Sets as (shingles, offsets, active), every set active."""
    shingles = np.concatenate([np.sort(np.fromiter(one, np.uint32, len(one))) for one in sets])
    return shingles, to_offsets(np.array([len(one) for one in sets])), np.arange(len(sets))


def pairs_of(threshold: float, size: int, count: int) -> tuple[Any, Any, Any]:
    """`count` pairs of sets, each pair of Jaccard similarity `threshold` and with nothing in common with others."""
    shared = round(2 * size * threshold / (1 + threshold))
    random = np.random.default_rng(3)
    sets = []
    for _ in range(count):
        words = random.integers(1 << 32, size=2 * size - shared).tolist()
        sets += [set(words[:size]), set(words[:shared] + words[size:])]
    return packed(sets)


def test_every_pair_has_been_compared() -> None:
    """Whatever the sets, a reported pair reaches the threshold and its similarity is that of the two sets."""
    few = st.sets(st.integers(0, 12).map(lambda n: n * 331_804_471), min_size=1)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(few, min_size=1, max_size=40), st.sampled_from([0.1, 0.3, 0.5, 0.7, 1.0]))
    def holds(sets: list[set[int]], threshold: float) -> None:
        found = minhash.find(*packed(sets), threshold)
        for i, j, similarity in zip(found.left, found.right, found.similarity, strict=True):
            assert i < j
            assert pytest.approx(len(sets[i] & sets[j]) / len(sets[i] | sets[j])) == similarity
            assert similarity >= threshold - 1e-6
        assert len(found.left) == len(set(zip(found.left, found.right, strict=True)))

    holds()


@pytest.mark.parametrize(("threshold", "size"), [(0.5, 6), (0.5, 150), (0.7, 170), (0.9, 190)])
def test_recall_at_the_threshold_is_what_the_formula_says(threshold: float, size: int) -> None:
    """Of 3,000 pairs just at the threshold as many are found as expected, less three standard deviations."""
    expected = minhash.banding(threshold).recall
    found = minhash.find(*pairs_of(threshold, size, 3_000), threshold)
    error = (expected * (1 - expected) / 3_000) ** 0.5
    assert len(found.left) / 3_000 >= expected - 3 * error
    assert expected >= minhash.RECALL


@pytest.mark.parametrize(
    ("threshold", "bands", "rows"), [(0.5, 42, 3), (0.7, 31, 5), (0.3, 59, 2), (0.1, 53, 1), (1.0, 1, 5)]
)
def test_bands_follow_from_the_threshold(threshold: float, bands: int, rows: int) -> None:
    """As many rows as reach the promised recall; 25 bands of 5, the usual choice, would find 55 % at 0.5."""
    assert (bands, rows) == minhash.banding(threshold)[:2]
    assert pytest.approx(0.548, abs=1e-3) == minhash.recall(0.5, 25, 5)


def test_recall_against_the_exact_join(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On real prose with edits, 99 % of the pairs 0.1 above the threshold are found, and none is invented."""
    table = texts_table([row["text"] for row in rows(shared_data, "neardup/controlled")[:3_000]])
    sketch = near.sketch(table)
    exact = near.join([sketch], NearSpec(threshold=0.4))
    monkeypatch.setattr(joining, "MOST_EXACT", 0)
    found = near.join([sketch], NearSpec(threshold=0.4))
    expected = dict(zip(zip(exact.left, exact.right, strict=True), exact.similarity, strict=True))
    got = dict(zip(zip(found.left, found.right, strict=True), found.similarity, strict=True))
    clear = {pair for pair, similarity in expected.items() if similarity >= 0.5}
    assert len(clear) > 100
    assert len(clear & got.keys()) >= 0.99 * len(clear)
    assert got == {pair: expected[pair] for pair in got}
    assert (1.0, True) == (exact.recall, 0.996 <= found.recall < 1)


def test_costly_data_and_large_data_go_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records beyond the limit, or shingles that stand everywhere, change the method and not the answer."""
    texts = [f"a b c d e f g {i} {i} h i j k l m n" for i in range(60)]
    exact = near.find_near([texts_table(texts)], NearSpec(threshold=0.5))
    assert 59 == exact.beyond
    for name in ("MOST_EXACT", "MOST_MEETINGS"):
        with monkeypatch.context() as patch:
            patch.setattr(joining, name, 0)
            found = near.find_near([texts_table(texts)], NearSpec(threshold=0.5))
        assert (exact.beyond, True) == (found.beyond, found.recall < 1)


def test_workers_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pairs are the same for any number of threads, in small chunks, and from a mapped file."""
    texts = [" ".join(f"w{(i * k) % 41}" for k in range(30)) for i in range(200)]
    sketch = near.sketch(texts_table(texts))
    monkeypatch.setattr(joining, "MOST_EXACT", 0)
    first = near.join([sketch])
    monkeypatch.setattr(minhash, "_CHUNK", 7)
    monkeypatch.setattr(minhash, "_COMPARED", 11)
    second = near.join([sketch], folder=tmp_path, workers=3)
    assert first.left.size > 100
    for name in ("left", "right", "similarity"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()
    assert first.skipped == second.skipped


def test_hot_buckets_are_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template with thousands of records costs a bounded number of comparisons, says so, and stays one cluster."""
    random = np.random.default_rng(5)
    stock = set(range(0, 1 << 30, 1 << 24))
    sets = [stock | set(random.integers(1 << 32, size=8).tolist()) for _ in range(2_000)]
    monkeypatch.setattr(minhash, "MOST_PARTNERS", 20)
    monkeypatch.setattr(minhash, "MOST_NEAREST", 32)
    found = minhash.find(*packed(sets), 0.5)
    assert found.skipped > 100_000
    # The limit is looked at once a band, and one band adds at most this many.
    assert np.bincount(found.right).max() <= 20 + 20 + 32
    assert not connected(2_000, found.left, found.right).any()


@pytest.mark.parametrize("keys_bytes", [0, 60_000, 1 << 30])
def test_a_hot_bucket_is_ordered_by_another_band(monkeypatch: pytest.MonkeyPatch, keys_bytes: int) -> None:
    """The true pair of a crowded bucket is compared although hundreds of records lie between the two.

    That holds however many bands are sketched at once, and although crowded records agree in many bands.
    """
    monkeypatch.setattr(minhash, "MOST_COMPARISONS", 40_000)
    monkeypatch.setattr(minhash, "KEYS_BYTES", keys_bytes)
    random = np.random.default_rng(6)
    stock = list(range(0, 1 << 30, 1 << 26))
    sets = [set(stock) | set(random.integers(1 << 32, size=64).tolist()) for _ in range(3_000)]
    for number in range(30):
        sets[2_900 + number] = {*sorted(sets[number])[:-2], number}
    found = minhash.find(*packed(sets), 0.8)
    assert [(number, 2_900 + number) for number in range(30)] == list(zip(found.left, found.right, strict=True))
