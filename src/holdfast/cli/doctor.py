"""Show what is installed, which keys are set (never printed), and what this machine can do."""

from dataclasses import dataclass

import orjson

from holdfast.cli import screen
from holdfast.cli.options import Json, SettingsFile
from holdfast.core.settings import load
from holdfast.workflows.doctor import as_plain, doctor

MARK = {"ok": "ok", "missing": "--", "bad": "!!"}


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast doctor`."""

    settings: SettingsFile = None
    json: Json = False


def run(given: Options) -> int:
    """Print one line per sign; exit 2 when something asked for will not work."""
    signs = doctor(load(given.settings) if given.settings else None)
    plain = as_plain(signs)
    if given.json:
        screen.result(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
    else:
        lines = [f"{MARK[sign.state]}  {sign.part:<12} {sign.text}" for sign in signs]
        remedies = [f"    {sign.remedy}" if sign.remedy else "" for sign in signs]
        screen.result("\n".join(part for pair in zip(lines, remedies, strict=True) for part in pair if part))
    return 0 if plain["ok"] else 2
