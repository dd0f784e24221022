"""What a filter did: the funnel by generator and by cell, and the diversity bill of each of its steps.

Works on reasons alone, one per record and None for those kept: a record rejected by one step stood before all earlier
ones and before none of the later ones.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, text_of
from holdfast.metrics.bill import bill

Reasons = npt.NDArray[np.object_]

WHOLE = "all"
NOT_MADE = "not generated"
NO_CELL = "no cell"
# Records on which bills are measured: each bill takes about two seconds of one core on texts of 400 words.
BILLED = 2_000
# Generators that get a bill of their own, the largest first; all are in the funnel.
MOST_STRATA = 4


def funnel(data: Dataset, reasons: Reasons) -> dict[str, dict[str, dict[str, int]]]:
    """Return by generator, and by cell where there are any: how many came in, were kept, and went for which reason."""
    found = {"generator": _counted(_labels(data, "generator", NOT_MADE), reasons)}
    cells = _labels(data, "cell", NO_CELL)
    return found if set(cells) <= {NO_CELL} else {**found, "cell": _counted(cells, reasons)}


def _labels(data: Dataset, column: str, otherwise: str) -> list[str]:
    labels: list[str] = pc.fill_null(data.column(column), otherwise).to_pylist()
    return labels


def _counted(labels: Sequence[str], reasons: Reasons) -> dict[str, dict[str, int]]:
    given = Counter(labels)
    gone: dict[str, Counter[str]] = {label: Counter() for label in given}
    for label, reason in zip(labels, reasons.tolist(), strict=True):
        if reason is not None:
            gone[label][reason] += 1
    return {
        label: {"in": given[label], "kept": given[label] - lost.total(), **dict(sorted(lost.items()))}
        for label, lost in sorted(gone.items())
    }


@dataclass(frozen=True, slots=True)
class _Sample:
    """Records drawn from a set: their texts, why each was rejected (None: kept), and who made them."""

    texts: pa.ChunkedArray
    reasons: np.ndarray
    makers: np.ndarray
    seed: int
    anchor: pa.ChunkedArray | None

    def bill(self, stood: npt.NDArray[np.bool_], kept: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """Return the plain form of the bill of keeping `kept` of those that `stood`."""
        rows = np.flatnonzero(stood)
        said = bill(self.texts.take(pa.array(rows)), kept[rows], seed=self.seed, anchor=self.anchor)
        return {slug: asdict(measurement) for slug, measurement in said.items()}


def bills(
    data: Dataset, reasons: Reasons, steps: Sequence[str], seed: int, anchor: Dataset | None = None
) -> list[dict[str, Any]]:
    """Return the bill of each step that rejected enough to be told, in order, and of the whole; see `metrics.bill`.

    Each is {filter, records, removed, sampled, reference, measurements, generators}. `removed` counts in all records,
    the measurements are of a sample of at most `BILLED`, drawn by `seed`.
    """
    sample = _sample(data, reasons, seed, anchor)
    counted = {step: int(np.count_nonzero(reasons == step)) for step in steps}
    stood, found = np.ones(len(sample.reasons), np.bool_), []
    left = data.rows
    for step in steps:
        kept = stood & (sample.reasons != step)
        found.append(_entry(step, sample, (stood, kept), (left, counted[step])))
        stood, left = kept, left - counted[step]
    everything = np.ones(len(sample.reasons), np.bool_)
    found.append(_entry(WHOLE, sample, (everything, stood), (data.rows, sum(counted.values()))))
    return [entry for entry in found if entry["measurements"]]


def _entry(step: str, sample: _Sample, masks: tuple[Any, Any], counts: tuple[int, int]) -> dict[str, Any]:
    stood, kept = masks
    makers = [name for name, _ in Counter(sample.makers[stood].tolist()).most_common(MOST_STRATA)]
    own = {name: sample.bill(stood & (sample.makers == name), kept) for name in sorted(makers)}
    return {
        "filter": step,
        "records": counts[0],
        "removed": counts[1],
        "sampled": int(np.count_nonzero(stood)),
        "reference": "records before the filter" if sample.anchor is None else "real anchor",
        "measurements": sample.bill(stood, kept),
        "generators": {name: said for name, said in own.items() if said} if len(makers) > 1 else {},
    }


def _sample(data: Dataset, reasons: Reasons, seed: int, anchor: Dataset | None) -> _Sample:
    rows = _drawn(data, seed)
    table = data.take(rows, ("prompt", "response", "generator"))
    return _Sample(
        texts=text_of(table),
        reasons=reasons[rows],
        makers=np.asarray(pc.fill_null(table.column("generator"), NOT_MADE).to_pylist(), dtype=object),
        seed=seed,
        anchor=None if anchor is None else text_of(anchor.take(_drawn(anchor, seed), ("prompt", "response"))),
    )


def _drawn(data: Dataset, seed: int) -> npt.NDArray[np.int64]:
    if data.rows <= BILLED:
        return np.arange(data.rows)
    return np.sort(np.random.default_rng(seed).choice(data.rows, BILLED, replace=False))
