"""Check the settings and show what a build will do, before anything is paid."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from holdfast.cli import screen
from holdfast.cli.options import DEFAULT_SETTINGS, Json, SettingsFile
from holdfast.core.settings import load
from holdfast.workflows.forecast import Range
from holdfast.workflows.plan import Plan, plan


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast plan`."""

    settings: SettingsFile = None
    json: Json = False


def run(given: Options) -> int:
    """Print the plan."""
    made = plan(load(given.settings or DEFAULT_SETTINGS))
    screen.result(orjson.dumps(made.to_dict(), option=orjson.OPT_INDENT_2).decode() if given.json else _text(made))
    return 0


def _text(made: Plan) -> str:
    cells = f"{made.cells:,} cell{'' if made.cells == 1 else 's'}"
    share = f"{made.synthetic_share:.0%} of the records: {made.band} band, n_eff {made.n_eff:.2f}"
    return "\n".join(
        [
            f"real records        {made.real:,}",
            f"held out            {made.held_out:,} (notices a drop of {made.smallest_drop * 100:.1f} points or more)",
            *([f"out of distribution {made.ood:,} (sealed beside it)"] if made.ood else []),
            f"synthetic records   {made.accepted:,} accepted in {cells}",
            *_calls(made),
            f"synthetic share     {share}",
            *(f"warning             {text}" for text in made.warnings),
        ]
    )


def _calls(made: Plan) -> Iterator[str]:
    if not made.generators:
        yield "model calls         0 (estimated cost 0.00)"
        return
    yield f"model calls         {_range(made.calls)}"
    yield f"estimated cost      {_money(made.cost, made.currency)}"
    yield f"estimated time      {_range(made.seconds, _duration)}"
    for line in made.generators:
        tokens = f"{_range(line.input_tokens)} tokens read, {_range(line.output_tokens)} written"
        source = f", price: {line.price_source}" if line.price_source else ""
        yield f"  {line.generator} -> {line.model}"
        yield f"    {_range(line.calls)} calls, {tokens}"
        yield f"    {_money(line.cost, made.currency)}{source}"


def _money(cost: Range | None, currency: str) -> str:
    return "unknown" if cost is None else f"{_range(cost, '{:,.2f}'.format)} {currency}"


def _range(given: Range, shown: Callable[[float], str] = "{:,.0f}".format) -> str:
    value, low, high = shown(given.value), shown(given.low), shown(given.high)
    return value if low == high else f"{value} ({low} to {high})"


def _duration(seconds: float) -> str:
    """Return seconds, minutes or hours, whichever reads best."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"
