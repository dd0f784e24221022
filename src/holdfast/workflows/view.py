"""view: what lies in runs and files, opened for looking at. Reads only; the folder of a run is never written to.

A run is the folder of a build or of one verb; files are any data set. Each is opened when it is first looked at, into
an index on disk (`view_index`), so that a page costs a query whatever the size.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.engine import Progress
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reading.inputs import find_inputs
from holdfast.core.rundir import MANIFEST, read_manifest
from holdfast.core.scratch import scratch
from holdfast.report.report import Report
from holdfast.workflows.compare import compared, read_report
from holdfast.workflows.view_index import Beside, Index, Part, index

# The steps of a build in their order, each with the folder it writes into.
STEPS = {"generate": "generated", "filter": "filtered", "mix": "dataset"}
BESIDE = ("rejected", "undecided", "failed")
RUNS = Path(".holdfast")


@dataclass(frozen=True, slots=True)
class Entry:
    """A run or some files: a name for people, the parts it has now, and its folder and report where there are any."""

    name: str
    parts: tuple[Part, ...]
    folder: Path | None = None
    report: Path | None = None
    verdicts: tuple[Path, ...] = ()
    made: Path | None = None

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of a finished run, empty for files and for one that is not finished."""
        found = read_manifest(self.folder) if self.folder else None
        return found or {}


@dataclass(slots=True)
class Shelf:
    """Everything that was named, in order. `opened` holds the indexes of what was looked at so far."""

    entries: list[Entry]
    room: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    opened: dict[int, Index] = field(default_factory=dict)

    def index(self, number: int) -> Index:
        """Return the index of one entry, made on first use and made anew when the run has gone on since."""
        entry = self.entry(number)
        known = self.opened.get(number)
        if known is None or known.parts != entry.parts:
            if known is not None:
                known.close()
            room = self.room / f"{number}-{len(list(self.room.iterdir()))}"
            room.mkdir()
            findings = self.report(number)
            beside = Beside(findings.findings if findings else (), entry.verdicts, entry.made)
            known = index(entry.parts, room, self.mapping, beside, self.progress)
            self.opened[number] = known
        return known

    def entry(self, number: int) -> Entry:
        """Return one entry as it is now. Raises `UsageError` for a number that is not there."""
        if not 0 <= number < len(self.entries):
            raise UsageError(f"There is no run {number + 1}.", "Choose one from the list of runs.")
        known = self.entries[number]
        return known if known.folder is None else run_at(known.folder)

    def report(self, number: int) -> Report | None:
        """Return the report of an entry, None where there is none that can be read."""
        path = self.entry(number).report
        return read_report(path) if path else None

    def compared(self, new: int, old: int) -> dict[str, Any]:
        """Return two reports held against each other, and how many records the two sets share by id."""
        sides = [self.report(number) for number in (new, old)]
        told = compared(sides[0], sides[1]) if sides[0] and sides[1] else {}
        mine, theirs = (self.index(number).ids() for number in (new, old))
        return {**told, "records": {"both": len(mine & theirs), "new": len(mine - theirs), "old": len(theirs - mine)}}

    def close(self) -> None:
        """Let go of every index."""
        for known in self.opened.values():
            known.close()


@contextmanager
def view(
    what: Sequence[str | Path] = (), mapping: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Iterator[Shelf]:
    """Give what was named as a shelf; nothing named means the runs under `.holdfast`.

    A folder with a manifest, or with the steps of a build, is a run; everything else is read as data, all files
    together. Raises `UsageError` where there is nothing, `InputError` for a path that does not exist.
    """
    entries = _entries([Path(path) for path in what])
    with scratch() as room:
        shelf = Shelf(entries, room, mapping or {}, progress)
        try:
            yield shelf
        finally:
            shelf.close()


def _entries(paths: list[Path]) -> list[Entry]:
    if not paths:
        found = [path for path in sorted(RUNS.glob("*")) if is_run(path)]
        if not found:
            raise UsageError(
                f"There is no run in {RUNS}.", "Name one: holdfast view RUN, or a file: holdfast view FILE."
            )
        return [run_at(path) for path in found]
    runs = [path for path in paths if is_run(path)]
    files = [path for path in paths if not is_run(path)]
    below = [inner for path in files if path.is_dir() for inner in sorted(path.glob("*")) if is_run(inner)]
    loose = [path for path in files if not (path.is_dir() and any(inner.parent == path for inner in below))]
    return [*(run_at(path) for path in (*runs, *below)), *([_files(loose)] if loose else [])]


def is_run(path: Path) -> bool:
    """Tell whether a path is the folder of a build or of a verb, finished or not."""
    return path.is_dir() and ((path / MANIFEST).is_file() or any((path / name).is_dir() for name in STEPS.values()))


def run_at(folder: Path) -> Entry:
    """Return a run as it is now: the set it ended with, and what each step left out."""
    report = folder / "report.json"
    found = [folder / name for name in STEPS.values() if (folder / name).is_dir()]
    steps = found or [folder]
    parts = []
    for step in steps:
        named = {folder / name: verb for verb, name in STEPS.items()}.get(step, "")
        parts += [Part(path, path.stem, named) for state in BESIDE if (path := step / f"{state}.jsonl").is_file()]
    last = next((kept for step in reversed(steps) if (kept := _kept(step))), None)
    ordered = [*([Part(last, "kept", "")] if last else []), *(part for part in parts if part.path.stat().st_size)]
    verdicts = tuple(path for step in steps if (path := step / "verdicts.jsonl").is_file())
    made = _kept(folder / STEPS["generate"]) if len(found) > 1 else None
    return Entry(folder.name, tuple(ordered), folder, report if report.is_file() else None, verdicts, made)


def _kept(step: Path) -> Path | None:
    """Return the file of what a step kept, as its manifest or else its name says."""
    files = (read_manifest(step) or {}).get("files", {})
    named = [step / files[role] for role in ("train", "kept") if role in files]
    found = [path for path in (*named, *sorted(step.glob("train.*")), *sorted(step.glob("kept.*"))) if path.is_file()]
    return found[0] if found else None


def _files(paths: list[Path]) -> Entry:
    if not find_inputs(paths):
        raise InputError(f"There is no data in {', '.join(map(str, paths))}.", "Name a file with records.")
    name = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"
    report = next((beside for path in paths if _is_report(beside := path.with_suffix(".report.json"))), None)
    return Entry(name, tuple(Part(path, "given", "") for path in paths), None, report)


def _is_report(path: Path) -> bool:
    try:
        return path.is_file() and "findings" in orjson.loads(path.read_bytes())
    except ValueError:
        return False
