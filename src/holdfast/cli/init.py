"""Write a starter project that runs without key or network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json
from holdfast.workflows.init import init


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast init`."""

    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write; an existing file is never overwritten.")
    ] = Path()
    template: Annotated[str, typer.Option(metavar="NAME", help="Which example to start from.")] = "quickstart"
    json: Json = False


def run(given: Options) -> int:
    """Write the starter and say what to do next."""
    files = init(given.folder, template=given.template)
    if given.json:
        screen.result(orjson.dumps({"version": 1, "files": [str(path) for path in files]}).decode())
        return 0
    screen.result("\n".join(f"wrote {path}" for path in files))
    screen.result(f"\nNext:  holdfast plan -c {given.folder / 'holdfast.yaml'}")
    screen.result(f"Then:  holdfast build -c {given.folder / 'holdfast.yaml'}")
    return 0
