"""Options that several verbs share, and how their text is read."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from holdfast.core.errors import UsageError

Files = Annotated[list[str], typer.Argument(metavar="FILES", help="Files, globs or Hugging Face folders; any format.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files of this verb.")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", "-c", metavar="FILE", help="Settings file (holdfast.yaml).")
]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Where a field is, as generator=model. Repeatable."),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--runner", metavar="WHERE", help="Where the work is done: local, local,workers=2, ray:auto, ray://HOST:PORT."
    ),
]

DEFAULT_SETTINGS = Path("holdfast.yaml")


class FailOn(StrEnum):
    """The lowest severity that stops CI."""

    error = "error"
    warning = "warning"
    note = "note"
    never = "never"


def mapping(given: list[str] | None) -> dict[str, str]:
    """Read FIELD=COLUMN pairs of --map."""
    return pairs(given, "--map", "FIELD=COLUMN", "generator=model_name")


def pairs(
    given: list[str] | None, option: str, form: str = "COLUMN=VALUE", example: str = "series=baseline"
) -> dict[str, str]:
    """Read the pairs of a repeatable option."""
    found: dict[str, str] = {}
    for pair in given or ():
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {pair!r} is not {form}.", f"For example {option} {example}.")
        found[name] = value
    return found
