"""Gaps: clusters of the real training records that the synthetic ones miss, as cells to aim at.

The real records are clustered by their vectors; a cluster is a gap where even the upper end of the interval of the
synthetic share lies below half of the real share. Seeds for it are its own real records, from the training side of the
seal only. A gap is a statement of the encoder that found it: with the lexical one it is about words, not meaning.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from holdfast.core.errors import UsageError
from holdfast.core.record import Record
from holdfast.core.text import words
from holdfast.dedup.themes import FUNCTION_WORDS, REQUEST_WORDS
from holdfast.metrics.semantic import PER_CLUSTER, Vectors, assign, clusters
from holdfast.models.encoders import open_encoder
from holdfast.stats.proportion import wilson
from holdfast.workflows.cells import Quota
from holdfast.workflows.mixture import apportion

AXIS = "gap"
# A cluster is missed when the synthetic part gives it less than this part of the weight that the real part does.
MISSED = 0.5
MOST_CLUSTERS = 200
# k-means from one start often takes two clusters for one, and a gap hides in that: in 5 of 12 runs over five planted
# themes of which two were missed, in none over the best of so many starts. Many clusters are cut small anyway, and cost
# more: with so many pairs of record and centre, one start takes some five seconds.
STARTS, MOST_PAIRS = 8, 2_000_000
# Words that name a gap for people.
NAMED = 2


@dataclass(frozen=True, slots=True)
class Gap:
    """A missed cluster: its name, its share of the real and of the synthetic records, and its real records' digests."""

    name: str
    real: float
    synthetic: float
    high: float
    seeds: tuple[str, ...]

    def to_dict(self, wanted: int) -> dict[str, Any]:
        """Return the gap with the records wanted for it, as the run keeps it."""
        shares = {"real": self.real, "synthetic": self.synthetic, "high": self.high}
        return {"name": self.name, "wanted": wanted, **shares, "seeds": list(self.seeds)}


def find_gaps(real: Sequence[Record], made: Sequence[Record], encoder: str, seed: int) -> list[Gap]:
    """Return the clusters of `real` that `made` misses, the largest difference of shares first."""
    k = min(MOST_CLUSTERS, len(real) // PER_CLUSTER)
    if k < 2 or not made:
        what = f"{len(real):,} real and {len(made):,} synthetic records are too few to look for gaps."
        raise UsageError(what, f"There must be at least {2 * PER_CLUSTER} real records, and a finished run.")
    texts = [pa.chunked_array([[record.text for record in side]], pa.string()) for side in (real, made)]
    opened = open_encoder(encoder, texts[0])
    anchor, sample = (opened.encode(each) for each in texts)
    centres = _centres(anchor, k, seed)
    own, theirs = assign(anchor, centres), assign(sample, centres)
    sizes, hits = np.bincount(own, minlength=k), np.bincount(theirs, minlength=k)
    common = Counter(word for record in real for word in set(words(record.text)))
    gaps = []
    for number in range(k):
        share, count = sizes[number] / len(real), int(hits[number])
        high = wilson(count, len(made))[1]
        if sizes[number] and high < MISSED * share:
            members = [real[row] for row in np.flatnonzero(own == number).tolist()]
            name = f"{number:03d} {_named(members, common)}".strip()
            digests = tuple(sorted({record.digest for record in members}))
            gaps.append(Gap(name, float(share), count / len(made), high, digests))
    return sorted(gaps, key=lambda gap: gap.synthetic - gap.real)


def _centres(anchor: Vectors, k: int, seed: int) -> Vectors:
    """Return the centres of the tightest of several clusterings."""
    starts = min(STARTS, max(1, MOST_PAIRS // (len(anchor) * k)))
    found = [clusters(anchor, k, seed + start) for start in range(starts)]
    return min(found, key=lambda centres: float(((anchor - centres[assign(anchor, centres)]) ** 2).sum()))


def shared_out(gaps: Sequence[Gap], more: int) -> list[int]:
    """Return how many of `more` records each gap is to get, by the difference of its shares."""
    return apportion(more, [round(1e9 * (gap.real - gap.synthetic)) for gap in gaps]) if gaps else []


def gap_quotas(kept: Sequence[Mapping[str, Any]]) -> tuple[Quota, ...]:
    """Return the cells of the gaps that a run keeps in its state."""
    return tuple(Quota(f"{AXIS}={gap['name']}", {AXIS: gap["name"]}, gap["wanted"]) for gap in kept if gap["wanted"])


def _named(members: Sequence[Record], common: Mapping[str, int]) -> str:
    """Return the words that most tell a cluster from the rest, for people to know it by."""
    inside = Counter(word for record in members for word in set(words(record.text)))
    plain = {
        word: count for word, count in inside.items()
        if word.isalpha() and word not in FUNCTION_WORDS and word not in REQUEST_WORDS
    }  # fmt: skip
    # A word counts by how often it is here, times the part of all its records that are.
    ranked = sorted(plain, key=lambda word: (-plain[word] * plain[word] / common[word], word))
    return "-".join(ranked[:NAMED])
