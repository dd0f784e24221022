"""Split a real held-out set off, before anything is generated, and seal it.

Near-duplicates and groups never straddle the split. Writes eval.*, train.* and holdfast.seal.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.options import Files, Json, Mapping, Out, mapping
from holdfast.workflows.reserve import ReserveOptions, reserve


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast reserve`."""

    files: Files
    out: Out = Path("sealed")
    eval: Annotated[float, typer.Option(metavar="SHARE|N", help="A share below 1, or a number of records.")] = 0.1
    group_by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column whose groups stay together. Repeatable.")
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Draws the split.")] = 7
    map: Mapping = None
    json: Json = False


def run(given: Options) -> int:
    """Reserve and say what was sealed."""
    options = ReserveOptions(given.eval, tuple(given.group_by or ()), given.seed, mapping(given.map))
    manifest = reserve(given.files, given.out, options)
    more = manifest.more
    short = f" of the {more['asked']:,} asked for (groups stay whole)" if more["eval"] < more["asked"] else ""
    text = f"sealed {more['eval']:,} records{short} in {given.out}; {more['train']:,} are left for training"
    screen.done(manifest, given.out, as_json=given.json, say=text)
    return 0
