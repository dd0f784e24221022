"""What writers work with, read once and kept clear of the held-out set: real seeds, documents, personas.

Real seeds come from the training side of the seal. What a user names as a file is scanned against the seal where
there is one, and what is held out never reaches a prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from holdfast.core.dataset import Dataset
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reader import read
from holdfast.core.record import Record
from holdfast.core.scratch import scratch
from holdfast.core.settings import GeneratorSettings, Settings
from holdfast.dedup.decontaminate import scan
from holdfast.dedup.eval_index import EvalIndex
from holdfast.dedup.seal import NAME as SEAL
from holdfast.dedup.seal import open_unbroken
from holdfast.generators.writing import Material

# A sample of so many seeds or documents is kept in memory: more would not make a run more varied, and costs a kilobyte
# each.
MOST = 50_000


@dataclass(slots=True)
class Materials:
    """Reads the files that generators name, each once. `held_out` counts the records that were left out of them.

    `unsealed` are the real records before any of them are held out: what a plan looks at, where nothing is sealed yet.
    """

    settings: Settings
    held_out: int = 0
    _read: dict[Path | None, tuple[Record, ...]] = field(default_factory=dict)
    _index: EvalIndex | None = None
    unsealed: tuple[Record, ...] = ()

    def of(self, entry: GeneratorSettings, *, real_seeds: bool) -> Material:
        """Return the material of one generator; the real training records are its seeds where it names none."""
        seeds = self._records(entry.seeds) if entry.seeds or real_seeds else ()
        documents = self._records(entry.documents) if entry.documents else ()
        return Material(entry, self.settings.path(Path()), self.settings.seed, seeds, documents, self._personas(entry))

    def real(self) -> tuple[Record, ...]:
        """Return the real training records, or a sample of them."""
        return self._records(None)

    def index(self) -> EvalIndex | None:
        """Return the n-gram index of the sealed held-out set; None where nothing is sealed."""
        sealed = self.settings.path(self.settings.reserve.out)
        if self._index is None and (sealed / SEAL).exists():
            with scratch() as folder:
                self._index = open_unbroken([sealed], folder).index
        return self._index

    def _records(self, path: Path | None) -> tuple[Record, ...]:
        if path is None and self.unsealed:
            return self.unsealed
        if path not in self._read:
            with scratch() as folder:
                self._read[path] = self._clear(self._open(path, folder))
        return self._read[path]

    def _open(self, path: Path | None, folder: Path) -> Dataset:
        """Read a file of the settings, or the training side of the seal."""
        if path is not None:
            return read([self.settings.path(path)], spool=folder, sample=MOST)
        sealed = self.settings.path(self.settings.reserve.out)
        train = sorted(sealed.glob("train.*"))
        if not (sealed / SEAL).exists() or not train:
            what = f"A generator starts from real records, and no held-out set is sealed in {sealed}."
            raise UsageError(what, "Run holdfast reserve first (build does it), or name other seeds with seeds: FILE.")
        mapping = self.settings.real[0].map if self.settings.real else {}
        return read(train[:1], mapping=mapping, spool=folder, sample=MOST, origin="real")

    def _clear(self, data: Dataset) -> tuple[Record, ...]:
        """Return the records that hold nothing of the held-out set."""
        records = tuple(data.records())
        gone = held_out_rows(records, self.index())
        self.held_out += len(gone)
        return tuple(record for row, record in enumerate(records) if row not in gone)

    def _personas(self, entry: GeneratorSettings) -> tuple[str, ...]:
        if entry.personas is None:
            return ()
        path = self.settings.path(entry.personas)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the personas cannot be read: {error}.", "Give a UTF-8 text file.") from None
        return tuple(line.strip() for line in lines if line.strip())


def held_out_rows(records: Sequence[Record], index: EvalIndex | None) -> set[int]:
    """Return which of the records hold text of the held-out set, in whatever column or turn."""
    if index is None or not records:
        return set()
    texts = {
        "prompt": [record.prompt for record in records],
        "response": [record.response for record in records],
        "extra": ["\n".join(value for value in record.fields.values() if isinstance(value, str)) for record in records],
    }
    return set(scan(pa.table(texts), index).column("index").to_pylist())
