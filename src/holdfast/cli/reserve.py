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
    detect: Annotated[
        float | None,
        typer.Option(min=0.0001, max=1, metavar="DROP", help="Size by the drop in accuracy to notice, as 0.02."),
    ] = None
    power: Annotated[
        float, typer.Option(min=0.01, max=0.999, metavar="SHARE", help="Chance of noticing that drop.")
    ] = 0.8
    group_by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column whose groups stay together. Repeatable.")
    ] = None
    strata: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column whose values give their share. Repeatable.")
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Draws the split.")] = 7
    map: Mapping = None
    json: Json = False


def run(given: Options) -> int:
    """Reserve and say what was sealed."""
    options = ReserveOptions(
        given.eval,
        tuple(given.group_by or ()),
        tuple(given.strata or ()),
        given.detect,
        given.power,
        given.seed,
        mapping(given.map),
    )
    manifest = reserve(given.files, given.out, options)
    more = manifest.more
    short = f" of the {more['asked']:,} asked for (groups stay whole)" if more["eval"] < more["asked"] else ""
    text = f"sealed {more['eval']:,} records{short} in {given.out}; {more['train']:,} are left for training"
    notices = f"it notices a drop of {more['smallest_drop'] * 100:.1f} points or more with {more['power']:.0%} power"
    proof = f"how sure that it is real: {more['proof']['grade']} ({more['proof']['because']})"
    screen.done(manifest, given.out, as_json=given.json, say=f"{text}\n{notices}\n{proof}")
    return 0
