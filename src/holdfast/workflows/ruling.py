"""Ruling: what people and judges decide of the records that every other filter left.

People come first: whom they refused is rejected, whom they took is kept, whatever a judge says. A judge is asked about
the rest that is not labelled real and that no verifier passed. It rejects only where its calibration lets it; elsewhere
its verdicts stand beside the records. Subjective work is never its to decide: it only ranks that for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from holdfast.core.dataset import records_of
from holdfast.core.domain import domain
from holdfast.core.engine import Progress
from holdfast.core.errors import UsageError
from holdfast.core.labels import Label, read_labels
from holdfast.core.reader import read
from holdfast.core.record import Record
from holdfast.core.settings import Settings
from holdfast.core.verdict import Verdict
from holdfast.models.desk import open_desk
from holdfast.models.kinship import Kin
from holdfast.rules.census import REAL
from holdfast.rules.standing import standing
from holdfast.rules.view import View
from holdfast.stats.correction import expected_error, rogan_gladen
from holdfast.stats.preference import length_controlled, position_consistency, preference_leakage
from holdfast.stats.proportion import share
from holdfast.verifiers.judge import NO_PAIR
from holdfast.workflows.calibration import WHOLE, Calibration, calibrate, people, raters
from holdfast.workflows.generate import deadline
from holdfast.workflows.judging import SUSPENDED, Asked, Panel, ask_all, makers_of, refuse_kin

Rows = npt.NDArray[np.int64]
HUMAN_NO, JUDGE, SPLIT, SUBJECTIVE = "human-no", "judge", "people-split", "subjective-needs-people"
# Names under which verdicts travel with a record: of people, of a judge with power, of one without, of one's own kin.
REVIEW, UNCALIBRATED, KIN = "review", "judge-uncalibrated", "judge-family"
# Scores that pass without a rubric's scale, where people give numbers and no judge is there to say which: 4 of 5.
PASS_AT = 4
# What a record is counted under, besides the columns of its row.
SUBSETS = ("generator", "family", "cell", "domain")
# Records of a generator below which its preference leakage is noise.
LEAST_LEAKAGE = 20


@dataclass(frozen=True, slots=True)
class Bench:
    """What a ruling needs besides the records: settings with a judge or None, labels, and where the ledger lies.

    `spent` is what the run has cost before; it counts against the same budget.
    """

    out: Path
    room: Path
    settings: Settings | None = None
    labels: Sequence[Path] = ()
    spent: float = 0.0
    progress: Progress | None = None

    @property
    def judged(self) -> Settings | None:
        """The settings where they name a judge, else None."""
        return self.settings if self.settings is not None and self.settings.filters.judge is not None else None

    def said(self) -> list[Label]:
        """Return all labels, those of the settings too, whose file may be yet to come: review writes it."""
        wanted = self.judged.filters.judge if self.judged else None
        own = [self.judged.path(wanted.labels)] if self.judged and wanted and wanted.labels else []
        paths = dict.fromkeys([*(path for path in own if path.exists()), *self.labels])
        return [label for path in paths for label in read_labels(path)]


@dataclass(slots=True)
class Ruling:
    """What became of records by row: rejected or undecided with reason and detail, and the marks they carry.

    `verdicts` are the rows of verdicts.jsonl, `told` what the manifest says of people and judges.
    """

    rejected: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    undecided: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    marks: dict[int, dict[str, bool | None]] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


def refuse_related(settings: Settings) -> list[str]:
    """Return which judges of the settings are related to its generators; raises `UsageError` without the waiver."""
    return refuse_kin(settings, makers_of(settings))


def ruled(view: View, rows: Rows, bench: Bench) -> Ruling:
    """Return what people and judges make of the records at `rows`, those that all other filters left.

    Raises `UsageError` for a judge of the makers' kin before anything is asked, and what stops a run of calls.
    """
    ruling, labels = Ruling(), bench.said()
    settings = bench.judged
    wanted = settings.filters.judge if settings else None
    mark, pairs = (wanted.pass_at, wanted.mode == "pairs") if wanted else (PASS_AT, False)
    human = people(labels, mark, pairs=pairs)
    names: list[str] = view.data.column("id").to_pylist()
    left = _people_first(ruling, rows, names, human)
    if labels:
        alpha = raters(labels, mark, pairs=pairs)
        found = sum(name in human for name in names)
        ruling.told["people"] = {"records": len(human), "found": found, "alpha": asdict(alpha) if alpha else None}
    if settings is not None:
        kin = refuse_kin(settings, [*makers_of(settings), *_makers(view)])
        _judges(view, ruling, left, _Case(Panel.of(settings), bench, human, names, kin))
    return ruling


def _makers(view: View) -> list[Kin]:
    return sorted({Kin(name, own) for name, own in view.makers if name}, key=lambda kin: (kin.name, kin.declared or ""))


def _people_first(ruling: Ruling, rows: Rows, names: Sequence[str], human: Mapping[str, bool | None]) -> list[int]:
    """Let people decide what they looked at; return the rows they did not."""
    left = []
    for row in rows.tolist():
        if names[row] not in human:
            left.append(row)
        elif human[names[row]] is None:
            ruling.undecided[row] = (SPLIT, {})
        elif human[names[row]]:
            ruling.marks[row] = {REVIEW: True}
        else:
            ruling.rejected[row] = (HUMAN_NO, {})
    return left


@dataclass(frozen=True, slots=True)
class _Case:
    """One panel with everything it is held against."""

    panel: Panel
    bench: Bench
    human: Mapping[str, bool | None]
    names: Sequence[str]
    kin: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The records judged, in order: those of the set with their row, then labelled ones from elsewhere with None.

    `asked` are those rows of the set that were judged to be decided, and not for the calibration alone.
    """

    rows: tuple[int | None, ...]
    records: tuple[Record, ...]
    subsets: tuple[str, ...]
    said: tuple[Verdict, ...]
    asked: frozenset[int]

    @property
    def decidable(self) -> list[tuple[int, int]]:
        """(row, place) of the records that the judges were asked to decide."""
        return [(row, place) for place, row in enumerate(self.rows) if row is not None and row in self.asked]


def _judges(view: View, ruling: Ruling, left: Sequence[int], case: _Case) -> None:
    """Ask the panel, hold it against people, and let it decide what it may."""
    settings, wanted, bench = case.panel.settings, case.panel.wanted, case.bench
    chosen = [row for row in left if view.origin[row] != REAL]
    if not wanted.verified:
        chosen = [row for row, passed in zip(chosen, _verified(view, chosen), strict=True) if not passed]
    labelled = [row for row, name in enumerate(case.names) if name in case.human]
    rows = sorted({*chosen, *labelled})
    records = (*records_of(view.data.take(rows)), *_elsewhere(case))
    _refuse_unknown(wanted.subset, records)
    with open_desk(settings, bench.out, wanted.models, deadline(settings), spent=bench.spent) as desk:
        asked = ask_all(case.panel, records, desk, bench.progress)
        ruling.told["usage"] = desk.ledger.usage()
    said = tuple(asked.together(place, case.panel) for place in range(len(records)))
    subsets = tuple(subset_of(record, wanted.subset) for record in records)
    elsewhere = [None] * (len(records) - len(rows))
    heard = _Heard((*rows, *elsewhere), records, subsets, said, frozenset(chosen))
    found = _calibrations(case, heard)
    for row, place in heard.decidable:
        _decide(ruling, row, place, heard, found, subjective=bool(view.domain[row] == "subjective"))
        if case.kin:
            ruling.marks.setdefault(row, {})[KIN] = None
    ruling.verdicts = list(_lines(case.panel, heard, asked, found))
    ruling.told |= _told(case, heard, asked, found)


def _verified(view: View, rows: Sequence[int]) -> list[bool]:
    """Tell of each row whether a check passed it and none failed it."""
    return [standing(text) == 0 for text in view.data.take(rows, ("checks",)).column("checks").to_pylist()]


def _elsewhere(case: _Case) -> list[Record]:
    """Return the labelled records of the settings' own file that are not in the set."""
    path = case.panel.wanted.records
    if path is None:
        return []
    known, settings = set(case.names), case.panel.settings
    columns = settings.real[0].map if settings.real else {}
    data = read([settings.path(path)], mapping=columns, spool=case.bench.room / "labelled")
    return [record for record in data.records() if record.id in case.human and record.id not in known]


def _refuse_unknown(subset: str, records: Sequence[Record]) -> None:
    """Raise `UsageError` for a subset that no record has: power over all would then pass for power over each."""
    if records and subset not in SUBSETS and not any(subset in record.fields for record in records):
        raise UsageError(
            f"filters.judge.subset is {subset!r}, and no record has a column of that name.",
            f"Give one of {', '.join(SUBSETS)}, or a column of the rows.",
        )


def subset_of(record: Record, name: str) -> str:
    """Return the subset of a record: its generator, family or cell, its domain, or a column of its row."""
    origin = record.provenance
    if name in ("generator", "family"):
        return getattr(origin, name) or origin.origin
    if name == "cell":
        return "-".join(map(str, (origin.cell or {}).values())) or "no cell"
    return domain(record) if name == "domain" else str(record.fields.get(name, ""))


def _calibrations(case: _Case, heard: _Heard) -> dict[str, Calibration]:
    names = [record.id for record in heard.records]
    judged = {name: said.ok for name, said in zip(names, heard.said, strict=True)}
    subsets = dict(zip(names, heard.subsets, strict=True))
    return calibrate(case.human, judged, subsets, case.panel.wanted.min_agreement)


def _trusted(found: Mapping[str, Calibration], subset: str) -> bool:
    return subset in found and found[subset].trusted


def _decide(
    ruling: Ruling, row: int, place: int, heard: _Heard, found: Mapping[str, Calibration], *, subjective: bool
) -> None:
    """Decide one record: suspended and subjective ones are for people, others follow a judge with power over them."""
    said, subset = heard.said[place], heard.subsets[place]
    detail = {"score": said.score, "why": said.reason, "subset": subset}
    if said.reason == SUSPENDED:
        ruling.undecided[row] = (SUSPENDED, {})
    elif subjective:
        ruling.undecided[row] = (SUBJECTIVE, detail)
    elif said.reason == NO_PAIR:
        return
    elif not _trusted(found, subset):
        ruling.marks[row] = {UNCALIBRATED: None}
    elif said.ok:
        ruling.marks[row] = {JUDGE: True}
    else:
        fate = ruling.undecided if said.ok is None else ruling.rejected
        fate[row] = (f"{JUDGE}: {said.reason}" if said.ok is None else JUDGE, detail)


def _lines(panel: Panel, heard: _Heard, asked: Asked, found: Mapping[str, Calibration]) -> Iterator[dict[str, Any]]:
    """Yield every verdict as a row of verdicts.jsonl: each judge's own, and behind them what they say together.

    What has no power is undecided there, with what it said in the evidence. `ms` is 0: answers may come from the
    ledger, and equal runs write equal bytes.
    """
    for place, record in enumerate(heard.records):
        for judge in panel.judges:
            own = asked.verdicts.get(judge.model, {}).get(place, Verdict(None, SUSPENDED))
            if judge.model in asked.suspended:
                own = Verdict(None, SUSPENDED, evidence={"said": own.ok, "score": own.score})
            yield _line(record.id, f"{JUDGE}:{judge.model}", judge.version, own)
        said = heard.said[place]
        if said.ok is not None and not _trusted(found, heard.subsets[place]):
            said = Verdict(None, UNCALIBRATED, said.score, {"said": said.ok, "subset": heard.subsets[place]})
        yield _line(record.id, JUDGE, panel.judges[0].version, said)


def _line(name: str, check: str, version: str, said: Verdict) -> dict[str, Any]:
    told = {"ok": said.ok, "reason": said.reason, "score": said.score, "evidence": dict(said.evidence), "ms": 0.0}
    return {"id": name, "check": check, "version": version, **told}


def _told(case: _Case, heard: _Heard, asked: Asked, found: Mapping[str, Calibration]) -> dict[str, Any]:
    """Return what the manifest says of the judges: canaries, agreement, the error they leave, and their biases."""
    panel, wanted = case.panel, case.panel.wanted
    decided = [heard.said[place].ok for _, place in heard.decidable if heard.said[place].ok is not None]
    whole, passed = found[WHOLE].known, sum(map(bool, decided))
    skilled = bool(decided) and whole.good > 0 and whole.bad > 0 and whole.sensitivity + whole.specificity > 1
    raw = share(passed, len(decided))
    return {
        "judges": {
            name: each | _biases(asked, name) | {"kappa": _alone(case, heard, asked, name)}
            for name, each in asked.to_dict(panel).items()
        },
        **{name: getattr(wanted, name) for name in ("mode", "scale", "pass_at", "subset", "min_agreement")},
        "rubric": panel.rubric,
        "kin": list(case.kin),
        "calibration": {subset: each.to_dict() for subset, each in found.items()},
        "pass_rate": asdict(raw),
        "corrected": asdict(rogan_gladen(passed, len(decided), whole)) if skilled else None,
        "retained_error": asdict(expected_error(passed, len(decided), whole)),
        "leakage": list(_leakages(heard, asked)),
    }


def _alone(case: _Case, heard: _Heard, asked: Asked, name: str) -> dict[str, Any]:
    """Return the agreement of one judge with people over all labelled records, whatever a panel makes of it."""
    own = asked.verdicts.get(name, {})
    said = {record.id: own[place].ok for place, record in enumerate(heard.records) if place in own}
    return asdict(calibrate(case.human, said, {}, case.panel.wanted.min_agreement)[WHOLE].kappa)


def _biases(asked: Asked, name: str) -> dict[str, Any]:
    """Return how often a judge kept its verdict when the sides were swapped, and its length-controlled win rate."""
    said = [each for each in asked.verdicts.get(name, {}).values() if "forward" in each.evidence]
    if len(said) < 3:
        return {}
    forward, swapped, longer = ([each.evidence[key] for each in said] for key in ("forward", "swapped", "longer"))
    wins = [each.score or 0.0 for each in said]
    return {
        "position": asdict(position_consistency(forward, swapped)),
        "length_controlled": asdict(length_controlled(wins, longer)),
    }


def _leakages(heard: _Heard, asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the preference leakage of each pairing of two judges with two generators; passing is winning.

    Which judge is whose is not known, so that each pairing is told once, the way in which it is positive.
    """
    places: dict[str, list[int]] = {}
    for _, place in heard.decidable:
        maker = heard.records[place].provenance.generator
        if maker:
            places.setdefault(maker, []).append(place)
    makers = sorted(name for name, found in places.items() if len(found) >= LEAST_LEAKAGE)
    judges = [name for name in asked.verdicts if name not in asked.suspended]
    for one, other in permutations(judges, 2):
        for at, first in enumerate(makers):
            for second in makers[at + 1 :]:
                own, others = (
                    [[float(asked.verdicts[judge][place].ok is True) for place in places[maker]] for judge in order]
                    for maker, order in ((first, (one, other)), (second, (other, one)))
                )
                found = preference_leakage(own, others)
                if (found.value or 0.0) > 0:
                    yield {"pairs": {one: first, other: second}, "score": asdict(found)}


def marked_with(table: pa.Table, first: int, marks: Mapping[int, Mapping[str, bool | None]]) -> pa.Table:
    """Return a shard's records, whose first is `first`, with the marks of those that have any added to their checks."""
    texts = table.column("checks").to_pylist()
    for place, text in enumerate(texts):
        if own := marks.get(first + place):
            texts[place] = orjson.dumps({**(orjson.loads(text) if text else {}), **own}).decode()
    return table.set_column(table.schema.get_field_index("checks"), "checks", pa.array(texts, pa.string()))
