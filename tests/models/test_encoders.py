"""Encoders by name: every one opens the same way, and what a user's own returns is looked at."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.models.encoder import LEXICAL
from holdfast.models.encoders import is_semantic, open_encoder

TEXTS = pa.array(["the red fox", "the red hen"])


class Own:
    """A user's encoder: two numbers a text, not of length one."""

    name = "own@1"

    def encode(self, texts) -> np.ndarray:
        """Return (3, 4) for every text."""
        return np.tile([3.0, 4.0], (len(texts), 1))


def bad(result) -> type:
    """A user's encoder that returns `result`."""
    return type("Bad", (), {"name": "bad", "encode": lambda self, texts: result})


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's."""
    made = ModuleType("own_encoders")
    monkeypatch.setitem(sys.modules, "own_encoders", made)
    return made


def test_lexical_is_fitted_to_a_corpus() -> None:
    """With a corpus its common words weigh less; without one all words weigh the same."""
    corpus = pa.array(["the a", "the b", "the c", "fox d"])
    plain, fitted = open_encoder("lexical"), open_encoder("lexical", corpus)
    assert (LEXICAL, LEXICAL) == (plain.name, fitted.name)
    alike = [float(np.dot(*encoder.encode(pa.array(["the fox", "the hen"])))) for encoder in (plain, fitted)]
    assert alike[1] < alike[0] - 0.1
    assert (False, False, True) == (is_semantic("lexical"), is_semantic(None), is_semantic("minilm"))


def test_a_users_own_encoder(module: ModuleType, tmp_path: Path) -> None:
    """module:function works; its vectors come out at length one, under its own name, and are not kept on disk."""
    module.own = Own
    encoder = open_encoder("own_encoders:own", cache=tmp_path)
    assert "own@1" == encoder.name
    assert np.allclose([[0.6, 0.8]] * 2, encoder.encode(TEXTS))
    assert [] == list(tmp_path.iterdir())


def test_a_users_encoder_with_a_digest_is_kept(module: ModuleType, tmp_path: Path) -> None:
    """One that says what its vectors depend on is kept on disk."""
    module.own = type("Fixed", (Own,), {"digest": "v1"})
    open_encoder("own_encoders:own", cache=tmp_path).encode(TEXTS)
    assert 1 == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize("result", [np.ones((1, 2)), np.ones(2), np.full((2, 2), np.nan)])
def test_vectors_that_cannot_be_meant_are_refused(module: ModuleType, result) -> None:
    """Too few rows, one dimension, or numbers that are none: a usage error that names the encoder."""
    module.own = bad(result)
    with pytest.raises(UsageError, match="own_encoders:own"):
        open_encoder("own_encoders:own").encode(TEXTS)


def test_what_is_no_encoder_is_refused(module: ModuleType) -> None:
    """A function that returns something without name and encode, and a name nobody knows, are usage errors."""
    module.own = dict
    for name in ("own_encoders:own", "minilmm", "st:/no/such/folder"):
        with pytest.raises(UsageError):
            open_encoder(name)


def test_a_missing_extra_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without sentence-transformers a local model says what to install."""
    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"holdfast\[st\]"):
        open_encoder(f"st:{tmp_path}")
