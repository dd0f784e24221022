"""Look at runs and data sets of any size in the browser: search, filter, and see why a record was kept or rejected.

Without a name it shows the runs under .holdfast. The page answers on this machine only.
"""

import os
import sys
import webbrowser
from dataclasses import dataclass
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json, Mapping, mapping
from holdfast.web.security import Gate
from holdfast.web.server import application, listen, serve
from holdfast.web.view import ROUTES, Pages, refused
from holdfast.workflows.view import Shelf, view


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast view`."""

    what: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN | FILE]...", help="Folders of runs, or files of records.")
    ] = None
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port on this machine; 0 is a free one.")] = 0
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False
    map: Mapping = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Open what was named, print the address, and serve until interrupted."""
    with screen.progress(quiet=given.quiet) as progress, view(given.what or (), mapping(given.map), progress) as shelf:
        shelf.index(0).prepare()
        shelf.progress = None
        _serve(given, shelf)
    return 0


def _serve(given: Options, shelf: Shelf) -> None:
    with listen(given.port) as listening:
        gate = Gate(listening.getsockname()[1], ROUTES)
        app = application(gate, Pages(shelf, gate), refused)
        told = {"address": gate.address, "runs": [entry.name for entry in shelf.entries]}
        screen.result(orjson.dumps(told).decode() if given.json else gate.address)
        sys.stdout.flush()
        screen.note(f"{shelf.index(0).size:,} records of {shelf.entries[0].name}. Ctrl-C ends.")
        if not given.no_browser and _has_screen():
            webbrowser.open(gate.address)
        try:
            serve(app, listening)
        except KeyboardInterrupt:
            screen.note("closed.")


def _has_screen() -> bool:
    """Tell whether a browser with windows can be opened: one that runs in the terminal would take it away from us."""
    windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return windows and sys.stdout.isatty()
