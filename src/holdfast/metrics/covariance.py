"""RKE and Vendi scores of any number of vectors in constant memory: a covariance that merges.

Both scores are functions of the eigenvalues of the kernel matrix K = X X' (texts x texts), which X' X (dimensions x
dimensions) shares. X' X is a sum over texts, so a stream, a training loop and the shards of a cluster add up to the
same score, and no matrix of texts x texts is ever made. Vectors are unit rows, shape (texts, dimensions).

Vendi: Friedman and Dieng 2023 (arXiv:2210.02410), order 1; of order q: Pasarkar and Dieng 2023 (arXiv:2310.12952).
RKE, the order-2 score: Jalali, Li and Farnia 2023. RKE converges with few texts, Vendi does not below some 20 000
(Ospanov and Farnia 2025, arXiv:2410.21719): it is read at equal numbers of texts only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import UsageError

Vectors = NDArray[Any]
Floats = NDArray[np.float64]

# Rows multiplied at once: 16 384 x 384 float32 are 24 MiB. Products are taken in the precision of the vectors and
# summed in double precision, so that a million rows lose no more than one block does.
BLOCK = 16_384
# Eigenvalues below this part of the largest are rounding; their true value is nothing.
ROUNDING = 1e-12


@dataclass(slots=True)
class Covariance:
    """The sum of x x' over all vectors seen: `total` has shape (dimensions, dimensions), `n` counts the vectors."""

    total: Floats
    n: int = 0

    @classmethod
    def of(cls, vectors: Vectors) -> "Covariance":
        """Return the covariance of these vectors."""
        seen = cls(np.zeros((vectors.shape[1], vectors.shape[1])))
        seen.add(vectors)
        return seen

    def add(self, vectors: Vectors) -> None:
        """Add vectors, shape (texts, dimensions)."""
        for first in range(0, len(vectors), BLOCK):
            block = vectors[first : first + BLOCK]
            self.total += block.T @ block
        self.n += len(vectors)

    def merge(self, other: "Covariance") -> "Covariance":
        """Return the covariance of everything that either has seen; equal to one pass up to rounding (1e-12)."""
        return Covariance(self.total + other.total, self.n + other.n)

    def rke(self) -> float:
        """Return n^2 / ||K||^2: the effective number of different texts, 1 to n; 0 without vectors."""
        return self.n**2 / float(np.square(self.total).sum()) if self.n else 0.0

    def vendi(self, order: float = 1.0) -> float:
        """Return exp of the Renyi entropy of the given order of the eigenvalues of K / n; 0 without vectors."""
        return score(np.linalg.eigvalsh(self.total / self.n), order) if self.n else 0.0

    def to_bytes(self) -> bytes:
        """Return n and the sum, little-endian."""
        return self.n.to_bytes(8, "little") + self.total.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Covariance":
        """Return the covariance that `to_bytes` wrote. Raises UsageError where it is not a square of numbers."""
        cells = np.frombuffer(data[8 : len(data) - len(data) % 8], "<f8")
        size = round(len(cells) ** 0.5)
        if len(data) != 8 + 8 * size * size:
            raise UsageError(f"{len(data)} bytes are no covariance.", "Give what `to_bytes` returned.")
        return cls(cells.reshape(size, size).astype(np.float64), int.from_bytes(data[:8], "little"))


def score(eigenvalues: Vectors, order: float) -> float:
    """Return exp of the Renyi entropy of eigenvalues that sum to 1: order 1 is Shannon's, infinity 1 / the largest."""
    share = eigenvalues[eigenvalues > ROUNDING * eigenvalues.max()]
    if order == 1.0:
        return float(np.exp(-(share * np.log(share)).sum()))
    if np.isinf(order):
        return float(1.0 / share.max())
    return float((share**order).sum() ** (1.0 / (1.0 - order)))
