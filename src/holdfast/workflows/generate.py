"""generate: records for every cell until its quota of accepted ones is met, in deterministic rounds.

Each round hands out work in the order of cells and generators, makes, checks and decides it, and is committed whole
by rename. Everything a round depends on follows from the rounds before it, so that a run killed at any moment and
started again writes the same bytes. Accepted means: all checks passed and not an exact duplicate; near-duplicates
and held-out text are the filter's business. Models are not called here yet (generators with `use: prompt`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import blake2b
from itertools import islice, zip_longest
from math import ceil, floor
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

from holdfast import __version__
from holdfast.core.dataset import table_of
from holdfast.core.engine import Progress
from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.reading.provenance import HOLDFAST
from holdfast.core.record import Record
from holdfast.core.rundir import MANIFEST, Counts, Manifest, only_writer, read_manifest, write_bytes, write_json
from holdfast.core.settings import Settings
from holdfast.core.shapes import nested_of
from holdfast.core.writer import REASON, write_lines
from holdfast.workflows.cells import Quota, quotas
from holdfast.workflows.checking import NO_CHECK, Fate, Judged, NamedCheck, decide_all, find_checks, judge
from holdfast.workflows.sources import Source, sources

ROUNDS, STATE = ".rounds", "state.json"
# Records made per cell and round. Small enough that a kill costs little, large enough that a round is not all commit.
PER_CELL = 500
# A generator is saturated for a cell when, of at least this many records in a round, fewer than this share is new and
# accepted: more of the same would not help.
SATURATION_SAMPLE, SATURATION_SHARE = 20, 0.05
DUPLICATE = "exact-duplicate"
# Two to four generators of different families share the work (mission G4); fewer needs an accepted risk of this name.
FEWEST, WAIVER = 2, "generator-concentration"


@dataclass(slots=True)
class State:
    """Everything the next round depends on; it is rebuilt from the committed rounds."""

    rounds: int = 0
    positions: dict[tuple[int, int], int] = field(default_factory=dict)
    accepted: Counter[tuple[int, int]] = field(default_factory=Counter)
    drawn: Counter[tuple[int, int]] = field(default_factory=Counter)
    spent: dict[tuple[int, int], str] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)

    def of_source(self, source: int) -> int:
        """Return how many records of a source are accepted."""
        return sum(count for (each, _), count in self.accepted.items() if each == source)

    def of_cell(self, cell: int) -> int:
        """Return how many records of a cell are accepted."""
        return sum(count for (_, each), count in self.accepted.items() if each == cell)

    def yielded(self, source: int, cell: int) -> float:
        """Return the share of a generator's records for a cell that were accepted so far, kept off zero."""
        key = (source, cell)
        return max(SATURATION_SHARE, (self.accepted[key] + 1) / (self.drawn[key] + 1))

    def add(self, line: Mapping[str, Any]) -> None:
        """Take one committed line into account."""
        key = (line["source"], line["cell"])
        if "spent" in line:
            self.spent[key] = line["spent"]
            return
        self.positions[key] = line["next"]
        self.drawn[key] += 1
        self.fates[line["fate"]] += 1
        self.seen.add(_content(line["row"][HOLDFAST]["digest"]))
        if line["fate"] == "kept":
            self.accepted[key] += 1
        else:
            self.reasons[line["reason"]] += 1


@dataclass(frozen=True, slots=True)
class Task:
    """What one round asks of one generator for one cell: accepted records wanted, and the most it may make."""

    source: int
    cell: int
    want: int
    most: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings resolved: generators, cells with quotas, checks, the columns to write."""

    settings: Settings
    sources: tuple[Source, ...]
    quotas: tuple[Quota, ...]
    checks: tuple[NamedCheck, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Recipe":
        """Resolve every name in the settings, so that a mistake is found before any work."""
        found = sources(settings)
        if len(found) < FEWEST and WAIVER not in {risk.rule for risk in settings.accepted_risks}:
            remedy = f"Add a generator, or accept the risk {WAIVER} with reason, owner and date."
            raise UsageError(f"One generator ({found[0].name}) would make the whole set.", remedy)
        return cls(settings, found, quotas(settings.cells), find_checks(settings.checks, settings))

    @property
    def total(self) -> int:
        """Return how many accepted records are wanted in all."""
        return sum(quota.wanted for quota in self.quotas)

    def limit(self, source: int) -> int:
        """Return how many accepted records a generator may have under its cap."""
        return floor(Fraction(str(self.sources[source].cap)) * self.total)


def generate(settings: Settings, out: Path, *, more: int = 0, progress: Progress | None = None) -> Manifest:
    """Write kept.jsonl, rejected.jsonl, undecided.jsonl, verdicts.jsonl and manifest.json into `out`.

    A folder with an unfinished run of the same settings is resumed; `more` extends a finished one by that many
    accepted records. Raises `StoppedError` when the time of the budget is over, `UsageError` for settings that
    cannot be meant or a folder that holds another run.
    """
    recipe, end = Recipe.of(settings), deadline(settings)
    with only_writer(out):
        recipe = replace(recipe, quotas=quotas(settings.cells, _total_more(settings, out, more)))
        state = _restored(out)
        while tasks := _tasks(recipe, state):
            if end is not None and monotonic() >= end:
                done = sum(state.accepted.values())
                raise StoppedError(f"The time of the budget is over at {done} of {recipe.total} accepted records.")
            _round(recipe, state, tasks, out)
            if progress is not None:
                progress("generate", sum(state.accepted.values()), recipe.total)
        return _finish(recipe, state, out)


def preview(settings: Settings, count: int) -> list[tuple[Record, str, str]]:
    """Return `count` records as (record, fate, reason) without writing anything: what a run would begin with."""
    recipe, state = Recipe.of(settings), State()
    made = [[record for _, record in _made(recipe, state, task)] for task in _tasks(recipe, state)]
    # One of each task in turn, so that a short preview shows every generator and cell it can.
    records = [record for turn in zip_longest(*made) for record in turn if record is not None][:count]
    verdicts = judge(recipe.checks, records, settings)
    return [(record, *decide_all(judged)) for record, judged in zip(records, verdicts, strict=True)]


def _total_more(settings: Settings, out: Path, more: int) -> int:
    """Return how many records this folder's run is extended by in all, after checking that it is of these settings."""
    path = out / ROUNDS / STATE
    mine = {"recipe": _digest(settings), "code": __version__}
    known: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {**mine, "more": 0}
    if {key: known[key] for key in mine} != mine:
        raise UsageError(f"{out} holds a run of other generators, cells, checks or seed.", "Choose another --out.")
    if more and read_manifest(out) is None:
        raise UsageError(f"{out} holds no finished run to extend.", "Run it to the end without --more first.")
    if more:
        # Without its manifest the folder is an unfinished run, so that a killed extension is not extended twice.
        (out / MANIFEST).unlink()
    write_json(path, {**known, "more": known["more"] + more})
    return int(known["more"]) + more


def _digest(settings: Settings) -> str:
    """Return a digest of what generation depends on, so that another mix or audit does not begin it anew."""
    values = settings.model_dump(
        mode="json", include={"seed", "generators", "cells", "checks", "translation", "models"}
    )
    columns = settings.real[0].map if settings.real else {}
    return blake2b(orjson.dumps([values, columns], option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _restored(out: Path) -> State:
    state = State()
    while (path := _round_path(out, state.rounds)).exists():
        for line in _read(path):
            state.add(line)
        state.rounds += 1
    return state


def _round_path(out: Path, number: int) -> Path:
    return out / ROUNDS / f"round-{number:06d}.jsonl"


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for line in lines:
            yield orjson.loads(line)


def deadline(settings: Settings) -> float | None:
    """Return when the time of the budget is over, on the clock of `monotonic`; it is such as 30s, 20m or 4h."""
    text = settings.budget.time
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", text)
    if match is None:
        raise UsageError(f"budget.time is {text!r}.", "Write a number and a unit: 90s, 30m, 4h or 2d.")
    return monotonic() + float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _tasks(recipe: Recipe, state: State) -> list[Task]:
    """Share what each cell still lacks among the generators that can serve it and are under their caps."""
    left = {number: recipe.limit(number) - state.of_source(number) for number in range(len(recipe.sources))}
    tasks = []
    for cell, quota in enumerate(recipe.quotas):
        missing = min(quota.wanted - state.of_cell(cell), PER_CELL)
        able = [number for number in left if left[number] > 0 and (number, cell) not in state.spent]
        for place, number in enumerate(sorted(able, key=lambda number: state.accepted[number, cell])):
            want = min(ceil(missing / (len(able) - place)), left[number])
            if want > 0:
                tasks.append(Task(number, cell, want, ceil(want / state.yielded(number, cell))))
                left[number] -= want
                missing -= want
    return tasks


def _made(recipe: Recipe, state: State, task: Task) -> list[tuple[int, Record]]:
    """Return up to `task.most` records of one task, each with the position after it."""
    source, quota = recipe.sources[task.source], recipe.quotas[task.cell]
    start = state.positions.get((task.source, task.cell), 0)
    return list(islice(source.records(recipe.settings.seed, quota.cell, start), task.most))


def _round(recipe: Recipe, state: State, tasks: Sequence[Task], out: Path) -> None:
    """Make, check, decide and commit one round; then take it into account."""
    made = [_made(recipe, state, task) for task in tasks]
    verdicts = iter(judge(recipe.checks, [record for records in made for _, record in records], recipe.settings))
    seen = set(state.seen)
    lines: list[dict[str, Any]] = []
    for task, records in zip(tasks, made, strict=True):
        judged = [next(verdicts) for _ in records]
        own = _decided(recipe, task, records, judged, seen)
        lines += own
        if reason := _spent(task, len(records), own):
            lines.append({"source": task.source, "cell": task.cell, "spent": reason})
    write_bytes(_round_path(out, state.rounds), b"".join(orjson.dumps(line, default=str) + b"\n" for line in lines))
    for line in lines:
        state.add(line)
    state.rounds += 1


def _decided(
    recipe: Recipe,
    task: Task,
    made: Sequence[tuple[int, Record]],
    verdicts: Sequence[Sequence[Judged]],
    seen: set[int],
) -> list[dict[str, Any]]:
    """Return the committed form of a task's records, up to the one that meets what was wanted of it.

    Records made beyond that one are dropped as if never made: their positions are not used up.
    """
    chosen: list[tuple[int, Record, Fate, str, Sequence[Judged]]] = []
    kept = 0
    for (position, record), judged in zip(made, verdicts, strict=True):
        if kept == task.want:
            break
        fate, reason = decide_all(judged)
        if fate == "kept" and _content(record.digest) in seen:
            fate, reason = "rejected", DUPLICATE
        seen.add(_content(record.digest))
        kept += fate == "kept"
        placed = _placed(recipe, task, record, {each.check: each.verdict.ok for each in judged})
        chosen.append((position, placed, fate, reason, judged))
    rows = _rows(recipe.settings, [record for _, record, *_ in chosen])
    return [
        {
            "source": task.source,
            "cell": task.cell,
            "next": position,
            "fate": fate,
            "reason": reason,
            "row": row,
            # No durations: equal runs write equal bytes.
            "verdicts": [{**each.to_dict(record.id), "ms": None} for each in judged],
        }
        for (position, record, fate, reason, judged), row in zip(chosen, rows, strict=True)
    ]


def _placed(recipe: Recipe, task: Task, record: Record, checks: Mapping[str, bool | None]) -> Record:
    """Return the record with its verdicts, and with origin, generator and cell even where its maker gave none."""
    made = record.provenance
    provenance = replace(
        made,
        origin="synthetic" if made.origin == "unknown" else made.origin,
        generator=made.generator or recipe.sources[task.source].name,
        cell=made.cell or recipe.quotas[task.cell].cell or None,
    )
    known = {name: ok for name, ok in checks.items() if name != NO_CHECK}
    return replace(record, provenance=provenance, checks={**record.checks, **known})


def _rows(settings: Settings, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return records as rows in the columns of the real data, with the nested `holdfast` column behind."""
    columns = settings.real[0].map if settings.real else {}
    prompt, response = columns.get("prompt", "prompt"), columns.get("response", "response")
    rows = []
    for record, full in zip(records, table_of(records).to_pylist(), strict=True):
        texts = {"id": record.id, prompt: record.prompt, response: record.response}
        others = {name: value for name, value in record.fields.items() if name not in texts}
        rows.append({**texts, **others, HOLDFAST: nested_of(full)})
    return rows


def _spent(task: Task, made: int, lines: Sequence[Mapping[str, Any]]) -> str:
    """Say why a generator has nothing more for a cell: no records left, or hardly any new and accepted."""
    kept = sum(line["fate"] == "kept" for line in lines)
    if made < task.most and kept < task.want:
        return "exhausted" if made else "not-served"
    return "saturated" if len(lines) >= SATURATION_SAMPLE and kept < SATURATION_SHARE * len(lines) else ""


def _content(digest: str) -> int:
    return int(digest, 16)


def _finish(recipe: Recipe, state: State, out: Path) -> Manifest:
    """Write the result files from the committed rounds, the manifest last."""
    files = {"kept": "kept.jsonl", "rejected": "rejected.jsonl", "undecided": "undecided.jsonl"}
    for fate, name in files.items():
        write_lines(out / name, (orjson.dumps(_result(line)) for line in _all(out, state) if line["fate"] == fate))
    files["verdicts"] = "verdicts.jsonl"
    verdicts = (orjson.dumps(said) for line in _all(out, state) for said in line["verdicts"])
    write_lines(out / files["verdicts"], verdicts)
    cells = {quota.name: _cell(recipe, state, number) for number, quota in enumerate(recipe.quotas)}
    manifest = Manifest(
        "generate",
        Counts(state.fates.total(), state.fates["kept"], state.fates["rejected"], state.fates["undecided"]),
        ok=all(cell["stopped_by"] == "quota" for cell in cells.values()),
        reasons=state.reasons,
        files=files,
        settings_digest=recipe.settings.digest,
        seeds={"generate": recipe.settings.seed},
        more={"cells": cells, "generators": _generators(recipe, state), "rounds": state.rounds},
    )
    manifest.write(out)
    return manifest


def _all(out: Path, state: State) -> Iterator[dict[str, Any]]:
    for number in range(state.rounds):
        yield from (line for line in _read(_round_path(out, number)) if "row" in line)


def _result(line: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = line["row"]
    return row if line["fate"] == "kept" else {**row, REASON: line["reason"]}


def _cell(recipe: Recipe, state: State, cell: int) -> dict[str, Any]:
    quota, accepted = recipe.quotas[cell].wanted, state.of_cell(cell)
    spent = [state.spent.get((number, cell)) for number in range(len(recipe.sources))]
    if accepted >= quota:
        stopped = "quota"
    elif set(spent) == {"not-served"}:
        stopped = "no-generator"
    else:
        # A generator that still had records was stopped by its cap; else the last word of those that served it.
        stopped = (
            "cap" if None in spent else max(filter(None, spent), key=("not-served", "exhausted", "saturated").index)
        )
    return {"quota": quota, "accepted": accepted, "stopped_by": stopped}


def _generators(recipe: Recipe, state: State) -> dict[str, Any]:
    found = {}
    for number, source in enumerate(recipe.sources):
        drawn = sum(count for (each, _), count in state.drawn.items() if each == number)
        found[source.name] = {"made": drawn, "accepted": state.of_source(number), "cap": recipe.limit(number)}
    return found
