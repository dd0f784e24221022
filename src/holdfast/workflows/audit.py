"""audit: one verdict on any data set, with evidence. Needs no recipe.

Reads the files, asks every rule, and returns a Report. What a rule could not judge is said, with what to supply.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from holdfast import __version__
from holdfast.core import plugins
from holdfast.core import settings as core_settings
from holdfast.core.dataset import Dataset
from holdfast.core.engine import Progress, Runner
from holdfast.core.errors import HoldfastError, UsageError, nearest
from holdfast.core.reader import describe, read
from holdfast.core.reading.mixtures import mixture_of
from holdfast.core.runners import runner_of
from holdfast.core.scratch import scratch
from holdfast.core.settings import Settings, Student
from holdfast.core.verdict import SEVERITIES, Finding, NotJudged, Outcome, Passed
from holdfast.dedup.seal import NAME as SEAL
from holdfast.dedup.seal import open_held_out
from holdfast.metrics.anchor import LOWER_IS_WORSE
from holdfast.report.report import Report
from holdfast.rules import catalogue
from holdfast.rules.view import View
from holdfast.workflows.compare import compared, read_report
from holdfast.workflows.drawn import drawn
from holdfast.workflows.pictures import pictures

Paths = str | Path | Sequence[str | Path]
# The rules that have something to say of a set without records.
ABOUT_INPUT = ("empty-input", "bad-input", "no-held-out", "accepted-risk-expired")
FailOn = Literal["error", "warning", "note", "never"]
Badness = tuple[int, float]


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How to read and how to report. `evidence` 0 lists all of it; `sample` 0 reads everything.

    `mapping` names columns of the data, `real_mapping` those of the anchor; the settings name their own. `encoder` and
    `runner` go before those of the settings. `compare` is an earlier report to hold this one against, `baseline` one to
    be forgiven.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    real_mapping: Mapping[str, str] = field(default_factory=dict)
    sample: int = 0
    max_bad: int = 0
    evidence: int = 100
    fail_on: FailOn | None = None
    baseline: Path | None = None
    compare: Path | None = None
    encoder: str | None = None
    runner: Runner | None = None
    progress: Progress | None = None


def audit(
    data: Paths,
    *,
    real: Paths | None = None,
    eval: Paths | None = None,  # noqa: A002  # the public name of this argument is fixed by the architecture
    student: str | None = None,
    settings: Settings | str | Path | None = None,
    options: AuditOptions = AuditOptions(),
) -> Report:
    """Audit files against every rule and return the report. Writes nothing.

    `real` is the anchor, `eval` a held-out file or sealed folder, `student` the model that will be trained. The mixture
    settings of another tool are audited as the records it draws (`core.reading.mixtures`).
    Raises `HoldfastError` when an input or a setting cannot be used at all; single bad lines are quarantined.
    """
    chosen = _settings(settings, student, options.encoder)
    with scratch() as folder:
        view = _view(data, real, eval, chosen, options, folder)
        report = _report(view, list(_outcomes(view)), options)
        report = replace(report, pictures=pictures(view))
    if options.compare is None:
        return report
    told = compared(report, read_report(options.compare))
    return replace(report, pictures={**report.pictures, "compared": told})


def _settings(given: Settings | str | Path | None, student: str | None, encoder: str | None) -> Settings:
    chosen = given if isinstance(given, Settings) else core_settings.load(given) if given else Settings()
    if encoder is not None:
        chosen = chosen.model_copy(update={"audit": chosen.audit.model_copy(update={"encoder": encoder})})
    if student is None:
        return chosen
    known = chosen.student or Student(name=student)
    return chosen.model_copy(update={"student": known.model_copy(update={"name": student})})


def _view(
    data: Paths, real: Paths | None, held_out: Paths | None, chosen: Settings, options: AuditOptions, folder: Path
) -> View:
    anchor = real or [chosen.path(entry.path) for entry in chosen.real]
    columns = options.real_mapping if real or not chosen.real else chosen.real[0].map
    sealed = chosen.path(chosen.reserve.out)
    evaluation = held_out or (sealed if (sealed / SEAL).exists() else None)
    records = _records(_paths(data), options, _room(folder, "data"))
    return View(
        data=records,
        settings=chosen,
        runner=options.runner or runner_of(chosen.runner),
        spool=_room(folder, "stages"),
        real=read(_paths(anchor), mapping=columns, spool=_room(folder, "real"), origin="real") if anchor else None,
        held_out=open_held_out(_paths(evaluation), _room(folder, "eval")) if evaluation else None,
        sampled=records.rows < sum(item.records for item in records.inputs),
        max_bad=options.max_bad,
        evidence_limit=options.evidence,
        progress=options.progress,
    )


def _records(paths: list[Path], options: AuditOptions, room: Path) -> Dataset:
    """Read the files, or what the mixture of another tool draws from where the one file describes that."""
    mixture = mixture_of(paths[0]) if len(paths) == 1 else None
    if mixture is not None:
        if options.mapping or options.sample:
            raise UsageError(f"{paths[0]} is a mixture of files.", "Leave --map and --sample out, or name the files.")
        return drawn(mixture, room, options.progress)
    sample = options.sample or None
    return read(paths, mapping=options.mapping, sample=sample, spool=room, progress=options.progress)


def _outcomes(view: View) -> Iterator[Outcome]:
    for slug in selected(view.settings):
        rule = catalogue.module(slug)
        if view.n == 0 and slug not in ABOUT_INPUT:
            yield NotJudged(slug, "there is no record", "a file with records")
            continue
        for outcome in rule.check(view):
            yield replace(outcome, source=outcome.source or rule.SOURCE) if isinstance(outcome, Finding) else outcome
    for name in view.settings.audit.rules:
        yield from _own(name, view)


def selected(chosen: Settings) -> list[str]:
    """Return the slugs of the built-in rules that run. Raises `UsageError` for one that does not exist."""
    wanted = catalogue.SLUGS if chosen.audit.select == "all" else chosen.audit.select
    for slug in (*wanted, *chosen.audit.ignore):
        if slug not in catalogue.SLUGS:
            raise UsageError(f"There is no rule {slug!r}.", nearest(slug, catalogue.SLUGS))
    return [slug for slug in catalogue.SLUGS if slug in wanted and slug not in chosen.audit.ignore]


def _own(name: str, view: View) -> Iterator[Outcome]:
    rule = plugins.find("rules", name, {})
    try:
        yield from rule(view)
    except HoldfastError:
        raise
    except Exception as error:  # noqa: BLE001  # a user's rule may raise anything; its fault is never a verdict
        yield NotJudged(name, f"the rule raised {type(error).__name__}: {error}", "a mended rule")


def _report(view: View, outcomes: list[Outcome], options: AuditOptions) -> Report:
    found = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
    open_findings, accepted = _accepted(found, view.settings)
    fail_on = options.fail_on or view.settings.audit.fail_on
    known = _known(options.baseline)
    blocking = [finding for finding in open_findings if _blocks(finding, fail_on, known)]
    ranked = sorted(open_findings, key=lambda finding: -SEVERITIES.index(finding.severity))
    measured = [entry for entry in outcomes if isinstance(entry, Finding | Passed) and entry.measurement is not None]
    return Report(
        ok=not blocking,
        exit=int(bool(blocking)),
        counts={"records": view.n, "quarantined": len(view.data.quarantine)},
        inputs=tuple(_inputs(view.data)),
        measurements={entry.rule: entry.measurement for entry in measured if entry.measurement},
        findings=tuple(ranked),
        not_judged=tuple(outcome for outcome in outcomes if isinstance(outcome, NotJudged)),
        accepted=tuple(accepted),
        manifest=_manifest(view, options, fail_on, known),
    )


def _inputs(data: Dataset) -> list[dict[str, Any]]:
    return [asdict(item) for item in data.inputs]


def _accepted(found: list[Finding], chosen: Settings) -> tuple[list[Finding], list[dict[str, Any]]]:
    today = datetime.now(UTC).date()
    risks = {risk.rule: risk for risk in chosen.accepted_risks if risk.until >= today}
    accepted = [
        {**risks[finding.rule].model_dump(mode="json"), "message": finding.message, "severity": finding.severity}
        for finding in found
        if finding.rule in risks
    ]
    return [finding for finding in found if finding.rule not in risks], accepted


def _blocks(finding: Finding, fail_on: FailOn, known: Mapping[str, Badness]) -> bool:
    if fail_on == "never" or SEVERITIES.index(finding.severity) < SEVERITIES.index(fail_on):
        return False
    return finding.rule not in known or _badness(finding) > known[finding.rule]


def _badness(finding: Finding) -> Badness:
    """How bad a finding is, for comparison with the same finding of a baseline: severity, then value or evidence."""
    measured = finding.measurement
    amount = float(finding.evidence_total)
    if measured is not None and measured.value is not None:
        amount = -measured.value if measured.detail.get("direction") == LOWER_IS_WORSE else measured.value
    return SEVERITIES.index(finding.severity), amount


def _known(baseline: Path | None) -> dict[str, Badness]:
    """Return the findings of an earlier report: they block again only when they got worse."""
    if baseline is None:
        return {}
    return {finding.rule: _badness(finding) for finding in read_report(baseline).findings}


def _manifest(view: View, options: AuditOptions, fail_on: FailOn, known: Mapping[str, Badness]) -> dict[str, Any]:
    return {
        "verb": "audit",
        "code_version": __version__,
        "settings_digest": view.settings.digest,
        "seeds": {"settings": view.settings.seed},
        "student": view.student,
        "fail_on": fail_on,
        "sample": options.sample or None,
        "detected": describe(view.data).splitlines(),
        "rules": selected(view.settings),
        "baseline": sorted(known),
        "anchor": _inputs(view.real) if view.real else [],
        "held_out": _inputs(view.held_out.data) if view.held_out else [],
    }


def _paths(given: Paths) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def _room(folder: Path, name: str) -> Path:
    room = folder / name
    room.mkdir()
    return room
