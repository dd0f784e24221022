"""Spill: many 32-bit values written once and then read anywhere, in memory or in a file that is mapped."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.uint32]


@dataclass(slots=True)
class Spill:
    """Values in the order they were appended: in `file` where there is one, else in memory."""

    file: Any = None
    parts: list[Values] = field(default_factory=list)
    size: int = 0

    def append(self, values: Values) -> None:
        """Add values at the end."""
        self.size += values.size
        if self.file is None:
            self.parts.append(values)
        else:
            self.file.write(values.tobytes())

    def values(self) -> Values:
        """Return all values; those of a file are mapped, not read."""
        if self.file is None or not self.size:
            return np.concatenate([np.empty(0, np.uint32), *self.parts])
        self.file.flush()
        return np.memmap(self.file, np.uint32, "r")


@contextmanager
def spill(folder: Path | None) -> Iterator[Spill]:
    """Give a spill whose file, in `folder`, has no name: it is gone with the process, however that ends."""
    if folder is None:
        yield Spill()
        return
    with TemporaryFile(dir=folder) as file:
        yield Spill(file)


def forget(values: Values) -> None:
    """Give back the pages of a mapped file that were read; they stay in the cache of the system."""
    if isinstance(values.base, mmap.mmap):
        values.base.madvise(mmap.MADV_DONTNEED)
