"""Distinct-1 to distinct-4 of any amount of text in constant memory: HyperLogLog sketches that merge.

Sketches of parts, merged in any order and any number of times, equal the sketch of the whole to the last bit, so that
the same code counts a stream, the samples of a training loop and the shards of a cluster. What is estimated is the
number of different runs; how many runs there are is counted. The share depends on the amount of text: it describes one
set, and two sets are compared at equal budgets only (`metrics.anchor`).

Registers: Flajolet, Fusy, Gandouet and Meunier, HyperLogLog, AofA 2007. Estimator: O. Ertl, New cardinality estimation
algorithms for HyperLogLog sketches, 2017 (arXiv:1702.01284), algorithm 6: no table, no bias correction, small and
large counts alike.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from math import inf, log, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holdfast.core.dataset import text_of
from holdfast.core.errors import UsageError
from holdfast.core.hashing import mix
from holdfast.core.text import Texts, iter_items
from holdfast.core.verdict import Measurement
from holdfast.metrics.ngram import grams
from holdfast.stats.proportion import normal_quantile

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Registers = NDArray[np.uint8]

ORDERS = (1, 2, 3, 4)
# 2 ** 18 registers: a standard error of 1.04 / sqrt(2 ** 18) = 0.20 %, so that 98 of 100 estimates lie within 0.5 %;
# four orders are 1 MiB, which a core's cache holds.
BITS = 18
ERROR = 1.04 / sqrt(1 << BITS)
# Fewer words than this go through numpy, which ends before the kernel is imported.
KERNEL_WORDS = 1_000_000
KERNELS = "holdfast.metrics.sketch_kernels"
UNIT = "share"


def _registers() -> Registers:
    return np.zeros((len(ORDERS), 1 << BITS), np.uint8)


@dataclass(slots=True)
class Distinct:
    """A sketch of all runs of 1 to 4 words seen so far; runs stay inside documents.

    `registers` has shape (4, 2 ** 18), `runs` counts the runs of each order.
    """

    registers: Registers = field(default_factory=_registers)
    runs: Offsets = field(default_factory=lambda: np.zeros(len(ORDERS), np.int64))

    def add(self, ids: Hashes, offsets: Offsets) -> None:
        """Add documents of word hashes: document i is `ids[offsets[i]:offsets[i + 1]]`."""
        lengths = np.diff(offsets)
        self.runs += [int(np.maximum(lengths - k + 1, 0).sum()) for k in ORDERS]
        if len(ids) >= KERNEL_WORDS or KERNELS in sys.modules:
            import_module(KERNELS).add(ids, offsets, self.registers, np.uint64(BITS))
            return
        for k in ORDERS:
            _put(self.registers[k - 1], mix(grams(ids, offsets, k)[0]))

    def add_texts(self, texts: Texts) -> None:
        """Add texts, in blocks of about 4 MB."""
        for ids, offsets in iter_items(texts):
            self.add(ids, offsets)

    def merge(self, other: "Distinct") -> "Distinct":
        """Return the sketch of everything that either has seen. Neither is changed."""
        return Distinct(np.maximum(self.registers, other.registers), self.runs + other.runs)

    def types(self, k: int) -> float:
        """Return the estimated number of different runs of `k` words; standard error 0.20 %."""
        return estimate(self.registers[k - 1])

    def share(self, k: int) -> Measurement:
        """Return distinct-k of everything seen: types / runs with the 95 % interval of the sketch, n the runs.

        The interval is that of counting, not of sampling: it says how far the exact share of these texts may be off.
        """
        runs = int(self.runs[k - 1])
        value = min(1.0, self.types(k) / runs) if runs else 0.0
        half = normal_quantile(0.975) * ERROR * value
        return Measurement(value, max(0.0, value - half), min(1.0, value + half), runs, UNIT)

    def to_bytes(self) -> bytes:
        """Return the sketch as bytes: four counts of runs, then the registers; little-endian."""
        return self.runs.astype("<i8").tobytes() + self.registers.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Distinct":
        """Return the sketch that `to_bytes` wrote. Raises UsageError for bytes of another length."""
        head = 8 * len(ORDERS)
        if len(data) != head + (len(ORDERS) << BITS):
            raise UsageError(f"{len(data)} bytes are no sketch of distinct runs.", f"It has {head + (4 << BITS)}.")
        runs = np.frombuffer(data[:head], "<i8").astype(np.int64)
        return cls(np.frombuffer(data[head:], np.uint8).reshape(len(ORDERS), -1).copy(), runs)


def _put(registers: Registers, hashes: Hashes) -> None:
    """The numpy form of `sketch_kernels.add` for one order."""
    rest = (hashes << np.uint64(BITS)) | np.uint64(1 << (BITS - 1))
    # Two halves of at most 32 bits are exact as doubles, whose exponent is the place of the highest bit.
    high, low = rest >> np.uint64(32), rest & np.uint64(0xFFFFFFFF)
    width = np.where(high > 0, 32 + np.frexp(high.astype(np.float64))[1], np.frexp(low.astype(np.float64))[1])
    np.maximum.at(registers, (hashes >> np.uint64(64 - BITS)).astype(np.int64), (65 - width).astype(np.uint8))


def estimate(registers: Registers) -> float:
    """Return the estimated number of different hashes put into 2 ** 18 registers (Ertl 2017, algorithm 6)."""
    size, top = len(registers), 64 - BITS
    counts = np.bincount(registers, minlength=top + 2).astype(np.float64)
    total = size * _tau(1.0 - counts[top + 1] / size)
    for rank in range(top, 0, -1):
        total = 0.5 * (total + counts[rank])
    total += size * _sigma(counts[0] / size)
    return size * size / (2.0 * log(2.0) * total) if total < inf else 0.0


def _sigma(x: float) -> float:
    """Return x + sum of x^(2^k) 2^(k - 1) over k >= 1: the part of registers never reached."""
    if x == 1.0:
        return inf
    weight, total, before = 1.0, x, -1.0
    while total != before:
        x, before = x * x, total
        total += x * weight
        weight *= 2.0
    return total


def _tau(x: float) -> float:
    """Return (1 - x - sum of (1 - x^(2^-k))^2 2^-k over k >= 1) / 3: the part of registers that are full."""
    if x in (0.0, 1.0):
        return 0.0
    weight, total, before = 1.0, 1.0 - x, -1.0
    while total != before:
        x, before = sqrt(x), total
        weight *= 0.5
        total -= (1.0 - x) ** 2 * weight
    return total / 3.0


def sketch(table: pa.Table, *, real: bool) -> pa.Table:
    """Return the sketch of a shard as one row of bytes; without `real`, of its records not labelled real only."""
    texts = text_of(table if real else table.filter(pc.not_equal(table.column("origin"), "real")))
    seen = Distinct()
    seen.add_texts(texts)
    return pa.table({"sketch": pa.array([seen.to_bytes()], pa.binary())})


def merged(tables: Iterable[pa.Table]) -> Distinct:
    """Return the one sketch of the sketches of all shards."""
    whole = Distinct()
    for table in tables:
        for data in table.column("sketch"):
            whole = whole.merge(Distinct.from_bytes(data.as_py()))
    return whole
