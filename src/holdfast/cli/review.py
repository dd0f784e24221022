"""Ask people in the browser, blind and by keyboard; each answer is saved at once.

With --agreement say how far raters agree with each other and with a judge; with --import and --export exchange labels
with Argilla and Label Studio.
"""

import os
import sys
import webbrowser
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json, Mapping, mapping
from holdfast.core.errors import UsageError
from holdfast.web.review import ROUTES, Pages, refused
from holdfast.web.security import Gate
from holdfast.web.server import application, listen, serve
from holdfast.workflows.review import SAMPLE, Desk, ReviewOptions, review


class Format(StrEnum):
    """Other tools whose labels are read and written."""

    argilla = "argilla"
    label_studio = "label-studio"


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast review`."""

    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILES", help="Records, or with --import what another tool wrote.")
    ] = None
    pairs: Annotated[bool, typer.Option("--pairs", help="Ask which of two answers to one prompt is better.")] = False
    labels: Annotated[Path, typer.Option(metavar="FILE", help="Where labels are kept, one a line.")] = Path(
        "labels.jsonl"
    )
    rater: Annotated[str, typer.Option(metavar="NAME", help="Who labels; without it the page asks.")] = ""
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port on this machine; 0 is a free one.")] = 0
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False
    rubric: Annotated[Path | None, typer.Option(metavar="FILE", help="Text that says what is asked for.")] = None
    scale: Annotated[int, typer.Option(metavar="N", help="Steps of the scale; 2 asks good or bad.")] = 2
    sample: Annotated[int, typer.Option(min=0, metavar="N", help="How many to ask about; 0 is all.")] = SAMPLE
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="verdicts.jsonl of judges: ask first where they doubt or differ."),
    ] = None
    adjudicate: Annotated[bool, typer.Option("--adjudicate", help="Show where raters differ; this label decides.")] = (
        False
    )
    map: Mapping = None
    agreement: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Say how far the raters of these labels agree, and end.")
    ] = None
    judge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --agreement: verdicts.jsonl of judges to hold against it.")
    ] = None
    import_: Annotated[
        Format | None,
        typer.Option("--import", metavar="FORMAT", help="Add another tool's labels to --labels, and end."),
    ] = None
    export: Annotated[
        Format | None, typer.Option(metavar="FORMAT", help="Print the labels as another tool reads them, and end.")
    ] = None
    json: Json = False


def run(given: Options) -> int:
    """Serve the page until interrupted, or do what was asked for instead."""
    if not given.files:
        raise UsageError("There is nothing to label: no file was given.", "holdfast review FILE, or --agreement FILE.")
    options = ReviewOptions(
        given.pairs, given.scale, given.sample, given.rubric, given.verdicts, given.adjudicate, mapping(given.map)
    )
    with review(given.files, given.labels, options) as desk:
        _serve(given, desk)
    return 0


def _serve(given: Options, desk: Desk) -> None:
    listening = listen(given.port)
    gate = Gate(listening.getsockname()[1], ROUTES)
    app = application(gate, Pages(desk, gate, given.rater), refused)
    told = {"address": gate.address, "labels": str(desk.path), "items": len(desk.items), "found": desk.found}
    screen.result(orjson.dumps(told).decode() if given.json else gate.address)
    sys.stdout.flush()
    what = "pairs" if given.pairs else "records"
    screen.note(f"{len(desk.items):,} of {desk.found:,} {what}; labels go to {desk.path}. Ctrl-C ends.")
    if not given.no_browser and _has_screen():
        webbrowser.open(gate.address)
    try:
        serve(app, listening)
    except KeyboardInterrupt:
        pass
    finally:
        screen.note(f"{len(desk.labels):,} lines in {desk.path}." if desk.path.exists() else "Nothing was labelled.")


def _has_screen() -> bool:
    """Tell whether a browser with windows can be opened: one that runs in the terminal would take it away from us."""
    windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return windows and sys.stdout.isatty()
