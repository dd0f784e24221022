"""generate: records for every cell until its quota of accepted ones is met, in deterministic rounds.

Each round hands out work in the order of cells and generators, makes or asks, checks and decides, and is committed
whole by rename. Everything a round depends on follows from the rounds before it and from the answers in the ledger, so
that a run killed at any moment and started again writes the same bytes, and pays for nothing that it has. Accepted
means: all checks passed, nothing held out, and not an exact duplicate; near-duplicates are the filter's business.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain, zip_longest
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

from holdfast import __version__
from holdfast.core.durable import remove
from holdfast.core.engine import LocalRunner, Runner, name_of
from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.files import digest_of, whole_file
from holdfast.core.reader import read
from holdfast.core.record import Record
from holdfast.core.rundir import MANIFEST, Counts, Manifest, only_writer, read_manifest, write_json
from holdfast.core.runners import runner_of
from holdfast.core.scratch import scratch
from holdfast.core.settings import Settings
from holdfast.dedup.seal import NAME as SEAL
from holdfast.models.desk import Desk, open_desk
from holdfast.models.line import Tally
from holdfast.workflows.cells import quotas
from holdfast.workflows.gaps import find_gaps, gap_quotas, shared_out
from holdfast.workflows.making import Maker, fate_of
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.rounds import FOLDER, RESULTS, Line, Rounds, State, sections
from holdfast.workflows.sources import Streamed
from holdfast.workflows.targeting import cell_report, spent, tasks
from holdfast.workflows.writers import is_writer

STATE = "state.json"
FILES_OF_GENERATORS = ("template", "answer_schema", "seeds", "documents", "personas")
# Failures that another time may not meet: a call without an answer, whatever was tried.
PASSING = ("provider-error", "throttled", "timeout", "connection", "malformed")
PROVIDER_FAULTS = "Run the same command again to ask for them once more: answers that are there are not paid for twice."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a run is, for whoever looks on: (accepted, wanted) per cell; (made, accepted, cap) per generator.

    `tally` counts what went to models since the command began; it is None where none is called.
    """

    cells: Mapping[str, tuple[int, int]]
    generators: Mapping[str, tuple[int, int, int]]
    tally: Tally | None = None


Look = Callable[[Snapshot], None]


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """`more` extends a finished run by that many accepted records, with `gaps` where the synthetic part is thin.

    `redo` decides anew after a change of settings, from the answers that are there.

    `look` is shown a snapshot after each round, and about twice a second while models are asked. `runner` makes the
    records of our own procedural generators; without it that of the settings. Models are never asked by a runner.
    """

    more: int = 0
    gaps: bool = False
    redo: bool = False
    look: Look | None = None
    runner: Runner | None = None


def generate(settings: Settings, out: Path, options: GenerateOptions = GenerateOptions()) -> Manifest:
    """Write kept.jsonl, rejected.jsonl, undecided.jsonl, failed.jsonl, verdicts.jsonl and manifest.json into `out`.

    A folder with an unfinished run of the same settings is resumed. Raises `StoppedError` when the budget of money or
    time is used up or a provider is away, after writing what there is; `UsageError` for settings that cannot be meant
    or a folder that holds another run.
    """
    recipe, end = Recipe.of(settings), deadline(settings)
    with only_writer(out), ExitStack() as stack:
        rounds = Rounds(out)
        kept = _prepared(recipe, rounds, options)
        cells = quotas(settings.cells, kept["more"], folder=settings.path(Path()))
        gaps = {gap["name"]: gap["seeds"] for gap in kept["gaps"]}
        recipe = replace(recipe, quotas=(*cells, *gap_quotas(kept["gaps"])), gaps=gaps)
        runner = options.runner or runner_of(settings.runner)
        run = _Run(recipe, rounds, rounds.restore(), options.look, end, stack, runner)
        return run.to_the_end()


def preview(settings: Settings, count: int, out: Path) -> list[tuple[Record, str, str]]:
    """Return `count` records as (record, fate, reason): what a run in `out` would begin with.

    Nothing is written but the ledger, where models are asked, so that the run pays for none of it again.
    """
    recipe = Recipe.of(settings)
    with ExitStack() as stack:
        if recipe.models:
            stack.enter_context(only_writer(out))
        run = _Run(recipe, Rounds(out), State(), None, deadline(settings), stack)
        return run.shown(count)


@dataclass(slots=True)
class _Run:
    """One command at work: the recipe, the rounds so far, and the desk once a model is asked."""

    recipe: Recipe
    rounds: Rounds
    state: State
    look: Look | None
    end: float | None
    stack: ExitStack
    runner: Runner = field(default_factory=LocalRunner)
    _desk: Desk | None = None

    def desk(self) -> Desk:
        """Open the desk, or return it where it is open."""
        if self._desk is None:
            look = None if self.look is None else self._shown
            opened = open_desk(self.recipe.settings, self.rounds.out, self.recipe.models, self.end, look)
            self._desk = self.stack.enter_context(opened)
        return self._desk

    @property
    def maker(self) -> Maker:
        """What makes the rounds."""
        recipe = self.recipe
        parts = (recipe.settings, recipe.sources, recipe.quotas, recipe.checks)
        return Maker(*parts, self.desk, index=recipe.materials.index(), gaps=recipe.gaps, runner=self.runner)

    def to_the_end(self) -> Manifest:
        """Make rounds until nothing is wanted or nothing can be had; write the results."""
        maker = self.maker
        while wanted := tasks(self.recipe, self.state):
            if self.end is not None and monotonic() >= self.end:
                raise self._stopped(
                    StoppedError(
                        f"The time of the budget is over at {self._done()}.", "Run it again to go on.", "budget"
                    ),
                    [],
                    0,
                )
            made = maker.round(self.state, wanted)
            why = None if self._desk is None else self._desk.stopped
            if why is not None:
                raise self._stopped(why, made.lines, made.pending)
            for task, lines in zip(wanted, made.lines, strict=True):
                if reason := spent(self.recipe, self.state, task, lines):
                    self.state.spent[task.source, task.cell] = reason
                for line in lines:
                    self.state.add(line)
            self.rounds.commit(self.state, [line for lines in made.lines for line in lines])
            self._shown()
        manifest = self._finished([], 0)
        if not manifest.ok and any(self.state.reasons[reason] for reason in PASSING):
            what = f"{manifest.counts.failed:,} of {manifest.counts.given:,} records failed, and the set is short."
            raise StoppedError(f"{what} {dict(self.state.reasons)}", PROVIDER_FAULTS)
        return manifest

    def _done(self) -> str:
        return f"{sum(self.state.of_source.values()):,} of {self.recipe.total:,} accepted records"

    def shown(self, count: int) -> list[tuple[Record, str, str]]:
        """Return what the first round would begin with, one of each task in turn, with fates."""
        # A few records to look at are asked for one by one, rather than in a batch that may take a day.
        maker, wanted = replace(self.maker, batch=False), tasks(self.recipe, self.state)
        most = ceil(count / max(1, len(wanted)))
        # A short preview shows every generator and cell it can, and asks models for no more than it shows.
        made = maker.made(self.state, [replace(task, most=min(task.most, most)) for task in wanted])[0]
        if self._desk is not None and self._desk.stopped is not None:
            raise self._desk.stopped
        looked = iter(maker.looked_at([each for several in made for each in several]))
        found = [[(maker.placed(task, each), *fate_of(each)) for each in [next(looked) for _ in several]]
                 for task, several in zip(wanted, made, strict=True)]  # fmt: skip
        return [each for turn in zip_longest(*found) for each in turn if each is not None][:count]

    def _shown(self, tally: Tally | None = None) -> None:
        """Show whoever looks on how far the run is."""
        if self.look is None:
            return
        recipe, state = self.recipe, self.state
        cells = {quota.name: (state.of_cell[cell], quota.wanted) for cell, quota in enumerate(recipe.quotas)}
        generators = {
            source.name: (_drawn(state, number), state.of_source[number], recipe.limit(number))
            for number, source in enumerate(recipe.sources)
        }
        self.look(Snapshot(cells, generators, tally or (self._desk.tally if self._desk else None)))

    def _stopped(self, why: BaseException, lines: Sequence[Sequence[Line]], pending: int) -> BaseException:
        """Write the results with what the interrupted round has, but do not commit it: it is made again, whole.

        So a run that was stopped and goes on ends in the same bytes as one that never was.
        """
        rest = [line for several in lines for line in several]
        for line in rest:
            self.state.add(line)
        self._finished(rest, pending, why)
        return why

    def _finished(self, rest: Sequence[Line], pending: int, why: BaseException | None = None) -> Manifest:
        """Write the result files from the committed rounds and `rest`, the manifest last."""
        out, state, recipe = self.rounds.out, self.state, self.recipe
        more = sections(rest)
        files = {name: f"{name}.jsonl" for name in RESULTS if name != "failed" or state.fates["failed"]}
        for name, file in files.items():
            with whole_file(out / file) as whole:
                for part in chain(self.rounds.results(name, state.rounds), [more[name]]):
                    whole.write(part)
        for name in RESULTS:
            # What failed before this run and no longer does is not to be read as a part of it.
            if name not in files and (stale := out / f"{name}.jsonl").exists():
                remove(stale)
        stop = "" if why is None else _stop_name(why)
        cells = {quota.name: cell_report(recipe, state, cell, stop) for cell, quota in enumerate(recipe.quotas)}
        fates = state.fates
        given = Counts(
            fates.total() + pending, fates["kept"], fates["rejected"], fates["undecided"], fates["failed"], pending
        )
        manifest = Manifest(
            "generate",
            given,
            ok=all(cell["stopped_by"] == "quota" for cell in cells.values()),
            reasons=state.reasons,
            files=files,
            settings_digest=recipe.settings.digest,
            seeds={"generate": recipe.settings.seed},
            runner=name_of(self.runner),
            more={
                "cells": cells,
                "generators": self._generators(),
                "rounds": state.rounds,
                "leaks": dict(sorted(state.leaks.items())),
                "held_out_materials": recipe.materials.held_out,
                **self._models(),
                **({"stopped": str(why) or "interrupted"} if why is not None else {}),
            },
        )
        manifest.write(out)
        return manifest

    def _generators(self) -> dict[str, Any]:
        state = self.state
        return {
            source.name: {
                "made": _drawn(state, number),
                "accepted": state.of_source[number],
                "cap": self.recipe.limit(number),
                "cost_of_answers": state.cost.get(number, 0.0),
                "cost_per_accepted": state.cost.get(number, 0.0) / (state.of_source[number] or 1),
            }
            for number, source in enumerate(self.recipe.sources)
        }

    def _models(self) -> dict[str, Any]:
        """Return what went to models in the whole life of the folder, which answered, and what they ignored."""
        if not self.recipe.models:
            return {}
        ledger = self.desk().ledger
        ignored: dict[str, dict[str, int]] = {}
        for told, count in sorted(self.state.ignored.items()):
            model, _, parameter = told.rpartition(": ")
            ignored.setdefault(model, {})[parameter] = count
        return {
            "usage": ledger.usage(),
            "unsettled": ledger.unsettled(),
            "served": dict(self.state.served),
            "ignored": ignored,
        }


def _drawn(state: State, source: int) -> int:
    return sum(count for (each, _), count in state.drawn.items() if each == source)


def _stop_name(why: BaseException) -> str:
    """Return in one word why a run was stopped, for the cells that fell short by it."""
    return "interrupt" if isinstance(why, KeyboardInterrupt) else getattr(why, "why", "fault")


def _prepared(recipe: Recipe, rounds: Rounds, options: GenerateOptions) -> dict[str, Any]:
    """Return what this folder's run is extended by in all (`more`, `gaps`), once it is known to be of these settings.

    A finished run whose set is short because of a provider is made again from the ledger, which asks only for what
    has no answer yet.
    """
    path = rounds.out / FOLDER / STATE
    mine = {"recipe": recipe_digest(recipe.settings), "code": __version__}
    known: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {**mine, "more": 0, "gaps": []}
    if {key: known[key] for key in mine} != mine and not options.redo:
        remedy = "Choose another --out, or --redo to decide anew from the answers that are paid for."
        raise UsageError(f"{rounds.out} holds a run of other generators, cells, checks or seed.", remedy)
    manifest = read_manifest(rounds.out)
    if (options.more or options.gaps) and (manifest is None or "stopped" in manifest):
        raise UsageError(f"{rounds.out} holds no finished run to extend.", "Run it to the end without --more first.")
    aims = _aims(recipe, rounds.out, options.more) if options.gaps else []
    unanswered = manifest is not None and not manifest["ok"] and any(name in manifest["reasons"] for name in PASSING)
    if options.more or options.redo or (manifest is not None and not manifest["ok"]):
        # Without its manifest the folder is an unfinished run, so that a killed extension is not extended twice.
        remove(rounds.out / MANIFEST)
    if options.redo or unanswered:
        rounds.clear()
    more = 0 if options.gaps else options.more
    known |= {**mine, "gaps": known["gaps"] + aims, "more": known["more"] + more}
    write_json(path, known)
    return known


def _aims(recipe: Recipe, out: Path, more: int) -> list[dict[str, Any]]:
    """Return the gaps of a finished run with the records wanted for each. Raises `UsageError` where none is seen."""
    if not any(not isinstance(source, Streamed) and source.uses_seeds for source in recipe.sources):
        what = "No generator of the settings starts from real seeds, so that none can aim at a gap among them."
        raise UsageError(what, "Add one: {use: evol, model: ...}, or shots: 3 to a prompt.")
    real = recipe.materials.real()
    with scratch() as folder:
        made = tuple(read([out / "kept.jsonl"], spool=folder, mapping=recipe.columns).records())
    found = find_gaps(real, made, recipe.settings.audit.encoder, recipe.settings.seed)
    if not found or not more:
        if not found:
            raise UsageError("No gap is seen: no cluster of the real data is missed.", "Give --more without --gaps.")
        what = f"Gaps are seen ({len(found)}), and no records are asked for them."
        raise UsageError(what, "Give --more N with --gaps, on a finished run.")
    return [gap.to_dict(wanted) for gap, wanted in zip(found, shared_out(found, more), strict=True)]


def recipe_digest(settings: Settings) -> str:
    """Return a digest of what generation depends on, so that another mix, price or limit does not begin it anew.

    Files that generators name (templates, seeds, schemas) are part of it by their content, and where models write so is
    the seal, whose training side they start from.
    """
    wanted = {"seed", "generators", "cells", "checks", "translation"}
    values = settings.model_dump(mode="json", include=wanted)
    models = {
        name: model.model_dump(mode="json", include={"model", "family", "extra_body"})
        for name, model in settings.models.items()
    }
    paths = [getattr(entry, name) for entry in settings.generators for name in FILES_OF_GENERATORS]
    paths += [
        settings.cells.taxonomy,
        settings.reserve.out / SEAL if any(map(is_writer, settings.generators)) else None,
    ]
    files = [digest_of(settings.path(path)) for path in paths if path is not None and settings.path(path).is_file()]
    columns = settings.real[0].map if settings.real else {}
    whole = [values, models, files, columns, settings.filters.privacy]
    return blake2b(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def deadline(settings: Settings) -> float | None:
    """Return when the time of the budget is over, on the clock of `monotonic`; it is such as 30s, 20m or 4h."""
    text = settings.budget.time
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", text)
    if match is None:
        raise UsageError(f"budget.time is {text!r}.", "Write a number and a unit: 90s, 30m, 4h or 2d.")
    return monotonic() + float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
