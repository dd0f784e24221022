"""Check records mechanically: pass, fail or undecided, each with a reason.

Without --checks each record is routed by its data. What nothing can verify stays undecided.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Counts
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli import screen
from holdfast.cli.options import Files, Json, Mapping, Out, SettingsFile, Where, mapping
from holdfast.core.runners import runner_of
from holdfast.core.settings import load
from holdfast.workflows.checking import BUILTIN, NO_CHECK
from holdfast.workflows.verify import WORDS, VerifyOptions, verify_files


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast verify`."""

    files: Files
    out: Out = Path("verified")
    checks: Annotated[
        str,
        typer.Option(metavar="NAMES", help=f"Comma-separated: {', '.join(BUILTIN)}, or your own module:function."),
    ] = ""
    settings: SettingsFile = None
    map: Mapping = None
    unsafe_no_sandbox: Annotated[
        bool,
        typer.Option("--unsafe-no-sandbox", help="Run programs also where there is no sandbox; verdicts say so."),
    ] = False
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes that judge, each its own part.")] = 1
    runner: Where = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Verify and say what became of the records; exit 1 when none is kept."""
    named = tuple(name.strip() for name in given.checks.split(",") if name.strip())
    settings = load(given.settings) if given.settings else None
    checks = named or (settings.checks if settings else ())
    with screen.progress(quiet=given.quiet) as progress:
        how = (given.workers, given.unsafe_no_sandbox, progress, runner_of(given.runner) if given.runner else None)
        options = VerifyOptions(checks, mapping(given.map), settings, *how)
        manifest = verify_files(given.files, given.out, options)
    screen.done(manifest, given.out, as_json=given.json)
    if not given.json:
        for line in funnel(manifest.more):
            screen.result(line)
    return 0 if manifest.counts.kept else 1


def funnel(more: Counts[str, Any]) -> Iterator[str]:
    """Yield a line per check, with what it said of how many records, and one for what nothing could verify."""
    for name, counts in more["checks"].items():
        if name != NO_CHECK:
            said = ", ".join(f"{counts[word]:,} {word}" for word in WORDS.values() if word in counts)
            yield f"{name}: {said}"
    if more["unverifiable"]:
        domains = ", ".join(f"{count:,} {name}" for name, count in more["unverifiable"].items())
        yield f"no verifier: {domains}"
