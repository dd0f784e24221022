"""Sketches of distinct runs: exact in what they merge, within half a percent of exact in what they estimate."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.text import word_hashes
from holdfast.metrics import sketch_kernels
from holdfast.metrics.ngram import grams
from holdfast.metrics.sketch import BITS, ERROR, ORDERS, Distinct, _put, estimate, merged, mix, sketch

corpora = st.lists(st.lists(st.sampled_from(["a", "b", "c d", "e f g h i"]), max_size=6).map(" ".join), max_size=5)


def plain(ids: np.ndarray, offsets: np.ndarray) -> Distinct:
    """The numpy form, whatever else has been imported."""
    seen = Distinct()
    for k in ORDERS:
        runs = grams(ids, offsets, k)[0]
        _put(seen.registers[k - 1], mix(runs))
        seen.runs[k - 1] = len(runs)
    return seen


def of(texts: list[str]) -> Distinct:
    return plain(*word_hashes(pa.array(texts, pa.string())))


def same(first: Distinct, second: Distinct) -> bool:
    return bool((first.registers == second.registers).all() and (first.runs == second.runs).all())


@settings(max_examples=50)
@given(corpora)
def test_kernel_equals_numpy(texts: list[str]) -> None:
    """The compiled pass and the numpy form fill the same registers."""
    ids, offsets = word_hashes(pa.array(texts, pa.string()))
    registers = np.zeros((len(ORDERS), 1 << BITS), np.uint8)
    sketch_kernels.add(ids, offsets, registers, np.uint64(BITS))
    assert (plain(ids, offsets).registers == registers).all()


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30))
def test_ranks_are_counted_zeros(values: list[int]) -> None:
    """A register holds the most leading zeros, plus one, of the rest of any hash that falls into it."""
    expected = np.zeros(1 << BITS, np.uint8)
    for value in values:
        rest = f"{value:064b}"[BITS:] + "1"
        bucket = value >> (64 - BITS)
        expected[bucket] = max(expected[bucket], 1 + rest.index("1"))
    registers = np.zeros(1 << BITS, np.uint8)
    _put(registers, np.array(values, np.uint64))
    assert (expected == registers).all()


@settings(max_examples=25)
@given(corpora, corpora, corpora)
def test_merge(first: list[str], second: list[str], third: list[str]) -> None:
    """Merging is associative and commutative, merging parts equals one pass, and bytes come back whole."""
    a, b, c = of(first), of(second), of(third)
    whole = of([*first, *second, *third])
    assert same(whole, a.merge(b).merge(c))
    assert same(whole, a.merge(b.merge(c)))
    assert same(whole, c.merge(a).merge(b))
    assert same(a, a.merge(Distinct()))
    assert same(whole, Distinct.from_bytes(whole.to_bytes()))


def test_a_stream_equals_one_pass() -> None:
    """Adding texts a few at a time, as a training loop does, gives the sketch of all of them."""
    texts = [f"step {i} says {i % 7} and {i % 11} again" for i in range(200)]
    seen = Distinct()
    for first in range(0, 200, 30):
        seen.add_texts(pa.array(texts[first : first + 30]))
    assert same(of(texts), seen)


@pytest.mark.parametrize("count", [0, 1, 100, 30_000, 1_000_000])
def test_within_half_a_percent(count: int) -> None:
    """The estimate of any number of different hashes is within .5 % of it, repeats counting once."""
    hashes = np.random.default_rng(3).integers(0, 2**64, count, np.uint64)
    registers = np.zeros(1 << BITS, np.uint8)
    _put(registers, np.concatenate([hashes, hashes[: count // 2]]))
    assert count == pytest.approx(estimate(registers), rel=0.005)


def test_error_is_what_is_said() -> None:
    """Over 60 sets the root mean square error is the stated one within a third, and nine of ten intervals hold."""
    rng, size, off, held = np.random.default_rng(4), 400_000, [], 0
    for _ in range(60):
        seen = Distinct()
        _put(seen.registers[0], rng.integers(0, 2**64, size, np.uint64))
        seen.runs[0] = 2 * size
        off.append(seen.types(1) / size - 1)
        held += seen.share(1).low <= 0.5 <= seen.share(1).high
    assert ERROR == pytest.approx(np.sqrt(np.mean(np.square(off))), rel=1 / 3)
    assert held >= 54


def test_share() -> None:
    """distinct-k is types over runs, with n the runs; nothing seen has none."""
    share = of(["a b a b", "a b"]).share(2)
    assert (4, pytest.approx(2 / 4, rel=0.005)) == (share.n, share.value)
    assert share.low <= share.value <= share.high
    assert 0.0 == Distinct().share(1).value


@pytest.mark.parametrize(("real", "expected"), [(True, 4), (False, 2)])
def test_shards(real: bool, expected: int) -> None:
    """Shards are sketched alone and joined; without `real`, records labelled real do not count."""

    def shard(*rows: tuple[str, str]) -> pa.Table:
        texts, origins = zip(*rows, strict=True)
        return pa.table({"prompt": [""] * len(rows), "response": texts, "origin": origins})

    shards = [shard(("one two", "real"), ("three", "synthetic")), shard(("three four", "synthetic"))]
    whole = merged(sketch(each, real=real) for each in shards)
    assert expected == pytest.approx(whole.types(1), rel=0.005)
    assert {True: 5, False: 3}[real] == whole.runs[0]


def test_other_bytes_are_refused() -> None:
    """What is no sketch is not read as one."""
    with pytest.raises(UsageError, match="3 bytes"):
        Distinct.from_bytes(b"abc")


def test_many_parts_merge_as_one() -> None:
    """However a corpus is split, its parts add up to the same sketch."""
    texts = [f"w{i} w{i * i % 97} w{i % 5}" for i in range(300)]
    bounds = [0, *sorted(np.random.default_rng(5).choice(300, 6, replace=False).tolist()), 300]
    parts = [of(texts[begin:end]) for begin, end in pairwise(bounds)]
    assert same(of(texts), reduce(Distinct.merge, parts))
