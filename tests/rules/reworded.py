"""An encoder for tests: to it, a word and the same word behind `re-` mean the same."""

from zlib import crc32

import numpy as np

PLACES = 4_096


class Reworded:
    """Counts words by hash, at length one."""

    name = "reworded@1"

    def encode(self, texts) -> np.ndarray:
        """Return float32[texts, PLACES]; zero without words."""
        rows = np.zeros((len(texts), PLACES), np.float32)
        for row, text in zip(rows, texts.to_pylist(), strict=True):
            for word in (text or "").split():
                row[crc32(word.removeprefix("re-").encode()) % PLACES] += 1
        norm = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norm > 0, norm, 1)


def reworded(text: str) -> str:
    """The same in other words: no run of two words is shared."""
    return " ".join(f"re-{word}" for word in text.split())
