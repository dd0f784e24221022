"""Mix real and synthetic records under a cap on the synthetic share. Deterministic; the held-out set stays out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli import screen
from holdfast.cli.options import Json, Out, Where, mapping
from holdfast.cli.options import Mapping as Mapped
from holdfast.core.errors import UsageError
from holdfast.core.runners import runner_of
from holdfast.core.settings import DEFAULT_CAP, MOST_EPOCHS, NEARLY_NEW_EPOCHS
from holdfast.workflows import previous
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions


class Unit(StrEnum):
    """What the cap counts."""

    records = "records"
    tokens = "tokens"


class Choice(StrEnum):
    """How synthetic records are chosen where not all can stay."""

    random = "random"
    coverage = "coverage"


class Order(StrEnum):
    """How the training set is ordered."""

    shuffled = "shuffled"
    synthetic_first = "synthetic-first"


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast mix`."""

    real: Annotated[list[str], typer.Option(metavar="FILE", help="Real records. Repeatable.")]
    synthetic: Annotated[list[str], typer.Option(metavar="FILE", help="Synthetic records. Repeatable.")]
    out: Out = Path("mixed")
    max_synthetic: Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="Largest synthetic share.")] = (
        DEFAULT_CAP
    )
    per_generator: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Largest share of one generator.")
    ] = 1.0
    strata: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column that parts the records into strata. Repeatable.")
    ] = None
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="STRATUM=NUMBER", help="Weight of a stratum, as topic=ratios=2. Repeatable."),
    ] = None
    per_stratum: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Largest synthetic share of a stratum.")
    ] = 1.0
    by: Annotated[Unit, typer.Option(help="What the caps count.")] = Unit.records
    eval: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Held-out file or sealed folder to keep out.")
    ] = None
    size: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many records at most.")] = None
    real_epochs: Annotated[
        int,
        typer.Option(min=1, max=MOST_EPOCHS, metavar="N", help="How often a real record may be in it to keep a cap."),
    ] = 1
    choose: Annotated[
        Choice, typer.Option(help="Which synthetic records stay: drawn, or those that add most to what is covered.")
    ] = Choice.random
    order: Annotated[Order, typer.Option(help="How the training set is ordered.")] = Order.shuffled
    anchor: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Real data whose coverage counts, for --choose coverage.")
    ] = None
    previous: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The round before: say whether its data accumulate or are replaced."),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Draws which records are taken, and their order.")] = 7
    map: Mapped = None
    runner: Where = None
    json: Json = False


def run(given: Options) -> int:
    """Mix and say what became of the records; exit 1 when none is left."""
    options = MixOptions(
        max_synthetic=given.max_synthetic,
        by=given.by.value,
        per_generator=given.per_generator,
        strata=tuple(given.strata or ()),
        weights=weights(given.weight or ()),
        per_stratum=given.per_stratum,
        size=given.size,
        real_epochs=given.real_epochs,
        choose=given.choose.value,
        order=given.order.value,
        anchor=given.anchor or (),
        held_out=given.eval or (),
        previous=given.previous,
        seed=given.seed,
        mapping=mapping(given.map),
        runner=runner_of(given.runner or "local"),
    )
    manifest = mix(given.real, given.synthetic, given.out, options)
    screen.done(manifest, given.out, as_json=given.json)
    for line in screen.bill_lines(manifest.more["bill"]) if not given.json else ():
        screen.result(line)
    for line in _short(manifest.more) if not given.json else ():
        screen.result(line)
    return 0 if manifest.ok else 1


def _short(more: Mapping[str, Any]) -> Iterator[str]:
    """Yield repeats of real records, what stayed of the round before, and three ways out of a shortage of real data."""
    count, most = more["epochs"]["repeats"], more["epochs"]["most"]
    if count:
        yield f"{count:,} repeats of real records, each is in it at most {most} times"
    yield from previous.lines(more["previous"]) if "previous" in more else ()
    lacking = more["shortfall"]
    if lacking["left_out"] and lacking["add_real"] and lacking["only_the_cap_binds"]:
        yield f"{lacking['add_real']:,} more real {lacking['by']} would let every synthetic record in"
        again = lacking["or_real_epochs"]
        if again is not None and more["epochs"]["allowed"] < again <= MOST_EPOCHS:
            worth = "nearly as good as new data" if again <= NEARLY_NEW_EPOCHS else "worth less than new data"
            yield f"or --real-epochs {again}: real records repeated that often are {worth} (arXiv 2305.16264)"


def weights(pairs: Sequence[str]) -> dict[str, float]:
    """Read STRATUM=NUMBER pairs; the stratum has an equals sign of its own."""
    found: dict[str, float] = {}
    for pair in pairs:
        stratum, _, number = pair.rpartition("=")
        try:
            found[stratum] = float(number)
        except ValueError:
            stratum = ""
        if "=" not in stratum:
            raise UsageError(f"--weight {pair!r} is not STRATUM=NUMBER.", "For example --weight topic=ratios=2.")
    return found
