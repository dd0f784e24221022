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
# Records hold 24 bits of a posting, 32 of a pair.
MOST_RECORDS = 1 << 24
# The postings of so many records of some hundred words stay below 500 MB.
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
    keys = _postings(kernels, shingles, offsets, active, threshold)
    if _meetings(keys) > MOST_MEETINGS:
        return None
    index = _index(keys, active.size)
    spans = [(start, min(start + _CHUNK, active.size)) for start in range(0, active.size, _CHUNK)]
    limits = (threshold, LONGEST_RUN, MOST_PARTNERS)

    def search(share: list[tuple[int, int]]) -> list[tuple[Any, int]]:
        seen = np.full(active.size, -1, np.int32)
        out = (np.empty(_CHUNK * MOST_PARTNERS, np.int32), np.empty(_CHUNK * MOST_PARTNERS, np.int32))
        room = (*out, np.empty(_CHUNK * MOST_PARTNERS, np.float32))
        results = []
        for span in share:
            written, skipped = kernels.join((shingles, offsets, active), index, span, limits, seen, room)
            results.append(([column[:written].copy() for column in room], skipped))
        return results

    with ThreadPoolExecutor(workers) as pool:
        results = [result for part in pool.map(search, [spans[k::workers] for k in range(workers)]) for result in part]
    left, right, similarity = (np.concatenate([columns[c] for columns, _ in results]) for c in range(3))
    return Pairs(left.astype(np.int64), right.astype(np.int64), similarity, sum(skipped for _, skipped in results))


def _postings(kernels: Any, shingles: Any, offsets: Offsets, active: Offsets, threshold: float) -> Any:
    """Return the sorted prefix postings of shingles that stand in at least two prefixes."""
    total = int((offsets[active + 1] - offsets[active]).sum())
    # Twice as many counters as shingles, within 64 kB and 256 MB: a collision only makes a shingle look more common.
    bits = min(max(16, (2 * total).bit_length()), 28)
    counts = np.zeros(1 << bits, np.uint8)
    kernels.count(shingles, offsets, active, counts, np.uint32(32 - bits))
    parts = [np.empty(0, np.uint64)]
    for start in range(0, active.size, _CHUNK):
        some = active[start : start + _CHUNK]
        out = np.empty(int((offsets[some + 1] - offsets[some]).sum()), np.uint64)
        written = kernels.postings(shingles, offsets, some, (start, counts, np.uint32(32 - bits)), threshold, out)
        parts.append(out[:written].copy())
    del counts
    keys = np.concatenate(parts)
    parts.clear()
    keys.sort()
    return keys[_in_company(keys)]


def _meetings(keys: npt.NDArray[np.uint64]) -> int:
    """Return how often a posting is held against an earlier one of the same shingle."""
    starts = np.flatnonzero(np.concatenate([[True], (keys[1:] ^ keys[:-1]) >= (1 << 32)])) if keys.size else keys[:0]
    lengths = np.diff(np.append(starts, keys.size)).astype(np.int64)
    return int((lengths * np.minimum(lengths - 1, LONGEST_RUN)).sum())


def _in_company(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    same = (keys[1:] ^ keys[:-1]) < (1 << 32)
    keep = np.zeros(keys.size, np.bool_)
    keep[1:] |= same
    keep[:-1] |= same
    return keep


def _index(keys: npt.NDArray[np.uint64], rows: int) -> tuple[Any, Any, Any, Any]:
    """Return (postings, where the run of equal shingles of each begins, posting numbers by record, their offsets)."""
    starts = np.ones(keys.size, np.bool_)
    starts[1:] = (keys[1:] ^ keys[:-1]) >= (1 << 32)
    run_start = np.flatnonzero(starts).astype(np.int32)[np.cumsum(starts, dtype=np.int32) - 1]
    records = ((keys >> np.uint64(8)) & np.uint64(0xFFFFFF)).astype(np.int32)
    by_record = np.argsort(records, kind="stable").astype(np.int32)
    return keys, run_start, by_record, to_offsets(np.bincount(records, minlength=rows).astype(np.int64))
