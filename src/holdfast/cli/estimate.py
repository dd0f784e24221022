"""Estimate which share of unlabelled text is synthetic, against real and synthetic text of the same kind.

Always with its interval, its zero floor and its self-validation; or it says that it cannot tell, and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Files, Json, Mapping, mapping
from holdfast.metrics.synthetic_share import Share
from holdfast.workflows.estimate import MOST_DOCUMENTS, Estimate, EstimateOptions, estimate


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast estimate`."""

    files: Files
    real: Annotated[list[str], typer.Option(metavar="FILE", help="Text of the same kind by people. Repeatable.")]
    synthetic: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Text of the same kind by models; else what FILES label synthetic."),
    ] = None
    by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Also for each value of it; of dates, month. Repeatable.")
    ] = None
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Equal values came about together, as source or thread.")
    ] = None
    rank: Annotated[int, typer.Option(min=0, metavar="N", help="List N records most like the synthetic ones.")] = 0
    sample: Annotated[int, typer.Option(min=20, metavar="N", help="Most records drawn of each side.")] = MOST_DOCUMENTS
    seed: Annotated[int, typer.Option(metavar="N", help="Draws samples, folds and replicates.")] = 7
    map: Mapping = None
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Estimate and print; exit 1 when it cannot be told."""
    with screen.progress(quiet=given.quiet) as progress:
        options = EstimateOptions(
            by=tuple(given.by or ()),
            group=given.group,
            rank=given.rank,
            sample=given.sample,
            seed=given.seed,
            mapping=mapping(given.map),
            progress=progress,
        )
        found = estimate(given.files, real=given.real, synthetic=given.synthetic, options=options)
    if given.json:
        screen.result(orjson.dumps(found.to_json_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in told(found):
            screen.result(line)
    return 0 if found.share.value is not None else 1


def told(found: Estimate) -> Iterator[str]:
    """Yield the answer as lines of at most 80 columns or so."""
    yield f"synthetic share: {one(found.share)}"
    if found.share.why:
        yield f"  because {found.share.why}"
    if found.gauge.validation:
        yield from _proof(found)
    for name, share in found.strata:
        yield f"  {name}: {one(share)}"
    if found.ranked:
        yield "most like the synthetic reference (where to look first, no verdict on a record):"
    for row in found.ranked:
        yield f"  {row['rank']:>3}  {row['id']}  {row['excerpt'][:60]}"


def one(share: Share) -> str:
    """Return a share with its interval and n, in percent."""
    if share.value is None:
        return f"cannot tell (0 to 100 %), {share.n:,} records"
    return f"{_percent(share.value)} % ({_percent(share.low)} to {_percent(share.high)} %), {share.n:,} records"


def _proof(found: Estimate) -> Iterator[str]:
    floor = found.gauge.validation[0]
    yield (
        f"floor: held-out real text is estimated at {_percent(floor.mean)} % "
        f"({_percent(floor.low)} to {_percent(floor.high)} %)"
    )
    yield f"self-validation: {100 * found.gauge.error:.1f} points off on average, on mixtures of held-out references:"
    yield "  true      " + "".join(f"{_percent(entry.share):>5}" for entry in found.gauge.validation) + " %"
    yield "  estimated " + "".join(f"{_percent(entry.mean):>5}" for entry in found.gauge.validation) + " %"
    makers = len(set(found.gauge.synthetic.makers.tolist()))
    if makers == 1:
        yield "one generator in the reference: the interval does not hold what another one would change"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}"
