"""Kept encodings: the same vectors as without, one encoding per text and encoder, bounded, and never in the way."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holdfast.models import encodings
from holdfast.models.encodings import FILE, KeptEncoder, default_folder

TEXTS = pa.array(["one", "two", None, "one", "", "three"])


class Counting:
    """An encoder whose vectors depend on text and model; it counts the texts that it was given."""

    name = "counting"

    def __init__(self, digest: str = "a") -> None:
        self.digest, self.given = digest, 0

    def encode(self, texts) -> np.ndarray:
        """Return (length of the text, code of the model) for each text."""
        self.given += len(texts)
        rows = [[len(text.as_py() or ""), ord(self.digest)] for text in texts]
        return np.array(rows, np.float32).reshape(-1, 2)


def test_same_vectors_and_each_text_once(tmp_path: Path) -> None:
    """Kept vectors equal fresh ones bit by bit; equal texts and a second call are not encoded again."""
    kept = KeptEncoder(Counting(), tmp_path)
    first = kept.encode(TEXTS)
    assert 4 == kept.inner.given
    assert Counting().encode(TEXTS).tolist() == first.tolist()
    assert first.tobytes() == kept.encode(TEXTS).tobytes()
    assert 4 == kept.inner.given
    assert (0, 2) == kept.encode(TEXTS[:0]).shape


def test_another_model_never_meets_these_vectors(tmp_path: Path) -> None:
    """After a change of the encoder's digest every text is encoded anew, by the new one."""
    KeptEncoder(Counting("a"), tmp_path).encode(TEXTS)
    changed = KeptEncoder(Counting("b"), tmp_path)
    assert Counting("b").encode(TEXTS).tolist() == changed.encode(TEXTS).tolist()


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was encoded before a run ended is not encoded again."""
    monkeypatch.setattr(encodings, "BATCH", 2)
    texts = pa.array([f"text {i}" for i in range(6)])

    class Failing(Counting):
        def encode(self, texts) -> np.ndarray:
            if self.given >= 4:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        KeptEncoder(Failing(), tmp_path).encode(texts)
    again = KeptEncoder(Counting(), tmp_path)
    again.encode(texts)
    assert 2 == again.inner.given


def test_the_file_is_bounded(tmp_path: Path) -> None:
    """With room for 1 MB the file stays within 2 MB however much is encoded, and the newest vectors are still there."""

    class Wide(Counting):
        def encode(self, texts) -> np.ndarray:
            return np.repeat(super().encode(texts), 128, axis=1)

    kept = KeptEncoder(Wide(), tmp_path, most_bytes=1 << 20)
    for part in range(40):
        kept.encode(pa.array([f"{part} {i}" for i in range(100)]))
    assert (tmp_path / FILE).stat().st_size < 2 << 20
    given = kept.inner.given
    kept.encode(pa.array([f"39 {i}" for i in range(100)]))
    assert given == kept.inner.given


@pytest.mark.parametrize("damage", ["no database", "flipped"])
def test_damage_costs_time_only(tmp_path: Path, damage: str) -> None:
    """A file that is no database, or whose vectors were changed on disk, gives the right vectors all the same."""
    kept = KeptEncoder(Counting(), tmp_path)
    first = kept.encode(TEXTS)
    data = (tmp_path / FILE).read_bytes()
    vector = first[0].tobytes()
    changed = data.replace(vector, vector[:-1] + b"\x7f") if damage == "flipped" else b"nonsense" * 4096
    assert data != changed
    (tmp_path / FILE).write_bytes(changed)
    assert first.tolist() == kept.encode(TEXTS).tolist()
    assert first.tolist() == kept.encode(TEXTS).tolist()


def test_no_folder_no_harm(tmp_path: Path) -> None:
    """Where the folder cannot be made, vectors are made each time."""
    (tmp_path / "file").write_text("")
    kept = KeptEncoder(Counting(), tmp_path / "file" / "folder")
    assert Counting().encode(TEXTS).tolist() == kept.encode(TEXTS).tolist()


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """The folder and the file are closed to others."""
    KeptEncoder(Counting(), tmp_path / "cache").encode(TEXTS)
    assert (0o700, 0o600) == tuple(
        path.stat().st_mode & 0o777 for path in (tmp_path / "cache", tmp_path / "cache" / FILE)
    )


def test_where_encodings_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOLDFAST_CACHE goes before XDG_CACHE_HOME, and `off` keeps nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.delenv("HOLDFAST_CACHE", raising=False)
    assert Path("/x/holdfast") == default_folder()
    monkeypatch.setenv("HOLDFAST_CACHE", "/y")
    assert Path("/y") == default_folder()
    monkeypatch.setenv("HOLDFAST_CACHE", "off")
    assert default_folder() is None
