"""Make synthetic records, cell by cell, until every quota of accepted records is met or nothing more can be had.

Killed at any moment, the same command goes on and ends in the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import generation, screen
from holdfast.cli.options import DEFAULT_SETTINGS, Json, Out, SettingsFile, Where
from holdfast.core.record import Record
from holdfast.core.runners import chosen
from holdfast.core.settings import load
from holdfast.workflows.generate import GenerateOptions, generate, preview


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast generate`."""

    settings: SettingsFile = None
    out: Out = Path("generated")
    preview: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show N records with verdicts and write nothing.")
    ] = 0
    more: Annotated[int, typer.Option(min=0, metavar="N", help="Extend a finished run by N accepted records.")] = 0
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Aim --more N at what the real data have and the set misses.")
    ] = False
    redo: Annotated[
        bool, typer.Option("--redo", help="Decide anew with changed settings, from the answers there are.")
    ] = False
    log: Annotated[bool, typer.Option("--log", help="Write progress as lines, as for CI.")] = False
    runner: Where = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Generate, or preview; exit 1 when a cell fell short."""
    settings = load(given.settings or DEFAULT_SETTINGS)
    if given.preview:
        _show(preview(settings, given.preview, given.out), as_json=given.json)
        return 0
    with generation.shown(quiet=given.quiet, log=given.log) as look:
        runner = chosen(given.runner, settings.runner)
        manifest = generate(settings, given.out, GenerateOptions(given.more, given.gaps, given.redo, look, runner))
    screen.done(manifest, given.out, as_json=given.json)
    if not given.json:
        for cell, state in manifest.more["cells"].items():
            if state["stopped_by"] != "quota":
                screen.result(f"short: {cell} has {state['accepted']:,} of {state['quota']:,} ({state['stopped_by']})")
    return 0 if manifest.ok else 1


def _show(made: list[tuple[Record, str, str]], *, as_json: bool) -> None:
    if as_json:
        names = ("id", "prompt", "response", "fate", "reason")
        rows = [(record.id, record.prompt, record.response, fate, reason) for record, fate, reason in made]
        screen.result(
            orjson.dumps({"version": 1, "records": [dict(zip(names, row, strict=True)) for row in rows]}).decode()
        )
        return
    for record, fate, reason in made:
        screen.result(
            f"--- {record.id}  {fate}{f' ({reason})' if reason else ''}\n{record.prompt}\n\n{record.response}"
        )
