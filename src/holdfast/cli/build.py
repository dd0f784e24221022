"""Reserve, generate, verify, filter, mix and audit: from settings to a training set with its report.

Killed at any moment, the same command goes on and ends in the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.judge_lines import judge_lines
from holdfast.cli.options import DEFAULT_SETTINGS, Json, SettingsFile, Where
from holdfast.core.runners import chosen
from holdfast.core.settings import load
from holdfast.report.terminal import show
from holdfast.workflows.build import Built, build


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast build`."""

    settings: SettingsFile = None
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the run; default .holdfast/NAME.")] = None
    runner: Where = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Build, and end with the exit code of the audit."""
    with screen.progress(quiet=given.quiet) as progress:
        settings = load(given.settings or DEFAULT_SETTINGS)
        runner = chosen(given.runner, settings.runner)
        built = build(settings, given.out, runner=runner, progress=progress)
    if given.json:
        screen.result(orjson.dumps(dict(built.manifest), option=orjson.OPT_INDENT_2).decode())
    else:
        show(built.report)
        for name, cell in built.short.items():
            screen.result(
                f"short: {name or 'the set'} has {cell['accepted']:,} of {cell['quota']:,} ({cell['stopped_by']})"
            )
        for line in judge_lines(built.manifest.get("judging") or {}):
            screen.result(line)
        screen.result(_where(built))
    return built.exit


def _where(built: Built) -> str:
    counts, files = built.manifest["counts"], built.manifest["files"]
    return (
        f"\n{counts['kept']:,} records in the training set, {counts['rejected']:,} rejected with reasons\n"
        f"training set  {built.folder / files['train']}\n"
        f"card          {built.folder / files['card']}\n"
        f"report        {built.folder / files['report']}"
    )
