"""A sentence-transformers model of the user's own, from a folder on this machine. Nothing is fetched."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.core.text import Texts, word_counts
from holdfast.models.encoder import Vectors

CONFIGURATION = "modules.json"


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """A loaded model. `digest` covers every file of its folder and the version of the library."""

    name: str
    digest: str
    model: Any

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text, shape (texts, dimensions); the zero vector for a text without words."""
        strings = [text or "" for text in texts.to_pylist()]
        vectors = self.model.encode(strings, normalize_embeddings=True, show_progress_bar=False)
        return np.where(word_counts(texts)[:, None] > 0, vectors, 0.0).astype(np.float32)


def open_sentence(folder: str) -> SentenceEncoder:
    """Open the model in `folder`; raise `UsageError` where none is, `MissingExtraError` without the extra `st`."""
    place = Path(folder).expanduser()
    if not (place / CONFIGURATION).is_file():
        remedy = f"Name a folder on this machine that holds {CONFIGURATION}; Holdfast fetches no model."
        raise UsageError(f"There is no sentence-transformers model in {place}.", remedy)
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "st") from error
    digest = _digest(place)
    model = SentenceTransformer(str(place.resolve()), local_files_only=True)
    return SentenceEncoder(f"st-{place.name}@{digest[:8]}", f"{digest}-{version('sentence-transformers')}", model)


def _digest(folder: Path) -> str:
    """Return the SHA-256 of the files in the folder: their names and their bytes, in order of name."""
    whole = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            part = sha256()
            while block := file.read(1 << 20):
                part.update(block)
        whole.update(f"{path.relative_to(folder).as_posix()}\0{part.hexdigest()}\n".encode())
    return whole.hexdigest()
