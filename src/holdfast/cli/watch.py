"""Watch a run: does variety fall, or the perplexity of other real text rise, while in-distribution measures hold?

FILE is a metric log (one JSON object per check), or records: with --text a step column says which check each belongs
to, with --window N every N outputs are one. Later steps are held against the first. Exit code 1 is an alarm.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.options import Json, pairs
from holdfast.core.errors import UsageError
from holdfast.core.rundir import write_bytes
from holdfast.report import evidence
from holdfast.stats.alarm import BUDGET, AlarmOptions, Check
from holdfast.workflows.hooks import call_webhook, check_command, check_webhook, run_command
from holdfast.workflows.monitor import Watched
from holdfast.workflows.watch import WatchOptions, watch


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast watch`."""

    file: Annotated[Path, typer.Argument(metavar="FILE", help="A metric log (JSONL), or records in any format.")]
    step: Annotated[str, typer.Option(metavar="COLUMN", help="Where the step is.")] = "step"
    text: Annotated[str, typer.Option(metavar="COLUMN", help="Where the text of a record is: FILE holds records.")] = ""
    window: Annotated[
        int, typer.Option(min=0, metavar="N", help="FILE holds outputs in time order: N of them are a step.")
    ] = 0
    start: Annotated[
        str,
        typer.Option("--from", metavar="STEP", help="The step that later ones are held against. Default: the first."),
    ] = ""
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only rows with this value. Repeatable.")
    ] = None
    decoding: Annotated[
        str, typer.Option(metavar="COLUMN", help="Where a record's sampling settings are; a change is BLIND.")
    ] = ""
    ood: Annotated[Path | None, typer.Option(metavar="FILE", help="Real text from elsewhere, never trained on.")] = None
    id: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Real text like the training data, never trained on.")
    ] = None
    anchor: Annotated[Path | None, typer.Option(metavar="FILE", help="Real text whose words and themes must last.")] = (
        None
    )
    budget: Annotated[
        float, typer.Option(min=1, metavar="CHECKS", help="Mean number of checks between false alarms.")
    ] = BUDGET
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more lines; end at the first alarm.")] = False
    idle: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="With --follow: end after so long without news. 0: never.")
    ] = 0.0
    on_alarm: Annotated[str, typer.Option(metavar="COMMAND", help="Run this at an alarm, the result on its stdin.")] = (
        ""
    )
    webhook: Annotated[
        str, typer.Option(metavar="URL", help="POST the result there at an alarm; this machine only.")
    ] = ""
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the evidence as one offline page.")] = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="With --follow: no line per check.")] = False


def run(given: Options) -> int:
    """Watch, print, call the hooks at an alarm, and return 1 for an alarm, else 0."""
    if given.html is not None and not given.html.resolve().parent.is_dir():
        raise UsageError(f"{given.html} cannot be written: there is no folder {given.html.parent}.", "Make it first.")
    if given.html is not None and given.html.is_dir():
        raise UsageError(f"{given.html} cannot be written: it is a folder.", "Name a file, as evidence.html.")
    if given.on_alarm:
        check_command(given.on_alarm)
    if given.webhook:
        check_webhook(given.webhook)
    watched = watch(given.file, _options(given))
    data = watched.to_dict()
    if given.html is not None:
        write_bytes(given.html, evidence.page(data, given.file.name).encode())
        screen.note(f"evidence: {given.html}")
    if watched.exit:
        _alarm(given, watched)
    screen.result(watched.to_json() if given.json else "\n".join(evidence.lines(data)))
    return watched.exit


def _options(given: Options) -> WatchOptions:
    return WatchOptions(
        step=given.step,
        text=given.text,
        decoding=given.decoding,
        window=given.window,
        first=given.start,
        where=pairs(given.where, "--where"),
        anchor=given.anchor,
        ood=given.ood,
        id=given.id,
        follow=given.follow,
        idle=given.idle,
        alarm=AlarmOptions(given.budget),
        on_check=None if given.quiet or not given.follow else _told,
    )


def _told(check: Check) -> None:
    evidences = ", ".join(f"{name} {value:.2g}" for name, value in check.e.items() if name in evidence.CHANNELS)
    screen.note(f"step {check.step}: {check.state} ({evidences})")


def _alarm(given: Options, watched: Watched) -> None:
    """Call the hooks; what fails is said and changes nothing."""
    body = watched.to_json().encode()
    said = [run_command(given.on_alarm, body)] if given.on_alarm else []
    said += [call_webhook(given.webhook, body)] if given.webhook else []
    for text in filter(None, said):
        screen.note(f"note: {text}")
