"""Near-duplicates: records whose shingle sets have a Jaccard similarity at or above a threshold.

All pairs are found up to 250,000 distinct records; beyond that one in 250 of those just at the threshold is missed,
fewer above it (`dedup.join` says when, `dedup.minhash` why). No pair is reported that was not compared in full.

Two steps, so that the first can be mapped over shards: `sketch` reduces a shard to the sorted distinct shingle hashes
of its records, `join` compares the records of all shards. Exact duplicates are near-duplicates too. The default,
word 3-grams at 0.5, finds 93 % of records with every twentieth word edited; the stricter word 5-grams at 0.7 of
pretraining pipelines find 25 % of them. No meaning is compared: a paraphrase is not a near-duplicate.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import text_of
from holdfast.core.hashing import LANE, Hashes, Offsets, mix, polynomial, to_offsets, windows
from holdfast.core.text import KERNELS as TEXT_KERNELS
from holdfast.core.text import digests, iter_items, iter_shingles, normalise, words
from holdfast.dedup import join as joining
from holdfast.dedup.clusters import NGRAMS, NearDuplicates, NearSpec, Ngram
from holdfast.dedup.exact import Priority, representatives
from holdfast.dedup.join import KERNELS as JOIN_KERNELS
from holdfast.dedup.join import similar_pairs
from holdfast.dedup.spill import Spill, spill

DEFAULT = NearSpec()

# Sets are sorted as record << 52 | hash, so at most 4,096 records at a time; fewer stay in the cache.
_GROUP = 1 << 9
_HASH_BITS = 52

# Each round leaves a fraction of the kept; where so many do not end it, the rest are kept.
MOST_ROUNDS = 20

_Sketched = tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], Hashes]


@dataclass(frozen=True, slots=True)
class SharedText:
    """What two texts have in common: `shared` of `total` distinct shingles, and the longest run of equal words."""

    shared: int
    total: int
    excerpt: str

    @property
    def similarity(self) -> float:
        """Jaccard similarity of the two shingle sets; 0 for two texts without shingles."""
        return self.shared / self.total if self.total else 0.0


def sketch(table: pa.Table, spec: NearSpec = DEFAULT) -> pa.Table:
    """Return one row per record of a shard: `shingles`, sorted distinct 32-bit hashes, and `low`, `high`.

    The latter two identify the whole set (128 bits); for a record without words, its normalised text instead. 32 bits
    are enough to count what two sets share: the chance that two different shingles of a pair of 170-word records look
    equal is below 1e-5.
    """
    size, unit = NGRAMS[spec.ngram]
    texts = text_of(table)
    parts = [part for items, offsets in iter_items(texts, unit) for part in _distinct(items, offsets, size)]
    parts.append((np.empty(0, np.uint32), np.empty(0, np.int64), np.empty((0, 2), np.uint64)))
    values, counts, identity = (np.concatenate([part[column] for part in parts]) for column in range(3))
    empty = np.flatnonzero(counts == 0)
    if empty.size:
        identity[empty] = digests(texts.take(pa.array(empty)))
    shingles = pa.LargeListArray.from_arrays(to_offsets(counts), values)
    return pa.table({"shingles": shingles, "low": identity[:, 0], "high": identity[:, 1]})


def join(
    sketches: Iterable[pa.Table],
    spec: NearSpec = DEFAULT,
    folder: Path | None = None,
    priority: Priority = None,
    workers: int = 1,
) -> NearDuplicates:
    """Compare the records of all shards, given in order; records are numbered through.

    With `folder` the shingles lie in a file there, 4 bytes each, instead of in memory; it is gone at the end.
    `priority` chooses the representatives (lowest first); see `clusters`.
    """
    with spill(folder) as store:
        sizes, identity = _gather(sketches, store)
        sets = (store.values(), to_offsets(sizes))
        same = representatives(identity)
        copies = np.flatnonzero(same != np.arange(sizes.size))
        result = NearDuplicates(
            sizes.size, spec, same[copies], copies, np.ones(copies.size, np.float32), 0, 1.0, priority
        )
        active = np.flatnonzero((same == np.arange(sizes.size)) & (sizes > 0))
        found = similar_pairs(*sets, active, spec.threshold, workers)
        result = replace(result, skipped=found.skipped, recall=found.recall)
        result = result.with_pairs(active[found.left], active[found.right], found.similarity)
        rounds = MOST_ROUNDS if found.skipped else 0
        while rounds and found.left.size:
            # A record of a large cluster has not met all it is similar to; those that would be kept meet once more.
            active = np.unique(same[result.kept_of_clusters(joining.MOST_PARTNERS)])
            found = similar_pairs(*sets, active, spec.threshold, workers)
            result = result.with_pairs(active[found.left], active[found.right], found.similarity)
            rounds -= 1
    return result


def find_near(tables: Iterable[pa.Table], spec: NearSpec = DEFAULT, priority: Priority = None) -> NearDuplicates:
    """Sketch and join in one step, in memory: for data of one shard or of tests."""
    return join((sketch(table, spec) for table in tables), spec, priority=priority)


def explain(left: str, right: str, ngram: Ngram = "word3") -> SharedText:
    """Return what two texts share under one definition; the excerpt is in folded words."""
    size, unit = NGRAMS[ngram]
    both = pa.chunked_array([pa.array([left, right], pa.large_string())])
    hashes, offsets = next(iter_shingles(both, size, unit))
    first, second = set(hashes[: offsets[1]].tolist()), set(hashes[offsets[1] :].tolist())
    run = longest_run(words(left, unit), words(right, unit))
    excerpt = " ".join(run)
    if not run and normalise(left) == normalise(right):
        excerpt = normalise(left)
    return SharedText(len(first & second), len(first | second), excerpt)


def longest_run(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return the longest run of equal words of two word lists, the first in `left` of equally long ones."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*left, *right]), 1)}
    mine, theirs = (mix(np.asarray([numbers[word] for word in side], np.uint64)) for side in (left, right))
    low, high = 0, min(len(left), len(right))
    start = 0
    while low < high:
        length = (low + high + 1) // 2
        met = np.flatnonzero(np.isin(polynomial(mine, length), polynomial(theirs, length)))
        if not met.size:
            high = length - 1
        else:
            low, start = length, int(met[0])
    return list(left[start : start + low])


def _distinct(items: Hashes, offsets: Offsets, n: int) -> list[_Sketched]:
    """Return (32-bit shingles, counts, identities) of the records, each record's shingles sorted and distinct."""
    if TEXT_KERNELS not in sys.modules:
        hashes, bounds = windows(items, offsets, n)
        return [_plain(hashes, bounds[start : start + _GROUP + 1]) for start in range(0, bounds.size - 1, _GROUP)]
    values = np.empty(items.size, np.uint32)
    counts = np.zeros(offsets.size - 1, np.int64)
    identity = np.zeros((offsets.size - 1, 2), np.uint64)
    longest = int(np.diff(offsets).max(initial=0)) + 1
    room = (*np.empty((2, longest), np.uint64), np.empty(longest, np.int64))
    written = import_module(JOIN_KERNELS).distinct((items, offsets), n, room, values, counts, identity)
    return [(values[:written].copy(), counts, identity)]


def _plain(hashes: Hashes, bounds: Offsets) -> _Sketched:
    """The numpy form of `join_kernels.distinct` for at most _GROUP records."""
    counts = np.diff(bounds)
    keys = np.repeat(np.arange(counts.size, dtype=np.uint64) << np.uint64(_HASH_BITS), counts)
    keys |= hashes[bounds[0] : bounds[-1]] >> np.uint64(64 - _HASH_BITS)
    keys.sort()
    keep = np.ones(keys.size, np.bool_)
    keep[1:] = keys[1:] != keys[:-1]
    keys = keys[keep]
    sizes = np.bincount((keys >> np.uint64(_HASH_BITS)).astype(np.int64), minlength=counts.size)
    values = keys & np.uint64((1 << _HASH_BITS) - 1)
    return (values >> np.uint64(_HASH_BITS - 32)).astype(np.uint32), sizes, _identities(values, sizes)


def _identities(values: Hashes, sizes: npt.NDArray[np.int64]) -> Hashes:
    """Return two sums over each record's distinct shingles, differently mixed: equal sets have equal rows."""
    lanes = []
    filled = np.flatnonzero(sizes)
    starts = to_offsets(sizes)[:-1][filled]
    mixed = mix(values)
    for terms in (mixed, (mixed ^ (mixed >> np.uint64(29))) * np.uint64(LANE)):
        sums = np.zeros(sizes.size, np.uint64)
        if filled.size:
            sums[filled] = np.add.reduceat(terms, starts)
        lanes.append(mix(sums + sizes.astype(np.uint64)))
    return np.stack(lanes, axis=1)


def _gather(sketches: Iterable[pa.Table], store: Spill) -> tuple[npt.NDArray[np.int64], Hashes]:
    """Put the shingles of all records into `store`; return their number per record, and the identities."""
    sizes, identity = [np.empty(0, np.int64)], [np.empty((0, 2), np.uint64)]
    for table in sketches:
        column = table["shingles"].combine_chunks()
        store.append(column.flatten().to_numpy())
        sizes.append(np.diff(column.offsets.to_numpy()))
        identity.append(np.stack([table["low"].to_numpy(), table["high"].to_numpy()], axis=1))
    return np.concatenate(sizes), np.concatenate(identity)
