"""Audit FILES against every rule: ratio, lineage, duplicates, contamination, diversity, privacy and more.

Works on any file without a recipe. What could not be judged is said, with what to supply.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.options import FailOn, Files, Json, Mapping, SettingsFile, Where, mapping
from holdfast.core.errors import UsageError
from holdfast.core.runners import runner_of
from holdfast.report.report import Report
from holdfast.report.terminal import show
from holdfast.workflows.audit import AuditOptions, audit


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast audit`."""

    files: Files
    real: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Real data to compare with, the anchor.")] = (
        None
    )
    eval: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Held-out file, or a folder made by reserve.")
    ] = None
    student: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the model that will be trained on this.")
    ] = None
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoder of what rests on vectors, as minilm.")
    ] = None
    settings: SettingsFile = None
    map: Mapping = None
    json: Json = False
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as one offline page.")] = None
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write SARIF 2.1.0 for code scanning.")] = None
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier --json: only what got worse stops.")
    ] = None
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier --json: show what changed since.")
    ] = None
    fail_on: Annotated[FailOn | None, typer.Option(help="Lowest severity that ends with exit code 1.")] = None
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Read only N records, drawn by seed. 0 reads all.")
    ] = 0
    max_bad: Annotated[int, typer.Option(min=0, metavar="N", help="How many unreadable lines are tolerated.")] = 0
    evidence: Annotated[int, typer.Option(min=0, metavar="N", help="Evidence rows per finding. 0 lists all.")] = 100
    runner: Where = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Audit, print, write what was asked for, and return the exit code."""
    for path in (given.html, given.sarif):
        if path is not None and not path.resolve().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}.", "Make it first.")
    with screen.progress(quiet=given.quiet) as progress:
        report = audit(
            given.files,
            real=given.real,
            eval=given.eval,
            student=given.student,
            settings=given.settings,
            options=AuditOptions(
                mapping=mapping(given.map),
                sample=given.sample,
                max_bad=given.max_bad,
                evidence=given.evidence,
                fail_on=given.fail_on.value if given.fail_on else None,
                baseline=given.baseline,
                compare=given.compare,
                encoder=given.encoder,
                runner=runner_of(given.runner) if given.runner else None,
                progress=progress,
            ),
        )
    _write(given, report)
    if given.json:
        screen.result(report.to_json())
    else:
        show(report)
    return report.exit


def _write(given: Options, report: Report) -> None:
    if given.html:
        report.to_html(given.html)
        screen.note(f"report: {given.html}")
    if given.sarif:
        report.to_sarif(given.sarif)
        screen.note(f"SARIF: {given.sarif}")
