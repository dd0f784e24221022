"""How far a run is, from what lies in its folder: nothing is locked or asked for, so that nothing can disturb it.

A step is done when its manifest is there, which is written last. Of the step at work the committed rounds and the
ledger of requests say how much there is. Whether somebody is at work cannot be known from files; when the last of
them was written can.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import time

from holdfast.core.rundir import MANIFEST, read_manifest

STEPS = {"generate": "generated", "filter": "filtered", "mix": "dataset", "audit": "."}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, begun or to come; its counts when done, else what there is of it so far."""

    name: str
    state: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """All steps in order; `quiet` is the seconds since anything was written, None where nothing was."""

    steps: tuple[Step, ...]
    quiet: float | None

    @property
    def finished(self) -> bool:
        """True when every step is done."""
        return all(step.state == "done" for step in self.steps)


def progress(folder: Path) -> Progress:
    """Return how far the build in a folder is; the folder of one verb has that one step."""
    known = {name: folder / place for name, place in STEPS.items()}
    if not any((folder / place).is_dir() for place in STEPS.values() if place != "."):
        verb = (read_manifest(folder) or {}).get("verb", "run")
        return Progress((_step(verb, folder),), _quiet(folder))
    return Progress(tuple(_step(name, place) for name, place in known.items()), _quiet(folder))


def _step(name: str, folder: Path) -> Step:
    manifest = read_manifest(folder)
    if manifest is not None:
        return Step(name, "done", manifest["counts"])
    if name == "audit" or not folder.is_dir():
        return Step(name, "to come", {})
    rounds = len(list((folder / ".rounds").glob("*.round")))
    asked = _requests(folder / "ledger.sqlite")
    return Step(name, "begun", {**({"rounds": rounds} if rounds else {}), **asked})


def _requests(path: Path) -> dict[str, int]:
    """Return how many requests a ledger has, and how many of them wait; nothing where it cannot be read just now."""
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as base:
            sent, waiting = base.execute("SELECT sum(requests), sum(unsettled) FROM usage").fetchone()
    except sqlite3.Error:
        return {}
    return {"requests sent": sent or 0, "requests unanswered": waiting or 0}


def _quiet(folder: Path) -> float | None:
    times = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    return max(0.0, time() - max(times)) if times else None
