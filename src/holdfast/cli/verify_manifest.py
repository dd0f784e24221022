"""Prove that the files of a run and its manifests agree: one changed byte, row or field is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json
from holdfast.workflows.verify_manifest import verify_manifest


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast verify-manifest`."""

    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a verb or a build wrote.")]
    json: Json = False


def run(given: Options) -> int:
    """Say what disagrees; exit 1 when anything does."""
    proof = verify_manifest(given.folder)
    if given.json:
        screen.result(orjson.dumps(proof.to_dict(), option=orjson.OPT_INDENT_2).decode())
        return 0 if proof.ok else 1
    for each in proof.broken:
        screen.result(f"!!  {each.file} {each.what}")
    said = f"{proof.files} files, manifests {len(proof.digests)}:"
    screen.result(f"{said} all agree" if proof.ok else f"{said} {len(proof.broken)} disagree")
    for name, digest in proof.digests.items():
        screen.result(f"    {digest}  {name}")
    return 0 if proof.ok else 1
