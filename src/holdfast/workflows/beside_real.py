"""Beside real: a sample of real text and of each generator, for the two pictures that hold one against the other.

The tail compares word counts at equal numbers of words, with a second part of the real text for what chance alone
loses. The map projects vectors to the plane; a plane shows little of 128 dimensions, so that what is called uncovered
is decided in all dimensions, and only drawn in two.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import text_of
from holdfast.core.text import word_hashes
from holdfast.metrics.semantic import assign, clusters
from holdfast.models.encoder import Vectors, fit_lexical
from holdfast.models.encoders import is_semantic, open_encoder
from holdfast.rules.view import TEXT, View, excerpt, texts_at
from holdfast.stats.proportion import wilson

# Texts looked at: points beyond these cover each other in a picture 400 pixels wide.
REAL, MADE, PANELS = 600, 200, 6
FEWEST, FEWEST_MADE = 50, 20
# Points of a rank-frequency curve, evenly spaced in the logarithm of the rank, and bins of ranks for what is lost.
CURVE, BINS = 40, 8
# A cluster is uncovered where at least so many were expected and none came: P(0) <= 5 % for a Poisson mean of 3.
EXPECTED = 3.0
PER_CLUSTER, MOST_CLUSTERS = 20, 30

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sides:
    """Real texts, texts by generator, and how they are to be encoded; `of` says out of how many each was drawn."""

    real: pa.ChunkedArray
    made: dict[str, pa.ChunkedArray]
    of: dict[str, int]
    left_out: int
    encoder: str
    seed: int


def sides(view: View) -> Sides | None:
    """Return a sample of both sides drawn by the seed, or None where one of them is too small to be compared."""
    rng = np.random.default_rng(view.settings.seed)
    real, held = _real(view, rng)
    counted = [(name, count) for name, count in view.generators.most_common() if count >= FEWEST_MADE]
    made = {name or "not named": _picked(view.made_by("generator", name), MADE, rng) for name, _ in counted[:PANELS]}  # type: ignore[arg-type]  # None stands for those that name none
    if real is None or not made:
        return None
    texts = {name: texts_at(view.data, rows) for name, rows in made.items()}
    of = {"real": held, **{name or "not named": count for name, count in counted[:PANELS]}}
    return Sides(real, texts, of, len(view.generators) - len(made), view.settings.audit.encoder, view.settings.seed)


def tail(both: Sides) -> dict[str, Any]:
    """Return rank-frequency curves at equal numbers of words, and which ranks of real words are missing, by chance too.

    `lost` has [first rank, last rank, types, missing, missing by chance] with Wilson intervals of 95 % for the share
    missing; `mass` is the share of all real words whose type never comes. {} where there are too few words.
    """
    rng = np.random.default_rng(both.seed)
    order = rng.permutation(len(both.real))
    half = len(order) // 2
    parts = [
        both.real.take(pa.array(order[:half])),
        both.real.take(pa.array(order[half:])),
        pa.chunked_array([chunk for texts in both.made.values() for chunk in texts.chunks]),
    ]
    words = [_words(part, rng) for part in parts]
    budget = min(len(each) for each in words)
    if budget < 100 * BINS:
        return {}
    types, places = np.unique(np.concatenate([each[:budget] for each in words]), return_inverse=True)
    first, second, made = (np.bincount(part, minlength=len(types)) for part in np.split(places, 3))
    ranked = np.argsort(-first, kind="stable")[: np.count_nonzero(first)]
    return {
        "words": budget,
        "real": _curve(first),
        "synthetic": _curve(made),
        "lost": [_lost(ranked, low, high, made, second) for low, high in _bins(len(ranked))],
        "mass": float(first[made == 0].sum() / budget),
        "mass_by_chance": float(first[second == 0].sum() / budget),
    }


def spread(both: Sides) -> dict[str, Any]:
    """Return the sample on a plane, by the first two principal components, with the clusters of the real texts."""
    vectors, name = _encoded(both)
    everything = np.concatenate(list(vectors.values())).astype(np.float64)
    middle = everything.mean(axis=0)
    _, singular, axes = np.linalg.svd(everything - middle, full_matrices=False)
    flat = {side: (rows - middle) @ axes[:2].T for side, rows in vectors.items()}
    joined = np.concatenate(list(flat.values()))
    low, size = joined.min(axis=0), np.ptp(joined, axis=0).max() or 1.0
    plane = {side: np.round(100 * (rows - low) / size, 1) for side, rows in flat.items()}
    return {
        "encoder": name,
        "explained": float((singular[:2] ** 2).sum() / (singular**2).sum()),
        "points": {side: rows.tolist() for side, rows in plane.items()},
        "of": both.of,
        "clusters": _clusters(both, vectors, plane["real"]),
        "left_out": {"generators": both.left_out},
    }


def _clusters(both: Sides, vectors: dict[str, Vectors], plane: Vectors) -> list[dict[str, Any]]:
    """Cluster the real vectors and count who falls where; uncovered is decided for each generator on its own."""
    k = max(2, min(MOST_CLUSTERS, len(vectors["real"]) // PER_CLUSTER))
    centres = clusters(vectors["real"], k, both.seed)
    labels = {side: assign(rows, centres) for side, rows in vectors.items()}
    sizes = {side: np.bincount(found, minlength=k) for side, found in labels.items()}
    found = []
    for number in range(k):
        mine = np.flatnonzero(labels["real"] == number)
        if not len(mine):
            continue
        share = len(mine) / len(plane)
        nearest = mine[np.argmin(((vectors["real"][mine] - centres[number]) ** 2).sum(axis=1))]
        missing = [side for side in both.made if not sizes[side][number] and share * len(vectors[side]) >= EXPECTED]
        found.append(
            {
                "at": np.round(plane[mine].mean(axis=0), 1).tolist(),
                "records": {side: int(counts[number]) for side, counts in sizes.items()},
                "uncovered_by": missing,
                "example": excerpt(both.real[int(nearest)].as_py())[:160],
            }
        )
    return found


def _encoded(both: Sides) -> tuple[dict[str, Vectors], str]:
    texts = {"real": both.real, **both.made}
    if is_semantic(both.encoder):
        encoder = open_encoder(both.encoder)
        return {side: encoder.encode(some) for side, some in texts.items()}, encoder.name
    hashed = {side: word_hashes(some) for side, some in texts.items()}
    fitted = fit_lexical(*hashed["real"])
    return {side: fitted.encode_words(*words) for side, words in hashed.items()}, fitted.name


def _real(view: View, rng: np.random.Generator) -> tuple[pa.ChunkedArray | None, int]:
    """Return a sample of the anchor, of the set's own real records where there is none, and out of how many."""
    data, rows = view.data, view.labelled_real
    if view.real is not None:
        data, rows = view.real, np.flatnonzero(pc.equal(view.real.column("origin"), "real").to_numpy())
    if len(rows) < 2 * FEWEST:
        return None, len(rows)
    return text_of(data.take(_picked(rows, REAL, rng), TEXT)), len(rows)


def _picked(rows: np.ndarray, most: int, rng: np.random.Generator) -> Rows:
    return np.asarray(rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False)), np.int64)


def _words(texts: pa.ChunkedArray, rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    """Return the word hashes of the texts in random order of the texts."""
    ids, _ = word_hashes(texts.take(pa.array(rng.permutation(len(texts)))))
    return ids


def _curve(counts: Rows) -> list[list[int]]:
    falling = np.sort(counts[counts > 0])[::-1]
    ranks = np.unique(np.geomspace(1, len(falling), CURVE).astype(int))
    return [[int(rank), int(falling[rank - 1])] for rank in ranks]


def _bins(types: int) -> list[tuple[int, int]]:
    edges = np.unique(np.geomspace(10, types + 1, BINS + 1).astype(int)).tolist()
    return list(zip([1, *edges[1:-1]], edges[1:], strict=True))


def _lost(ranked: Rows, low: int, high: int, made: Rows, second: Rows) -> dict[str, Any]:
    some = ranked[low - 1 : high - 1]
    missing, chance = int(np.count_nonzero(made[some] == 0)), int(np.count_nonzero(second[some] == 0))
    return {
        "ranks": [low, high - 1],
        "types": len(some),
        "missing": missing,
        "interval": list(wilson(missing, len(some))),
        "by_chance": chance,
    }
