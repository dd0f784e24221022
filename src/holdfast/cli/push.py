"""Show what of a finished data set would go to the Hugging Face hub; with --yes send it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json
from holdfast.integrations.hub import upload
from holdfast.workflows.push import parcel


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast push`."""

    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that build or mix wrote.")]
    repo: Annotated[str, typer.Option(metavar="ORG/NAME", help="Data set on the hub.")]
    eval: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Held-out file or sealed folder that must not be in it.")
    ] = None
    yes: Annotated[bool, typer.Option("--yes", help="Send it. Without, nothing leaves this machine.")] = False
    public: Annotated[bool, typer.Option("--public", help="Make a new repository public.")] = False
    json: Json = False


def run(given: Options) -> int:
    """Say what would be sent and what speaks against it; exit 1 when anything does."""
    found = parcel(given.folder, given.eval or ())
    sent = upload(found, given.repo, private=not given.public) if given.yes and found.ok else None
    if given.json:
        told = {"version": 1, "ok": found.ok, "repo": given.repo, "sent": sent, **asdict(found)}
        screen.result(orjson.dumps(told, option=orjson.OPT_INDENT_2, default=str).decode())
        return int(not found.ok)
    for line in (*(f"{size:>14,} bytes  {name}" for name, size in found.files), *(f"!!  {x}" for x in found.problems)):
        screen.result(line)
    screen.result("compared with the held-out set" if given.eval else "not compared with a held-out set: give --eval")
    stays = f"would go to {given.repo}; --yes sends it" if found.ok else f"not fit for {given.repo}; nothing was sent"
    screen.result(f"sent: {sent}" if sent else stays)
    return int(not found.ok)
