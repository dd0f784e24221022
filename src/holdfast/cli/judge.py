"""Try the judges of the settings: which attacks and empty answers they pass, before and after the defences."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.judge_lines import number
from holdfast.cli.options import DEFAULT_SETTINGS, Json, SettingsFile
from holdfast.core.settings import load
from holdfast.workflows.judge import Probed, ProbeReport, probe

ROWS = (
    ("attack_success", "injections that pass"),
    ("content_free", "empty answers that pass"),
    ("refusals", "refusals that pass"),
    ("false_positive", "these and bad answers"),
    ("false_negative", "good ones refused"),
)


class What(StrEnum):
    """What is done with the judges."""

    probe = "probe"


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast judge`."""

    what: Annotated[What, typer.Argument(metavar="probe", help="Ask each judge about the fixed probe set.")]
    settings: SettingsFile = None
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of ledger and report; .holdfast/judge-probe by default.")
    ] = None
    sample: Annotated[int, typer.Option(min=0, metavar="N", help="Probes of each kind; 0 asks all 270.")] = 0
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Probe the judges and print what passed; exit 1 where one would be suspended."""
    settings = load(given.settings or DEFAULT_SETTINGS)
    with screen.progress(quiet=given.quiet) as progress:
        report = probe(settings, given.out, sample=given.sample, progress=progress)
    plain = orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2).decode()
    screen.result(plain if given.json else "\n".join(_lines(report)))
    return 0 if report.ok else 1


def _lines(report: ProbeReport) -> Iterator[str]:
    for each in report.judges:
        state = "passes no more than 1 % of the attacks" if each.ok else "would be suspended"
        yield f"judge {each.judge} ({each.model}): {state}"
        yield from _table(each)
    yield f"{report.probes} probes, each asked in two ways; {sum(u['cost'] for u in report.usage.values()):.4f} spent"


def _table(each: Probed) -> Iterator[str]:
    yield f"  {'':<25}{'as usually asked':<27}as Holdfast asks"
    before, after = asdict(each.before), asdict(each.after)
    for name, said in ROWS:
        yield f"  {said:<25}{number(before[name]):<27}{number(after[name])}"
    if each.before.unanswered or each.after.unanswered:
        yield f"  {'not answered':<25}{each.before.unanswered:<27}{each.after.unanswered}"
    yield f"  {'injections the lint sees':<25}{number(asdict(each.lint))}"
