"""Check the settings and show what a build will do, before anything is paid."""

from dataclasses import dataclass

import orjson

from holdfast.cli import screen
from holdfast.cli.options import DEFAULT_SETTINGS, Json, SettingsFile
from holdfast.core.settings import load
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
            f"synthetic records   {made.accepted:,} accepted in {cells}",
            f"model calls         {made.calls:,} (estimated cost {made.cost:.2f})",
            f"synthetic share     {share}",
            *(f"warning             {text}" for text in made.warnings),
        ]
    )
