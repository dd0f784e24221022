"""Encodings kept on disk, so that a text is encoded once per encoder, whoever asks and however a run ended.

One SQLite file in the user's cache folder. A key is the BLAKE2b digest of the encoder's digest and the text; the
encoder's digest covers weights, tokens and precision, so that another model never meets the vectors of this one. Two
processes may use the file at once. It is bounded: the oldest vectors go first. Whatever is wrong with the file (a
full disk, a folder that cannot be written, damage) costs time and nothing else: the vectors are made again.

`HOLDFAST_CACHE` names another folder; `HOLDFAST_CACHE=off` keeps nothing. Vectors say something of the texts they
come from: the file is readable by its owner alone.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np
import pyarrow as pa

from holdfast.core.text import Texts
from holdfast.models.encoder import FixedEncoder, Vectors

FILE = "encodings-1.sqlite"
# 1.3 million vectors of 384 numbers.
MOST_BYTES = 2 << 30
# Share of the rows that goes when there are too many.
FORGOTTEN = 0.1
# Texts encoded between two writes: what a killed run loses at most, about half a minute of MiniLM.
BATCH = 2_048
# Keys of one query; SQLite takes some thousand parameters.
_QUERY = 500
_CHECK = 4
_SIZES = ("page_count", "freelist_count", "page_size")
# Seconds to wait for another process that writes.
PATIENCE = 30.0

Kept = TypeVar("Kept")


def default_folder() -> Path | None:
    """Return the folder of the user's cache, or None where nothing is to be kept."""
    chosen = os.environ.get("HOLDFAST_CACHE")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast"


@dataclass(frozen=True, slots=True)
class KeptEncoder:
    """An encoder whose vectors are kept in `folder`; equal texts of one call are encoded once."""

    inner: FixedEncoder
    folder: Path
    most_bytes: int = MOST_BYTES

    @property
    def name(self) -> str:
        """The name of the encoder itself: where a vector was kept makes no difference to it."""
        return self.inner.name

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text, as the encoder itself does."""
        keys = self._keys(texts)
        found = self._look_up(list(dict.fromkeys(keys)))
        missing = {key: row for row, key in reversed(list(enumerate(keys))) if key not in found}
        rows = sorted(missing.values())
        for first in range(0, len(rows), BATCH):
            some = rows[first : first + BATCH]
            vectors = self.inner.encode(texts.take(pa.array(some)))
            made = {keys[row]: vector.astype("<f4").tobytes() for row, vector in zip(some, vectors, strict=True)}
            self._keep(made)
            found |= made
        if not keys:
            return self.inner.encode(texts)
        return np.frombuffer(b"".join(found[key] for key in keys), "<f4").reshape(len(keys), -1).copy()

    def _keys(self, texts: Texts) -> list[bytes]:
        prefix = blake2b(self.inner.digest.encode(), digest_size=16).digest()
        return [blake2b((text.as_py() or "").encode(), key=prefix, digest_size=16).digest() for text in texts]

    def _look_up(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        def look(file: sqlite3.Connection) -> dict[bytes, bytes]:
            found: dict[bytes, bytes] = {}
            for first in range(0, len(keys), _QUERY):
                some = keys[first : first + _QUERY]
                marks = ",".join("?" * len(some))
                rows = file.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some)  # noqa: S608
                found.update((key, data[_CHECK:]) for key, data in rows if _checked(data))
            return found

        return self._with_file(look, {})

    def _keep(self, made: Mapping[bytes, bytes]) -> None:
        rows = [(key, crc32(data).to_bytes(_CHECK, "little") + data) for key, data in made.items()]

        def keep(file: sqlite3.Connection) -> None:
            file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            while _used(file) > self.most_bytes:
                count = file.execute("SELECT count(*) FROM vectors").fetchone()[0]
                oldest = (int(count * FORGOTTEN) + 1,)
                file.execute(
                    "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY rowid LIMIT ?)", oldest
                )

        self._with_file(keep, None)

    def _with_file(self, work: Callable[[sqlite3.Connection], Kept], without: Kept) -> Kept:
        """Return what `work` makes of the file in one transaction, or `without` where there can be none."""
        path = self.folder / FILE
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            with closing(sqlite3.connect(path, timeout=PATIENCE)) as file, file:
                file.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
                return work(file)
        except (OSError, sqlite3.OperationalError):  # full, locked for too long, read-only
            return without
        except sqlite3.DatabaseError:  # damaged, or never a database
            with suppress(OSError):
                path.unlink()
            return without


def _used(file: sqlite3.Connection) -> int:
    """Return the bytes of the pages that hold something; those of forgotten rows are used again."""
    pages, free, size = (int(file.execute(f"PRAGMA {of}").fetchone()[0]) for of in _SIZES)
    return (pages - free) * size


def _checked(data: bytes) -> bool:
    return crc32(data[_CHECK:]).to_bytes(_CHECK, "little") == data[:_CHECK]
