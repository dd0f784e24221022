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
from holdfast.core.engine import Progress
from holdfast.core.errors import UsageError
from holdfast.core.labels import read_labels
from holdfast.web.review import ROUTES, Pages, rater_name, refused
from holdfast.web.security import Gate
from holdfast.web.server import application, listen, require, serve
from holdfast.workflows.label_exchange import exported, imported
from holdfast.workflows.review import SAMPLE, Desk, ReviewOptions, labelled, review
from holdfast.workflows.review_agreement import lines, review_agreement


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
    question: Annotated[
        str, typer.Option(metavar="NAME", help="With --import: the question to read, where there are several.")
    ] = ""
    export: Annotated[
        Format | None, typer.Option(metavar="FORMAT", help="Print the labels as another tool reads them, and end.")
    ] = None
    json: Json = False


def run(given: Options) -> int:
    """Serve the page until interrupted, or do what was asked for instead."""
    _refuse_idle(given)
    if given.agreement is not None:
        return _agreement(given, given.agreement)
    if given.export is not None:
        return _export(given, given.export)
    if not given.files:
        raise UsageError("There is nothing to label: no file was given.", "holdfast review FILE, or --agreement FILE.")
    if given.import_ is not None:
        return _import(given, given.files, given.import_)
    require()
    rater = rater_name(given.rater) if given.rater else ""
    with screen.progress() as progress:
        desk = review(given.files, given.labels, _options(given, progress))
    _serve(given, desk, rater)
    return 0


def _refuse_idle(given: Options) -> None:
    """Raise `UsageError` for an option that would do nothing, so that nobody believes it did."""
    if given.judge is not None and given.agreement is None:
        remedy = "Add --agreement LABELS; to be asked first where judges doubt, --verdicts FILE."
        raise UsageError("--judge is held against labels, and none are named.", remedy)
    if given.question and given.import_ is None:
        raise UsageError("--question names what is imported, and nothing is.", "Add --import FORMAT.")
    if given.pairs and given.scale > 2:
        raise UsageError(f"--scale {given.scale} means nothing with --pairs.", "Leave one of them out.")


def _options(given: Options, progress: Progress | None) -> ReviewOptions:
    return ReviewOptions(
        pairs=given.pairs,
        scale=given.scale,
        sample=given.sample,
        rubric=given.rubric,
        verdicts=given.verdicts,
        adjudicate=given.adjudicate,
        mapping=mapping(given.map),
        progress=progress,
    )


def _agreement(given: Options, labels: Path) -> int:
    report = review_agreement(labels, given.files or (), given.judge, mapping(given.map))
    if given.json:
        screen.result(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        return 0
    for line in lines(report):
        screen.result(line)
    return 0


def _import(given: Options, files: list[str], tool: Format) -> int:
    added = known = 0
    for file in files:
        new, old = imported(Path(file), tool, given.labels, given.question)
        added, known = added + new, known + old
    told = {"version": 1, "added": added, "known": known, "labels": str(given.labels)}
    text = f"{added:,} labels added to {given.labels}" + (f", {known:,} were there" if known else "")
    screen.result(orjson.dumps(told).decode() if given.json else text)
    return 0


def _export(given: Options, tool: Format) -> int:
    """Print the labels as one JSON list, with the texts of the records where files are given."""
    said = read_labels(given.labels)
    texts = labelled(given.files, said, mapping(given.map)) if given.files else {}
    screen.result(orjson.dumps(exported(said, texts, tool), option=orjson.OPT_INDENT_2).decode())
    return 0


def _serve(given: Options, desk: Desk, rater: str) -> None:
    with listen(given.port) as listening:
        gate = Gate(listening.getsockname()[1], ROUTES)
        app = application(gate, Pages(desk, gate, rater), refused)
        _announce(given, desk, gate)
        try:
            serve(app, listening)
        except KeyboardInterrupt:
            pass
        finally:
            screen.note(
                f"{len(desk.labels):,} lines in {desk.path}." if desk.path.exists() else "Nothing was labelled."
            )


def _announce(given: Options, desk: Desk, gate: Gate) -> None:
    """Print the address first and at once, say what is asked, and open a browser where there is a screen."""
    told = {"address": gate.address, "labels": str(desk.path), "items": len(desk.items), "found": desk.found}
    screen.result(orjson.dumps(told).decode() if given.json else gate.address)
    sys.stdout.flush()
    what = "pairs" if given.pairs else "records"
    screen.note(f"{len(desk.items):,} of {desk.found:,} {what}; labels go to {desk.path}. Ctrl-C ends.")
    if desk.unread:
        screen.note(f"{desk.unread:,} rows could not be read and are left out: holdfast audit names them.")
    if not given.no_browser and _has_screen():
        webbrowser.open(gate.ticket())


def _has_screen() -> bool:
    """Tell whether a browser with windows can be opened: one that runs in the terminal would take it away from us."""
    windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return windows and sys.stdout.isatty()
