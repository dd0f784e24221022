"""The lexical encoder: unit vectors, seeded by words alone, near for shared words, weighted by rarity."""

import numpy as np
import pyarrow as pa
import pytest

from holdfast.core.text import word_hashes
from holdfast.models import encoder
from holdfast.models.encoder import fit_lexical, signs

TEXTS = pa.array(["the red fox ran home", "the red fox ran away", "seven kilns glow at dusk", "", "the the the the"])


@pytest.fixture
def fitted() -> encoder.LexicalEncoder:
    """An encoder fitted to TEXTS."""
    return fit_lexical(*word_hashes(TEXTS))


def test_unit_vectors(fitted: encoder.LexicalEncoder) -> None:
    """Every text with words has length one, a text without words is the zero vector, in float32."""
    vectors = fitted.encode(TEXTS)
    assert (5, encoder.DIMENSIONS) == vectors.shape
    assert np.float32 == vectors.dtype
    assert [1, 1, 1, 0, 1] == pytest.approx(np.linalg.norm(vectors, axis=1).tolist(), abs=1e-6)


def test_shared_words_are_near(fitted: encoder.LexicalEncoder) -> None:
    """Two texts that share four of five words are nearer than two that share none."""
    vectors = fitted.encode(TEXTS)
    assert vectors[0] @ vectors[1] > 0.5
    assert abs(vectors[0] @ vectors[2]) < 0.35


def test_same_text_same_vector_whatever_stands_beside(fitted: encoder.LexicalEncoder, monkeypatch) -> None:
    """A vector depends on its text alone: neither on the batch nor on the chunk size."""
    together = fitted.encode(TEXTS)
    assert np.allclose(together[1], fitted.encode(TEXTS[1:2])[0], atol=1e-6)
    monkeypatch.setattr(encoder, "CHUNK", 3)
    assert np.allclose(together, fitted.encode(TEXTS), atol=1e-6)


def test_projection_keeps_cosines() -> None:
    """Against exact TF-IDF cosines of 60 random texts the projected ones are off by about 1/sqrt(128)."""
    rng = np.random.default_rng(1)
    texts = pa.array([" ".join(f"w{i}" for i in rng.zipf(1.3, 40) % 500) for _ in range(60)])
    ids, offsets = word_hashes(texts)
    fitted = fit_lexical(ids, offsets)
    types, column = np.unique(ids, return_inverse=True)
    tf = np.zeros((60, len(types)))
    np.add.at(tf, (np.repeat(np.arange(60), np.diff(offsets)), column), 1)
    exact = np.where(tf > 0, 1 + np.log(np.maximum(tf, 1)), 0) * (1 + np.log(61 / (1 + (tf > 0).sum(axis=0))))
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    vectors = fitted.encode(texts)
    error = (vectors @ vectors.T - exact @ exact.T)[np.triu_indices(60, 1)]
    assert error.std() < 1.2 / np.sqrt(encoder.DIMENSIONS)
    assert abs(error.mean()) < 0.03


def test_rare_words_weigh_more(fitted: encoder.LexicalEncoder) -> None:
    """A word of one text outweighs one of three, and a word never seen outweighs both."""
    ids, _ = word_hashes(pa.array(["the", "kilns", "unheard"]))
    common, rare, unseen = fitted.weight(ids)
    assert common < rare < unseen


def test_signs_are_balanced() -> None:
    """Rows of different words are uncorrelated and balanced: mean and mean products within 5 sigma of zero."""
    ids, _ = word_hashes(pa.array([f"word{i}" for i in range(2000)]))
    rows = signs(ids)
    assert {-1.0, 1.0} == set(np.unique(rows))
    assert abs(rows.mean()) < 5 / np.sqrt(rows.size)
    off = (rows.T @ rows / len(rows))[np.triu_indices(encoder.DIMENSIONS, 1)]
    assert abs(off).max() < 5 / np.sqrt(len(rows))


def test_an_encoder_of_nothing() -> None:
    """Fitted to no words it still encodes: every word is unseen."""
    vectors = fit_lexical(*word_hashes(pa.array([""]))).encode(pa.array(["a b"]))
    assert pytest.approx(1.0) == np.linalg.norm(vectors)
