"""estimate: which share of texts that nobody labelled is synthetic, against a real and a synthetic reference.

Reads files, draws what is compared, and says value, interval, floor and self-validation, or that it cannot tell.
The responses are what is looked at: a prompt is most often a person's, whoever answered it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.core.dataset import Dataset
from holdfast.core.engine import Progress
from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.scratch import scratch
from holdfast.metrics.occurrence import shown
from holdfast.metrics.synthetic_share import CONFIDENCE, ESTIMATORS, LEAST_TARGET, Gauge, Scored, Share, Texts, gauge
from holdfast.rules.authorship import Part, responding, texts_of
from holdfast.rules.view import excerpt
from holdfast.workflows.strata import NONE, values

Paths = Sequence[str | Path]
Rows = npt.NDArray[np.int64]
VERSION = 1
# More documents of a side narrow the interval by less than the references differ from one user's data to the next.
MOST_DOCUMENTS = 4_000
# Mixtures of the self-validation hold at most so many documents: they are made of half of the references.
MOST_MIXED = 2_000
# Parts that `by` tells apart, the largest ones: more are a list that nobody reads.
MOST_PARTS = 50
DAY = re.compile(r"((?:19|20)\d\d-[01]\d)(?:-[0-3]\d)?(?:[T ].*)?$")


@dataclass(frozen=True, slots=True)
class EstimateOptions:
    """`by` parts the answer by columns, `group` names a column whose equal values came about together.

    `rank` lists so many records, those most like the synthetic reference first. `sample` is the most documents that are
    drawn of a side. `mapping` names columns of all files.
    """

    by: tuple[str, ...] = ()
    group: str | None = None
    rank: int = 0
    sample: int = MOST_DOCUMENTS
    seed: int = 7
    mapping: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was estimated; `to_json_dict` is the published shape."""

    share: Share
    gauge: Gauge
    strata: tuple[tuple[str, Share], ...]
    ranked: tuple[dict[str, Any], ...]
    inputs: Mapping[str, Any]

    def to_json_dict(self) -> dict[str, Any]:
        """Return value, low, high, n, floor, self_validation, identifiable, and what they rest on."""
        floor = self.gauge.validation[0] if self.gauge.validation else None
        return {
            "version": VERSION,
            "verb": "estimate",
            **_told(self.share),
            "confidence": CONFIDENCE,
            "unit": "share of records",
            "floor": None if floor is None else {"value": floor.mean, "low": floor.low, "high": floor.high},
            "self_validation": [entry._asdict() for entry in self.gauge.validation],
            "self_validation_error": self.gauge.error if self.gauge.validation else None,
            "references": {
                "auc": self.gauge.auc,
                "generators": len(np.unique(self.gauge.synthetic.makers)),
                "weights": dict(zip(ESTIMATORS, self.gauge.weights.tolist(), strict=True)),
            },
            "strata": {name: _told(share) for name, share in self.strata},
            "ranked": list(self.ranked),
            "inputs": dict(self.inputs),
        }


def estimate(
    data: Paths, *, real: Paths, synthetic: Paths | None = None, options: EstimateOptions = EstimateOptions()
) -> Estimate:
    """Return the synthetic share of `data` with a 90 % interval; writes nothing.

    `real` is text of the same kind by people, `synthetic` text of the same kind by models. Without `synthetic` the
    records of `data` and `real` that are labelled synthetic are the reference. Raises UsageError where there are none.
    """
    if options.sample < LEAST_TARGET:
        raise UsageError(f"--sample {options.sample} is too few.", f"Give at least {LEAST_TARGET}.")
    with scratch() as folder:
        sides = _sides(data, real, synthetic, options, folder)
        _say(options, "learning", 0, 1)
        asked, known, made = texts_of(*(_part(side, options.group) for side in sides))
        held = gauge(known, made, min(len(sides[0].rows), MOST_MIXED), options.seed)
        _say(options, "learning", 1, 1)
        return _measured(held, asked, sides, options)


class _Side(NamedTuple):
    """Records that are compared: those of the set in question, of the real and of the synthetic reference."""

    name: str
    data: Dataset
    rows: Rows
    whole: int


def _sides(
    data: Paths, real: Paths, synthetic: Paths | None, options: EstimateOptions, folder: Path
) -> tuple[_Side, _Side, _Side]:
    """Read the files; records labelled synthetic in the data are the reference where no file is."""
    target = read(list(data), mapping=options.mapping, spool=folder / "data", progress=options.progress)
    known = read(list(real), mapping=options.mapping, spool=folder / "real", origin="real")
    asked = np.arange(target.rows)
    if synthetic is not None:
        made = read(list(synthetic), mapping=options.mapping, spool=folder / "synthetic", origin="synthetic")
        labelled = np.arange(made.rows)
    else:
        made, labelled = target, _labelled(target, ("synthetic",))
        if not len(labelled):
            raise UsageError(NO_REFERENCE, WHERE_FROM)
        asked = np.setdiff1d(asked, labelled)
    rows = {"data": (target, asked), "real": (known, _labelled(known, ("real",))), "synthetic": (made, labelled)}
    sides = []
    for number, (name, (held, chosen)) in enumerate(rows.items()):
        few = responding(held, chosen, options.sample, options.seed + number)
        if not len(few):
            raise UsageError(f"There is no record with text among the {name} records.", "See --map response=COLUMN.")
        sides.append(_Side(name, held, few, len(chosen)))
    return sides[0], sides[1], sides[2]


NO_REFERENCE = "There is no synthetic reference: no --synthetic, and no record is labelled synthetic."
WHERE_FROM = (
    "Give --synthetic FILE: text of the same kind by the models that may have been used, as `holdfast generate` makes "
    "it from your real records. An n-gram model is no stand-in: what gives it away gives no language model away."
)


def _labelled(data: Dataset, origins: tuple[str, ...]) -> Rows:
    return np.flatnonzero(np.isin(np.asarray(data.column("origin").to_pylist(), dtype=object), origins))


def _part(side: _Side, group: str | None) -> Part:
    if group is None:
        return Part(side.data, side.rows)
    try:
        known = list(values(side.data, group))
    except UsageError:
        return Part(side.data, side.rows)  # a reference need not have the column of the data
    return Part(side.data, side.rows, [known[row] for row in side.rows.tolist()])


def _measured(held: Gauge, texts: Texts, sides: Sequence[_Side], options: EstimateOptions) -> Estimate:
    """Measure the whole and each stratum on scores that are worked out once."""
    target = sides[0]
    inputs = {
        side.name: {"files": [asdict(one) for one in side.data.inputs], "records": side.whole, "read": len(side.rows)}
        for side in sides
    }
    whole = held.measure(texts)
    if not held.scorers:
        return Estimate(whole, held, (), (), inputs)
    features = shown(texts.texts)
    scored = Scored(held.scores(features, texts.units), texts.units, np.zeros(len(texts.texts), np.int64))
    parts = []
    for name in options.by:
        for label, places in _parts(target, name):
            few = len(places) < LEAST_TARGET or held.why is not None
            chosen = Texts([texts.texts[place] for place in places.tolist()], texts.units[places], texts.makers[places])
            part = Scored(scored.scores[places], chosen.units, scored.makers[places])
            parts.append((label, held.measure(chosen) if few else held.share(part, features.take(places))))
    return Estimate(whole, held, tuple(parts), tuple(_ranked(held, scored, target, options.rank)), inputs)


def _parts(target: _Side, name: str) -> Iterator[tuple[str, Rows]]:
    """Yield the largest parts by the value of a column, by name; of dates the month is the value."""
    known = list(values(target.data, name))
    chosen = [_month(known[row]) for row in target.rows.tolist()]
    sizes = Counter(chosen)
    for value in sorted(value for value, _ in sizes.most_common(MOST_PARTS)):
        yield f"{name}={value}", np.flatnonzero([each == value for each in chosen])


def _month(value: str | None) -> str:
    found = DAY.match(value) if value else None
    return found[1] if found else value or NONE


def _ranked(held: Gauge, scored: Scored, target: _Side, count: int) -> Iterator[dict[str, Any]]:
    """Yield the records most like the synthetic reference. A rank says where to look first and nothing else."""
    if not count or held.why is not None:
        return
    order = np.argsort(-held.ranked(scored.scores), kind="stable")[:count]
    table = target.data.take(target.rows[order], ("id", "response"))
    for rank, row in enumerate(table.to_pylist(), 1):
        yield {"rank": rank, "id": row["id"], "excerpt": excerpt(row["response"])}


def _told(share: Share) -> dict[str, Any]:
    return {
        "value": share.value,
        "low": share.low,
        "high": share.high,
        "n": share.n,
        "identifiable": share.value is not None,
        "why": share.why,
        "misfit": share.misfit,
        "by": share.by,
    }


def _say(options: EstimateOptions, what: str, done: int, total: int) -> None:
    if options.progress is not None:
        options.progress(what, done, total)
