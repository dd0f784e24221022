"""Encoders by name: one way to open any of them, for duplicates, decontamination and metrics alike.

    lexical           hashed TF-IDF, built in: compares words, claims nothing about meaning
    minilm            all-MiniLM-L6-v2 on the processor (extra `embed`)
    st:FOLDER         a sentence-transformers model of your own, from a folder on this machine (extra `st`)
    module:function   your own: called without arguments, it returns an encoder

A name that `holdfast.encoders` entry points of installed packages bring works too. Vectors of every encoder but the
lexical one come checked: finite, one row per text, of length one (or zero for a text without words).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from holdfast.core import plugins
from holdfast.core.errors import UsageError
from holdfast.core.text import Texts, word_hashes
from holdfast.models.encoder import Encoder, Vectors, fit_lexical
from holdfast.models.encodings import KeptEncoder, default_folder

Corpus: TypeAlias = "Texts | None"

LEXICAL_NAME = "lexical"
LOCAL_MODEL = "st:"
BUILTIN = {"minilm": "holdfast.models.minilm:open_minilm"}
_SENTENCE = "holdfast.models.sentence:open_sentence"


def is_semantic(name: str | None) -> bool:
    """Return whether vectors of this encoder are a claim about meaning: those of any but the lexical one."""
    return name is not None and name != LEXICAL_NAME


def open_encoder(name: str, corpus: Corpus = None, cache: Path | None = None) -> Encoder:
    """Return the encoder of this name, ready for any number of texts.

    `corpus` is what the lexical encoder learns from which words are rare; without one all words weigh the same. No
    other encoder looks at it. `cache` is the folder where vectors of encoders with a `digest` are kept: by default
    the user's, see `models.encodings`. Raises `UsageError` for an unknown name and `MissingExtraError`.
    """
    if name == LEXICAL_NAME:
        return fit_lexical(*word_hashes(pa.array([], pa.string()) if corpus is None else corpus))
    inner = _opener(name)()
    if not callable(getattr(inner, "encode", None)) or not isinstance(getattr(inner, "name", None), str):
        remedy = "It needs a name and encode(texts) -> float32[texts, dimensions]; see docs/encoders.md."
        raise UsageError(f"{name!r} returned a {type(inner).__name__}, which is no encoder.", remedy)
    checked = CheckedEncoder(inner, name)
    folder = cache or default_folder()
    return KeptEncoder(checked, folder) if folder and isinstance(getattr(inner, "digest", None), str) else checked


def _opener(name: str) -> Callable[[], Any]:
    if name.startswith(LOCAL_MODEL):
        found = plugins.load(_SENTENCE)
        return lambda: found(name.removeprefix(LOCAL_MODEL))
    return plugins.find("encoders", name, BUILTIN)


@dataclass(frozen=True, slots=True)
class CheckedEncoder:
    """Somebody's encoder, whose vectors are looked at before anything rests on them."""

    inner: Any
    asked: str

    @property
    def name(self) -> str:
        """What the encoder calls itself."""
        return str(self.inner.name)

    @property
    def digest(self) -> str:
        """What the encoder says its vectors depend on; an `AttributeError` where it says nothing."""
        return str(self.inner.digest)

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text; raise `UsageError` where the encoder returned something else."""
        vectors = np.asarray(self.inner.encode(texts), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            what = f"The encoder {self.asked!r} returned an array of shape {vectors.shape} for {len(texts)} texts"
            finite = "" if np.isfinite(vectors).all() else ", not all of it finite"
            raise UsageError(f"{what}{finite}.", "encode(texts) returns one finite vector per text.")
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(norm > 0, norm, 1.0), dtype=np.float32)
