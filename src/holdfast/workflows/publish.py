"""What ships beside a data set, from one set of facts: its card for people, its Croissant description for machines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.core.errors import UsageError
from holdfast.core.rundir import write_bytes, write_json
from holdfast.report.card import readme
from holdfast.report.croissant import croissant
from holdfast.report.facts import Facts
from holdfast.report.report import Report

CARD, CROISSANT = "README.md", "croissant.json"
# Every card of ours has this tag in its front matter, also one that people wrote into.
_TAG = b"\n- holdfast\n"


def spare_card(folder: Path) -> None:
    """Raise `UsageError` where `folder` has a README.md that is no card of ours, as that of a project."""
    path = folder / CARD
    if path.is_file() and _TAG not in path.read_bytes():
        raise UsageError(
            f"{path} is there, is no card of a data set, and would be overwritten.", "Choose another --out."
        )


def publish(folder: Path, facts: Facts, manifest: Mapping[str, Any], report: Report | None = None) -> dict[str, str]:
    """Write card and Croissant description into `folder`, where the data files lie; return their names by role."""
    write_bytes(folder / CARD, readme(facts, manifest, report).encode())
    write_json(folder / CROISSANT, croissant(facts, manifest))
    return {"card": CARD, "croissant": CROISSANT}
