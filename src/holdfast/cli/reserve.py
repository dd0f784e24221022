"""Split a real held-out set off, before anything is generated, and seal it.

Near-duplicates and groups never straddle the split. Writes eval.*, train.* and holdfast.seal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli import screen
from holdfast.cli.options import Files, Json, Out, mapping
from holdfast.cli.options import Mapping as Mapped
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
    ood: Annotated[
        str | None,
        typer.Option(metavar="FILE|RULE", help="Seal records of another register beside it: a file, or source=forum."),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Draws the split.")] = 7
    map: Mapped = None
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
        given.ood,
    )
    manifest = reserve(given.files, given.out, options)
    more = manifest.more
    short = f" of the {more['asked']:,} asked for (groups stay whole)" if more["eval"] < more["asked"] else ""
    text = f"sealed {more['eval']:,} records{short} in {given.out}; {more['train']:,} are left for training"
    notices = f"it notices a drop of {more['smallest_drop'] * 100:.1f} points or more with {more['power']:.0%} power"
    proof = f"how sure that it is real: {more['proof']['grade']} ({more['proof']['because']})"
    lines = [text, notices, proof, *_ood(more.get("ood"))]
    screen.done(manifest, given.out, as_json=given.json, say="\n".join(lines))
    return 0


def _ood(told: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what is said of the records of another register."""
    if told is None:
        return
    if told["words"] is None:
        yield f"out of distribution: {told['records']:,} records, too few to say how far they are from the others"
        return
    across, within = told["words"]["across"], told["words"]["within"]
    apart = f"{across['value']:.3f} ({across['low']:.3f} to {across['high']:.3f})"
    verdict = "" if told["differs"] else "; they do not differ"
    yield (
        f"out of distribution: {told['records']:,} records, distance of words {apart}, "
        f"{within['value']:.3f} among the others{verdict}"
    )
