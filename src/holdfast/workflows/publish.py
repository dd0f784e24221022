"""What ships beside a data set, from one set of facts: its card for people, its Croissant description for machines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.core.rundir import write_bytes, write_json
from holdfast.report.card import readme
from holdfast.report.croissant import croissant
from holdfast.report.facts import Facts
from holdfast.report.report import Report

CARD, CROISSANT = "README.md", "croissant.json"


def publish(folder: Path, facts: Facts, manifest: Mapping[str, Any], report: Report | None = None) -> dict[str, str]:
    """Write card and Croissant description into `folder`, where the data files lie; return their names by role."""
    write_bytes(folder / CARD, readme(facts, manifest, report).encode())
    write_json(folder / CROISSANT, croissant(facts, manifest))
    return {"card": CARD, "croissant": CROISSANT}
