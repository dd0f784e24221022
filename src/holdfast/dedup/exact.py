"""Exact duplicates: records whose normalised texts have equal digests (`core.text.digests`).

Case, white space and characters nobody sees make no difference; punctuation does. Many records are compared bucket by
bucket (`core.exchange`), with the same result.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.engine import Progress, Runner
from holdfast.core.errors import ConservationError
from holdfast.core.exchange import Exchange, buckets_for, exchanged
from holdfast.core.text import digests as digests_of

Indices = npt.NDArray[np.int64]
Priority = npt.NDArray[np.integer] | None


@dataclass(frozen=True, slots=True)
class ExactDuplicates:
    """Groups of equal records. `representative[i]` is the record that is kept for record i, itself where alone."""

    representative: Indices

    @property
    def beyond(self) -> int:
        """Number of records beyond the first of each group: what removing duplicates removes."""
        return int(np.count_nonzero(self.duplicates))

    @property
    def duplicates(self) -> npt.NDArray[np.bool_]:
        """True for each record that another one represents."""
        beyond: npt.NDArray[np.bool_] = self.representative != np.arange(self.representative.size)
        return beyond

    @property
    def pairs(self) -> Indices:
        """int64[beyond, 2]: (representative, duplicate), in the order of the duplicates."""
        others = np.flatnonzero(self.duplicates)
        return np.stack([self.representative[others], others], axis=1)


def exact_duplicates(digests: npt.NDArray[np.uint64], priority: Priority = None) -> ExactDuplicates:
    """Group records of equal digest, uint64[n, 2].

    The representative is the record of the lowest `priority` (none: all equal), among these the first.
    """
    return ExactDuplicates(representatives(digests, priority))


def of_any_size(
    data: Dataset, digests: npt.NDArray[np.uint64], priority: Priority, where: tuple[Path, Runner, Progress | None]
) -> ExactDuplicates:
    """Group the records of `data` by their digests: few in this process, many in buckets by the runner."""
    buckets = buckets_for(data.rows)
    folder, runner, progress = where
    if buckets == 1:
        return exact_duplicates(digests, priority)
    return exact_in_buckets(data, folder, runner, priority, buckets, progress)


def exact_in_buckets(
    data: Dataset, folder: Path, runner: Runner, priority: Priority, buckets: int, progress: Progress | None = None
) -> ExactDuplicates:
    """Return what `exact_duplicates` does of the texts of `data`; tasks of the runner compare one bucket each."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / "exact-priority.npy"
    np.save(saved, np.zeros(data.rows, np.int8) if priority is None else priority)
    stage = Exchange("equal", folder, keyed, compared, "low", buckets, {"priority": saved}, ("prompt", "response"))
    representative = np.full(data.rows, -1, np.int64)
    for table in exchanged(stage, data.shards, runner, progress):
        representative[table.column("record").to_numpy()] = table.column("representative").to_numpy()
    if lost := int(np.count_nonzero(representative < 0)):
        raise ConservationError(f"Stage equal: {lost} records were compared with nothing.")
    return ExactDuplicates(representative)


def keyed(table: pa.Table) -> pa.Table:
    """Return the digest of each record's text as `low` and `high`."""
    found = digests_of(text_of(table))
    return pa.table({"low": found[:, 0], "high": found[:, 1]})


def compared(table: pa.Table, priority: Path) -> pa.Table:
    """Return of each row of `keyed` its record and the record that represents it."""
    records = table.column("record").to_numpy()
    keys = np.stack([table.column("low").to_numpy(), table.column("high").to_numpy()], axis=1)
    best = representatives(keys, np.load(priority, mmap_mode="r")[records])
    return pa.table({"record": records, "representative": records[best]})


def representatives(keys: npt.NDArray[np.uint64], priority: Priority = None) -> Indices:
    """Return for every row of `keys`, uint64[n, 2], the best row of equal keys: lowest priority, then lowest index."""
    rows = keys.shape[0]
    if rows == 0:
        return np.empty(0, np.int64)
    ranked = (keys[:, 1], keys[:, 0]) if priority is None else (priority, keys[:, 1], keys[:, 0])
    order = np.lexsort(ranked)  # stable, so equal keys stay in index order
    ordered = keys[order]
    starts = np.ones(rows, np.bool_)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    best = np.empty(rows, np.int64)
    best[order] = order[starts][np.cumsum(starts) - 1]
    return best
