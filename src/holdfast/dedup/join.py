"""Set-similarity join: the pairs of records whose shingle sets have a Jaccard similarity at or above a threshold.

Up to `MOST_EXACT` records, and while the comparisons stay bounded, all pairs are found, as described next; beyond
that `dedup.minhash` looks for candidates and misses a stated share. Every reported pair is compared in full in both.

Prefix filtering (Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007) with the positional filter of PPJoin (Xiao
et al., WWW 2008): order shingles from rare to common; two sets can only be similar when they share one of the rare
ones in front. Cost is one pass over the shingles while most of them are rare, but text that reuses the same shingles
everywhere makes it grow with the square. Memory is the prefix postings; the shingles may lie in a mapped file.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import UsageError
from holdfast.core.hashing import Offsets, to_offsets
from holdfast.dedup import minhash

# Records that share one prefix shingle are compared with at most this many earlier ones. A set in which more share
# even their rarest shingles is one template; its records still meet through the neighbours that are compared.
LONGEST_RUN = 5_000
# Partners kept per record. Beyond it a record is long known to be a duplicate and pairs would grow with the square.
MOST_PARTNERS = 256
# Records hold 32 bits of a pair.
MOST_RECORDS = 1 << 24
# The postings of so many records of some hundred words stay below 500 MB. A posting has room for 2 ** 22 records.
MOST_EXACT = 250_000
# Pairs of postings of one shingle. Each is looked at once, far from the last: 0.1 us each, so 20 s of one core.
MOST_MEETINGS = 200_000_000
# Below these, counting all shared shingles in numpy is faster than importing and compiling the kernels.
PLAIN_SHINGLES = 2_000_000
PLAIN_PAIRS = 4_000_000
KERNELS = "holdfast.dedup.join_kernels"
_CHUNK = 8_192


class Pairs(NamedTuple):
    """Similar pairs, left < right as positions in `active`, and how many comparisons the limits left out.

    `recall` is the expected share of pairs at the threshold that were found; see `dedup.minhash`.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    skipped: int
    recall: float = 1.0


def similar_pairs(
    shingles: npt.NDArray[np.uint32], offsets: Offsets, active: Offsets, threshold: float, workers: int = 1
) -> Pairs:
    """Return the pairs of the records `active` with Jaccard similarity >= `threshold`: all, or what `recall` says.

    Record r has the sorted distinct shingles[offsets[r]:offsets[r + 1]]; active records are not empty and their sets
    differ from each other. Pairs are sorted by (left, right).
    """
    if active.size > MOST_RECORDS:
        raise UsageError(
            f"Near-duplicates of {active.size:,} distinct records do not fit one join (limit {MOST_RECORDS:,}).",
            "Remove exact duplicates first, or search per source.",
        )
    if not active.size:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), 0)
    pairs = _plain(shingles, offsets, active, threshold) if KERNELS not in sys.modules else None
    if pairs is None and active.size <= MOST_EXACT:
        pairs = _compiled(shingles, offsets, active, (threshold, workers))
    if pairs is None:
        found = minhash.find(shingles, offsets, active, threshold, workers)
        pairs = Pairs(*found, minhash.banding(threshold).recall)
    order = np.lexsort((pairs.right, pairs.left))
    return Pairs(pairs.left[order], pairs.right[order], pairs.similarity[order], pairs.skipped, pairs.recall)


def _plain(shingles: Any, offsets: Offsets, active: Offsets, threshold: float) -> Pairs | None:
    """Count the shared shingles of all pairs that share any; None where there are too many for that."""
    sizes = offsets[active + 1] - offsets[active]
    if sizes.sum() > PLAIN_SHINGLES:
        return None
    places = np.repeat(offsets[active] - to_offsets(sizes)[:-1], sizes) + np.arange(sizes.sum())
    keys = (shingles[places].astype(np.uint64) << 32) | np.repeat(np.arange(active.size, dtype=np.uint64), sizes)
    keys.sort()
    codes = _shared_once(keys, active.size)
    if codes is None:
        return None
    met, shared = np.unique(codes, return_counts=True)
    left, right = met // active.size, met % active.size
    similarity = shared / (sizes[left] + sizes[right] - shared)
    similar = similarity >= threshold - 1e-12
    return Pairs(left[similar], right[similar], similarity[similar].astype(np.float32), 0)


def _shared_once(keys: npt.NDArray[np.uint64], rows: int) -> npt.NDArray[np.int64] | None:
    """Return left * rows + right for every shingle that both hold; None beyond PLAIN_PAIRS of them."""
    values, records = keys >> 32, (keys & 0xFFFFFFFF).astype(np.int64)
    lengths = np.unique(values, return_counts=True)[1]
    if int((lengths * (lengths - 1) // 2).sum()) > PLAIN_PAIRS:
        return None
    found = [np.empty(0, np.int64)]
    for apart in range(1, int(lengths.max(initial=1))):
        same = np.flatnonzero(values[apart:] == values[:-apart])
        found.append(records[same] * rows + records[same + apart])
    return np.concatenate(found)


def _compiled(shingles: Any, offsets: Offsets, active: Offsets, how: tuple[float, int]) -> Pairs | None:
    """Look up the rare shingles of each record; None where more than MOST_MEETINGS postings would meet."""
    kernels = import_module(KERNELS)
    threshold, workers = how
    by_size = np.argsort(offsets[active + 1] - offsets[active], kind="stable")
    records = active[by_size]
    numbers = np.empty_like(by_size)
    numbers[by_size] = np.arange(by_size.size)
    index = _index(_postings(kernels, (shingles, offsets, active), numbers, threshold), records.size)
    if _meetings(index) > MOST_MEETINGS:
        return None
    spans = [(start, min(start + _CHUNK, records.size)) for start in range(0, records.size, _CHUNK)]
    limits = (threshold, LONGEST_RUN, MOST_PARTNERS)

    def search(share: list[tuple[int, int]]) -> list[tuple[Any, int]]:
        seen = np.full(records.size, -1, np.int32)
        out = (np.empty(_CHUNK * MOST_PARTNERS, np.int32), np.empty(_CHUNK * MOST_PARTNERS, np.int32))
        room = (*out, np.empty(_CHUNK * MOST_PARTNERS, np.float32))
        results = []
        for span in share:
            written, skipped = kernels.join((shingles, offsets, records), index, span, limits, seen, room)
            results.append(([column[:written].copy() for column in room], skipped))
        return results

    with ThreadPoolExecutor(workers) as pool:
        results = [result for part in pool.map(search, [spans[k::workers] for k in range(workers)]) for result in part]
    one, other, similarity = (np.concatenate([columns[c] for columns, _ in results]) for c in range(3))
    one, other = by_size[one], by_size[other]
    skipped = sum(skipped for _, skipped in results)
    return Pairs(np.minimum(one, other), np.maximum(one, other), similarity, skipped)


def _postings(kernels: Any, sets: tuple[Any, Offsets, Offsets], numbers: Any, threshold: float) -> Any:
    """Return the sorted prefix postings of the active records, which go by `numbers` in them."""
    shingles, offsets, active = sets
    total = int((offsets[active + 1] - offsets[active]).sum())
    # As many counters as shingles, within 64 kB and 256 MB: a collision only makes a shingle look more common.
    bits = min(max(16, total.bit_length()), 28)
    counts = np.zeros(1 << bits, np.uint8)
    counter = (counts, np.uint32(32 - bits), np.empty(257, np.int64))
    kernels.count(shingles, offsets, active, *counter[:2])
    prefixes = (2.0 * threshold / (1.0 + threshold), threshold)
    parts = [np.empty(0, np.uint64)]
    for start in range(0, active.size, _CHUNK):
        some = active[start : start + _CHUNK]
        out = np.empty(int((offsets[some + 1] - offsets[some]).sum()), np.uint64)
        pair = (some, numbers[start : start + _CHUNK])
        written = kernels.postings((shingles, offsets), pair, counter, prefixes, out)
        parts.append(out[:written].copy())
    del counts, counter
    keys = np.concatenate(parts)
    parts.clear()
    keys.sort()
    return keys


def _index(keys: npt.NDArray[np.uint64], rows: int) -> tuple[Any, Any, Any, Any, Any]:
    """Return the postings as `join_kernels.join` wants them, without those that meet no earlier record."""
    new = np.ones(keys.size, np.bool_)
    new[1:] = (keys[1:] ^ keys[:-1]) >= (1 << 32)
    indexed = (keys & np.uint64(1)).astype(np.bool_)
    end = to_offsets(indexed.astype(np.int64))[:-1].astype(np.int32)
    begin = end[new][np.cumsum(new, dtype=np.int32) - 1]
    meets = np.flatnonzero(begin < end)
    records = (keys[meets] >> np.uint64(10)) & np.uint64(0x3FFFFF)
    by_record = meets[np.argsort(records, kind="stable")]
    offsets = to_offsets(np.bincount(records.astype(np.int64), minlength=rows))
    return keys[indexed], keys[by_record], offsets, begin[by_record], end[by_record]


def _meetings(index: tuple[Any, Any, Any, Any, Any]) -> int:
    """Return how often a posting is at most held against an earlier one of the same shingle."""
    lengths = (index[4] - index[3]).astype(np.int64)
    return int(np.minimum(lengths, LONGEST_RUN).sum())
