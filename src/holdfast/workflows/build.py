"""build: reserve, generate, verify, filter, mix, audit. The main job, from settings to a training set with a report.

Each step writes into a folder of its own under the run and is deterministic; generation commits round by round.
Killed at any moment and started again, a build ends in the same bytes. A finished build of the same settings and
inputs is not done again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from holdfast import __version__
from holdfast.core.dataset import Input
from holdfast.core.engine import Progress, Runner, name_of
from holdfast.core.errors import UsageError
from holdfast.core.files import digest_of
from holdfast.core.reader import read
from holdfast.core.reading.formats import detect
from holdfast.core.reading.inputs import find_inputs
from holdfast.core.rundir import (
    MANIFEST,
    Counts,
    Manifest,
    only_writer,
    read_manifest,
    write_bytes,
)
from holdfast.core.runners import runner_of
from holdfast.core.scratch import scratch
from holdfast.core.settings import Filters, Real, Settings
from holdfast.dedup.seal import NAME as SEAL
from holdfast.report.facts import Facts
from holdfast.report.report import Report
from holdfast.workflows.audit import AuditOptions, audit
from holdfast.workflows.filter import FilterOptions, filter_files
from holdfast.workflows.generate import GenerateOptions, generate
from holdfast.workflows.mix import mixed
from holdfast.workflows.mix_options import MixOptions, generator_of
from holdfast.workflows.ood import asked_for, named, rule_of
from holdfast.workflows.parts import judges_of
from holdfast.workflows.plan import refuse_unsupported
from holdfast.workflows.publish import CARD, CROISSANT, publish
from holdfast.workflows.reserve import ReserveOptions, reserve
from holdfast.workflows.ruling import refuse_related
from holdfast.workflows.run_pictures import run_pictures
from holdfast.workflows.sources import sources

PLACES = {"generate": "generated", "filter": "filtered", "mix": "dataset"}
# Rows looked at to find out what columns the real data have.
SAMPLE = 1_000
# What the manifest of a build repeats of its held-out set.
HELD_OUT = ("eval", "train", "smallest_drop", "power", "ood")


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: its manifest, its report, and its folder."""

    folder: Path
    manifest: Mapping[str, Any]
    report: Report

    @property
    def short(self) -> dict[str, Mapping[str, Any]]:
        """The cells that fell short of their quota, with what stopped them."""
        return {name: cell for name, cell in self.manifest["cells"].items() if cell["stopped_by"] != "quota"}

    @property
    def exit(self) -> int:
        """The exit code: that of the audit, and 1 where the set is short."""
        return self.report.exit or int(bool(self.short))


def build(
    settings: Settings, out: Path | None = None, *, runner: Runner | None = None, progress: Progress | None = None
) -> Built:
    """Build the training set that the settings describe into `out` (default `.holdfast/NAME` beside the settings).

    `runner` goes before that of the settings. Raises `UsageError` for settings that cannot be built,
    `StoppedError` when a budget ends the run.
    """
    refuse_unsupported(settings)
    refuse_related(settings)
    folder = out or settings.path(Path(".holdfast") / settings.name)
    with only_writer(folder):
        how = (runner or runner_of(settings.runner), progress)
        return _finished(settings, folder) or _build(settings, with_columns(settings), folder, how)


def _finished(settings: Settings, folder: Path) -> Built | None:
    """Return the build in `folder` when it is finished, of these settings, and its inputs are unchanged."""
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    mine = (settings.digest, __version__)
    read_then = [item["digest"] for item in manifest["inputs"]]
    if (manifest["settings_digest"], manifest["code_version"]) != mine or read_then != _digests(settings):
        raise UsageError(f"{folder} holds a build of other settings, data or version.", "Choose another --out or name.")
    if manifest.get("judged_by", {}) != _judged_by(settings):
        return None  # people said more since then, or the rubric is another: all is there but what follows from it
    return Built(folder, manifest, Report.from_dict(orjson.loads((folder / "report.json").read_bytes())))


def with_columns(settings: Settings) -> Settings:
    """Return the settings with the columns of the real data named, so that generated rows have the same ones.

    Raises `UsageError` where the real rows are not prompt and response and the training set would have two shapes.
    """
    entry = settings.real[0]
    if {"prompt", "response"} <= set(entry.map):
        return settings
    with scratch() as room:
        data = read([settings.path(each.path) for each in settings.real], mapping=entry.map, spool=room / "real")
        sample = data.take(range(min(SAMPLE, data.rows)), ("fields",)).column("fields").to_pylist()
    layout = detect([orjson.loads(text) for text in sample], entry.map)
    if len(layout.prompt) == 1 and layout.response:
        columns = {**entry.map, "prompt": layout.prompt[0], "response": layout.response}
        return settings.model_copy(update={"real": tuple(_named(each, columns) for each in settings.real)})
    if settings.mix.format == "own":
        raise UsageError(
            f"The real data are {layout.shape}, what is generated is prompt and response.",
            "Set mix.format (messages, alpaca, sharegpt or text), so that the training set has one shape.",
        )
    return settings


def _named(entry: Real, columns: dict[str, str]) -> Real:
    return entry.model_copy(update={"map": columns})


def _build(asked: Settings, settings: Settings, folder: Path, how: tuple[Runner, Progress | None]) -> Built:
    runner, progress = how
    columns = settings.real[0].map
    sealed = _reserve(settings)
    train = next(iter(sorted(sealed.glob("train.*"))))
    made = generate(settings, folder / "generated", GenerateOptions(runner=runner))
    files = [train, folder / "generated" / made.files["kept"]]
    options = FilterOptions(
        _filters(settings),
        (sealed,),
        mapping=columns,
        seed=settings.seed,
        settings=settings,
        spent=sum(each["cost"] for each in made.more.get("usage", {}).values()),
        runner=runner,
        progress=progress,
    )
    kept = filter_files(files, folder / "filtered", options)
    mixture = _mix(settings, folder, folder / "filtered" / kept.files["kept"], (sealed, runner))
    dataset = folder / "dataset" / mixture.files["train"]
    written = columns if settings.mix.format == "own" else {}
    reading = AuditOptions(mapping=written, real_mapping=columns, runner=runner, progress=progress)
    report = audit(dataset, real=train, eval=sealed, settings=settings, options=reading)
    drawn = run_pictures(folder, {maker["name"]: maker["records"] for maker in _makers(report)})
    report = replace(report, pictures={**report.pictures, **drawn})
    manifest = replace(_manifest(asked, sealed, [made, kept, mixture], report), runner=name_of(runner))
    _publish(settings, folder, dataset, manifest, report)
    return Built(folder, manifest.to_dict(), report)


def _makers(report: Report) -> list[Mapping[str, Any]]:
    makers: list[Mapping[str, Any]] = report.pictures.get("lineage", {}).get("generators", [])
    return makers


def _reserve(settings: Settings) -> Path:
    """Return the sealed folder of these settings; make it where it is not finished, refuse one of other data."""
    sealed, ood = settings.path(settings.reserve.out), asked_for(settings)
    if (sealed / SEAL).exists() and (sealed / MANIFEST).exists():
        known = read_manifest(sealed) or {}
        far = known.get("ood", {}).get("of")
        if [item["digest"] for item in known["inputs"]] != _digests(settings) or far != (ood and named(ood)):
            remedy = "Name another folder in reserve.out; a seal is never overwritten."
            raise UsageError(f"{sealed} is sealed for other real data.", remedy)
        return sealed
    reserved = settings.reserve
    options = ReserveOptions(
        reserved.eval,
        reserved.group_by,
        reserved.strata,
        reserved.detect,
        reserved.power,
        settings.seed,
        settings.real[0].map,
        ood,
    )
    reserve([settings.path(entry.path) for entry in settings.real], sealed, options)
    return sealed


def _filters(settings: Settings) -> Filters:
    """Return the filters with their paths seen from here."""
    wanted = settings.filters.novelty
    if wanted is None:
        return settings.filters
    found = wanted.model_copy(update={"against": tuple(settings.path(path) for path in wanted.against)})
    return settings.filters.model_copy(update={"novelty": found})


def _mix(settings: Settings, folder: Path, kept: Path, how: tuple[Path, Runner]) -> Manifest:
    sealed, runner = how
    wanted = settings.mix
    options = MixOptions(
        max_synthetic=wanted.max_synthetic,
        by=wanted.by,
        caps=_caps(settings),
        strata=wanted.strata,
        weights=wanted.weights,
        per_stratum=wanted.per_stratum,
        size=wanted.size,
        real_epochs=wanted.real_epochs,
        previous=settings.path(wanted.previous) if wanted.previous else None,
        choose=wanted.choose,
        order=wanted.order,
        held_out=(sealed,),
        seed=settings.seed,
        shape=wanted.format,
        runner=runner,
    )
    with scratch() as room, only_writer(folder / "dataset"):
        data = read([kept], mapping=settings.real[0].map, spool=room / "all")
        return mixed(data, folder / "dataset", options, room)


def _caps(settings: Settings) -> dict[str, float]:
    """Return the largest share of each generator as records name it; two entries of one model share what they may."""
    caps: dict[str, float] = {}
    for source in sources(settings):
        name = generator_of(source.generator)
        caps[name] = min(1.0, caps.get(name, 0.0) + source.cap)
    return caps


def _digests(settings: Settings) -> list[str]:
    ood = asked_for(settings)
    beside = [Path(ood)] if ood is not None and rule_of(ood) is None else []
    found = find_inputs([*(settings.path(entry.path) for entry in settings.real), *beside])
    return [digest_of(each.path) for each in found]


def _manifest(settings: Settings, sealed: Path, steps: list[Manifest], report: Report) -> Manifest:
    """Return the run's manifest: the counts of the whole, every step's counts and reasons, and what was read."""
    reserved = read_manifest(sealed) or {}
    made, kept, mixture = steps
    given = made.counts.given + kept.counts.given - made.counts.kept
    rejected = made.counts.rejected + kept.counts.rejected + mixture.counts.rejected
    counts = Counts(
        given,
        mixture.counts.kept,
        rejected,
        made.counts.undecided + kept.counts.undecided,
        failed=made.counts.failed + kept.counts.failed + mixture.counts.failed,
        pending=made.counts.pending,
    )
    return Manifest(
        "build",
        counts,
        ok=report.ok and made.ok,
        reasons=Counter(made.reasons) + Counter(kept.reasons) + Counter(mixture.reasons),
        files={
            "train": f"dataset/{mixture.files['train']}",
            "card": f"dataset/{CARD}",
            "croissant": f"dataset/{CROISSANT}",
            "report": "report.html",
            **{f"rejected-{step}": f"{place}/rejected.jsonl" for step, place in PLACES.items()},
        },
        settings_digest=settings.digest,
        inputs=tuple(Input(**item) for item in reserved["inputs"]),
        seeds={"settings": settings.seed},
        more={
            "held_out": {name: reserved[name] for name in HELD_OUT if name in reserved},
            "steps": {step.verb: {"counts": step.counts.to_dict(), "reasons": dict(step.reasons)} for step in steps},
            "cells": made.more.get("cells", {}),
            **{name: mixture.more[name] for name in ("made_of", "previous") if name in mixture.more},
            "licences": _licences(settings, mixture),
            "unlicensed": 0 if all(each.licence for each in settings.real) else mixture.more["unlicensed"],
            "parts": judges_of(settings) + mixture.more["parts"],
            "judging": _judging(kept),
            "judged_by": _judged_by(settings),
            "models": _models(settings, made, kept, mixture),
        },
    )


def _licences(settings: Settings, mixture: Manifest) -> list[str]:
    """Return the licences of the real data as the settings name them, and those that records name."""
    return sorted({entry.licence for entry in settings.real if entry.licence} | set(mixture.more["licences"]))


def _judged_by(settings: Settings) -> dict[str, str]:
    """Return the digests of what the judge is told and held against; none without a judge."""
    wanted = settings.filters.judge
    paths = {"rubric": wanted.rubric, "labels": wanted.labels, "records": wanted.records} if wanted else {}
    found = {name: settings.path(path) for name, path in paths.items() if path is not None}
    return {name: digest_of(path) for name, path in found.items() if path.is_file()}


def _judging(kept: Manifest) -> dict[str, Any]:
    """Return what people and judges said, without the bill, which stands with those of the generators."""
    return {name: told for name, told in kept.more.get("judging", {}).items() if name != "usage"}


def _models(settings: Settings, made: Manifest, kept: Manifest, mixture: Manifest) -> dict[str, Any]:
    """Return which models answered, what was asked of them, and what a synthetic record that is kept cost."""
    usage = _added(made.more.get("usage", {}), kept.more.get("judging", {}).get("usage", {}))
    if not usage:
        return {}
    cost = sum(each["cost"] for each in usage.values())
    left = mixture.more["made_of"]["synthetic"]
    told = {"cost": cost, "cost_per_kept": cost / (left or 1), "currency": settings.budget.currency}
    return {"usage": usage, "served": made.more.get("served", {}), **told}


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the usage of two ledgers by model, counts and costs of a model in both added."""
    both = {name: {**one.get(name, {})} for name in dict.fromkeys([*one, *other])}
    for name, used in other.items():
        both[name] = {key: both[name].get(key, 0) + value for key, value in used.items()}
    return both


def _publish(settings: Settings, folder: Path, dataset: Path, manifest: Manifest, report: Report) -> None:
    """Write report, card and Croissant; the manifest last, so that a folder with one is a finished build."""
    write_bytes(folder / "report.json", report.to_json().encode())
    report.to_html(folder / "report.html")
    report.to_sarif(folder / "report.sarif")
    publish(dataset.parent, _facts(settings, dataset, manifest), manifest.to_dict(), report)
    manifest.write(folder)


def _facts(settings: Settings, dataset: Path, manifest: Manifest) -> Facts:
    """Return what the card says beyond manifest and report."""
    steps, held_out = manifest.more["steps"], manifest.more["held_out"]
    made = steps["generate"]["counts"]
    checks = dict.fromkeys(settings.checks, f"{made['kept']:,} of {made['in']:,} generated records accepted")
    reasons = steps["filter"]["reasons"]
    checks |= {name: f"{count:,} records removed" for name, count in reasons.items()}
    said = f"{held_out['eval']:,} real records were sealed before anything was generated. They notice a drop of "
    notices = f"{said}{held_out['smallest_drop'] * 100:.1f} points or more with {held_out.get('power', 0.8):.0%} power."
    far = held_out.get("ood")
    beside = f" Beside them {far['records']:,} records of another register ({far['of']}) were sealed." if far else ""
    return Facts(
        name=settings.name,
        licences=tuple(manifest.more["licences"]),
        unlicensed=manifest.more["unlicensed"],
        files=(dataset,),
        made_of=manifest.more["made_of"],
        checks=checks,
        held_out=notices + beside,
        command="holdfast build -c holdfast.yaml",
    )
