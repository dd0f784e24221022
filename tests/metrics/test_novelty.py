"""Novelty: what a record adds to those kept, part by part."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.hashing import to_offsets
from holdfast.core.reader import read
from holdfast.metrics import novelty
from holdfast.metrics.novelty import Covered, boundary_part, cell_part, distance_part, distinct, find
from tests.rules.views import sentence
from tests.workflows.test_filter import written

RECORDS = st.lists(st.lists(st.integers(1, 40), max_size=12), max_size=25)


def arrays(records):
    """Records of small gram numbers as hashes and offsets."""
    hashes = np.asarray([gram for record in records for gram in record], np.uint64)
    return hashes, to_offsets(np.asarray([len(record) for record in records], np.int64))


def by_hand(records, least):
    """The definition, record by record, in plain Python."""
    known, shares = set(), []
    for record in records:
        grams = set(record)
        shares.append(np.float32(len(grams - known) / len(grams) if grams else 0.0))
        if shares[-1] >= np.float32(least):
            known |= grams
    return shares


@given(RECORDS, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
@pytest.mark.parametrize("compiled", [False, True])
def test_both_forms_follow_the_definition(compiled, records, least):
    """Plain and compiled: a gram is new until a kept record holds it; what is rejected covers nothing."""
    hashes, offsets = distinct(*arrays(records))
    covered = Covered(novelty.KERNEL_GRAMS if compiled else 0)
    covered.table = covered.table if compiled else None
    shares = covered.admit(hashes, offsets, least, np.zeros(len(records), np.float32))
    assert by_hand(records, least) == shares.tolist()


def test_of_too_many_grams_a_fixed_part_stands_for_all(monkeypatch):
    """Thinned to an eighth, the share of new grams of a record stays near the true one."""
    monkeypatch.setattr(novelty, "MOST_GRAMS", 50_000)
    random = np.random.default_rng(3)
    old = random.integers(1, 2**63, 200_000).astype(np.uint64) * np.uint64(2)
    mixed = np.concatenate([old[:100_000], random.integers(1, 2**63, 100_000).astype(np.uint64) * np.uint64(2)])
    covered = Covered(400_000)
    none = np.zeros(1, np.float32)
    covered.admit(*distinct(old, np.asarray([0, old.size])), 0.0, none)
    share = covered.admit(*distinct(mixed, np.asarray([0, mixed.size])), 0.0, none)
    assert 0.5 == pytest.approx(float(share[0]), abs=0.02)


def test_parts_of_cells_checks_and_vectors():
    """First of its cell 1, second a half; disagreement 1; distance to the nearest vector before."""
    vectors = np.asarray([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
    assert ([1.0, 0.5, 1.0, 0.0], [0.25]) == (
        cell_part(["a", "a", "b", None], {}).tolist(),
        cell_part(["a"], {"a": 3}).tolist(),
    )
    assert [0.0, 1.0, 1.0, 0.0] == boundary_part([{}, {"a": True, "b": False}, {"a": None}, {"a": True}]).tolist()
    assert [1.0, 0.0, 1.0, 0.0] == distance_part(vectors, np.zeros((0, 2), np.float32)).tolist()
    assert [0.0] == distance_part(vectors[:1], vectors[1:2]).tolist()


def test_the_largest_part_is_the_score(tmp_path):
    """A record that repeats the words of an earlier one is still worth keeping in an empty cell."""
    rows = [{"text": sentence(1)}, {"text": sentence(1)}, {"text": sentence(1), "holdfast": {"cell": {"k": "rare"}}}]
    data = read([written(tmp_path / "d.jsonl", rows)], spool=tmp_path)
    found = find(data, np.arange(3), 0.1)
    assert ([1.0, 0.0, 1.0], 0.0) == (found.score.tolist(), found.words[2])


def test_what_is_covered_elsewhere_is_not_new(tmp_path):
    """Held against another file, a record it holds adds nothing."""
    mine = read([written(tmp_path / "a.jsonl", [{"text": sentence(1)}, {"text": sentence(2)}])], spool=tmp_path / "a")
    known = read([written(tmp_path / "b.jsonl", [{"text": sentence(2)}])], spool=tmp_path / "b")
    assert [True, False] == (find(mine, np.arange(2), 0.1, known).score > 0.5).tolist()


def test_an_encoder_adds_the_distance(tmp_path):
    """With vectors, nearness in meaning is a part of its own, named in the parts."""

    class Flat:
        """Every text is the same vector."""

        name = "flat"

        def encode(self, texts: pa.ChunkedArray) -> np.ndarray:
            """Return one unit vector per text."""
            return np.ones((len(texts), 1), np.float32)

    data = read([written(tmp_path / "a.jsonl", [{"text": sentence(1)}, {"text": sentence(2)}])], spool=tmp_path / "a")
    assert [1.0, 0.0] == find(data, np.arange(2), 0.1, None, Flat()).parts["distance"].tolist()
