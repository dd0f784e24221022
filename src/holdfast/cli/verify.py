"""Check records mechanically: pass, fail or undecided, each with a reason.

Without --checks each record is routed by its data. What nothing can verify stays undecided.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.options import Files, Json, Mapping, Out, mapping
from holdfast.verifiers import code, code_strength
from holdfast.workflows.verify import VerifyOptions, verify_files


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast verify`."""

    files: Files
    out: Out = Path("verified")
    checks: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Comma-separated: code, code-strength, math, or your module:function."),
    ] = ""
    map: Mapping = None
    unsafe_no_sandbox: Annotated[
        bool,
        typer.Option("--unsafe-no-sandbox", help="Run programs also where there is no sandbox; verdicts say so."),
    ] = False
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Verify and say what became of the records; exit 1 when none is kept."""
    # Every verdict given so says `sandbox: none`.
    code.check.unsafe = code_strength.check.unsafe = given.unsafe_no_sandbox
    checks = tuple(name.strip() for name in given.checks.split(",") if name.strip())
    with screen.progress(quiet=given.quiet) as progress:
        manifest = verify_files(given.files, given.out, VerifyOptions(checks, mapping(given.map), progress))
    screen.done(manifest, given.out, as_json=given.json)
    return 0 if manifest.counts.kept else 1
