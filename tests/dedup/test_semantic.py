"""Semantic duplicates: pairs by cosine that hold exact and near ones too, and held-out items in other words."""

import numpy as np
import pyarrow as pa
import pytest

from holdfast.core.errors import UsageError
from holdfast.dedup import semantic
from holdfast.dedup.clusters import NearDuplicates, NearSpec, SemanticSpec
from holdfast.dedup.semantic import encode, find_semantic, join, paraphrases


class Letters:
    """An encoder for tests: counts letters, so that an anagram is a paraphrase."""

    name = "letters@1"

    def encode(self, texts) -> np.ndarray:
        """Return letter counts at length one; zero without letters."""
        rows = [[(text.as_py() or "").lower().count(chr(97 + i)) for i in range(26)] for text in texts]
        counts = np.array(rows, np.float32).reshape(-1, 26)
        norm = np.linalg.norm(counts, axis=1, keepdims=True)
        return counts / np.where(norm > 0, norm, 1)


TEXTS = pa.array(["listen now", "silent own", "quiet zebra", "Listen  now", "", "", "zzz"])


def test_anagrams_copies_and_nothing_else() -> None:
    """Like vectors and equal texts are pairs; texts without words are equal to each other and like nobody."""
    found = find_semantic(TEXTS, Letters(), 0.95)
    pairs = list(zip(found.left.tolist(), found.right.tolist(), found.similarity.round(4).tolist(), strict=True))
    assert [(0, 1, 1.0), (0, 3, 1.0), (4, 5, 1.0)] == pairs
    assert SemanticSpec("letters@1", 0.95) == found.spec
    assert [0, 0, 2, 0, 4, 4, 6] == found.clusters().representative.tolist()


def test_near_pairs_are_semantic_ones_at_every_threshold() -> None:
    """A near pair of unlike vectors stays in the result, with its own cosine, however high the threshold goes."""
    vectors = np.eye(4, dtype=np.float32)
    vectors[1] = [0.96, 0.28, 0, 0]
    near = NearDuplicates(4, NearSpec(), np.array([2]), np.array([3]), np.array([0.7], np.float32))
    found = join(vectors, SemanticSpec("x", 0.9), np.arange(4), near)
    assert [(0, 1), (2, 3)] == list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert [0.96, 0.0] == pytest.approx(found.similarity.tolist())
    high = found.at(0.99)
    assert [(2, 3)] == list(zip(high.left.tolist(), high.right.tolist(), strict=True))
    assert 1 == high.beyond
    with pytest.raises(UsageError):
        found.at(0.5)


def test_near_pairs_of_copies_are_those_of_the_first() -> None:
    """A near pair that names a copy of a text holds for the text's first record."""
    same = np.array([0, 1, 0])
    near = NearDuplicates(3, NearSpec(), np.array([1]), np.array([2]), np.array([0.6], np.float32))
    found = join(np.eye(3, dtype=np.float32), SemanticSpec("x", 0.9), same, near)
    assert [(0, 1), (0, 2)] == list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_shards_encode_like_one(tmp_path) -> None:
    """Vectors of shards, mapped from a file, equal those of all texts at once; no shard gives no vector."""
    tables = [pa.table({"prompt": ["", ""], "response": list(part)}) for part in (["ab", "c"], ["b", "abc"])]
    assert np.allclose(Letters().encode(pa.array(["ab", "c", "b", "abc"])), encode(tables, Letters(), tmp_path))
    assert (0, 26) == encode([], Letters(), tmp_path).shape


def test_paraphrases_equal_all_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record and item of cosine >= threshold is found, over several blocks, with the cosine."""
    monkeypatch.setattr(semantic, "_BLOCK", 3)
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdef"), 6)) for _ in range(40)]
    records, items = pa.array(words[:30]), pa.array(words[30:])
    found = paraphrases(records, items, Letters(), 0.8)
    scores = Letters().encode(records) @ Letters().encode(items).T
    row, column = np.nonzero(scores >= 0.8)
    assert (row.tolist(), column.tolist()) == (found.record.tolist(), found.item.tolist())
    assert np.allclose(scores[row, column], found.similarity, atol=1e-6)
    assert len(row)


def test_a_threshold_that_cannot_be_meant_is_refused() -> None:
    """A cosine above 1 or near 0 is a usage error."""
    for threshold in (0.0, 1.5):
        with pytest.raises(UsageError):
            SemanticSpec("x", threshold)
