"""The screen: results on stdout, progress and notes on stderr.

Progress is drawn only on a terminal, and only for work that lasts; elsewhere nothing is printed that is not asked
for.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from holdfast.core.objects import named
from holdfast.core.rundir import Manifest, read_manifest

Show = Callable[[str, int, int], None]


def result(text: str) -> None:
    """Print what was asked for."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def note(text: str) -> None:
    """Say something beside the result."""
    sys.stderr.write(f"{text}\n")


def done(manifest: Manifest, out: Path, *, as_json: bool, say: str = "") -> None:
    """Print what a verb did: its manifest as JSON, or one line of counts, the reasons, and where the files are."""
    if as_json:
        written = read_manifest(out) or manifest.to_dict()
        result(orjson.dumps(written, option=orjson.OPT_INDENT_2).decode())
        return
    counts = [f"{count:,} {name}" for name, count in manifest.counts.to_dict().items() if count or name == "kept"]
    result(say or ", ".join(counts))
    for reason, count in sorted(manifest.reasons.items(), key=lambda entry: -entry[1]):
        result(f"  {count:>8,}  {reason}")
    result(f"files in {named(out)}: {', '.join(manifest.files.values())}")


def bill_lines(bills: list[dict[str, Any]]) -> list[str]:
    """Return the diversity bill as lines: what each filter did to the tail, and how many measures it cost."""
    lines = []
    for entry in bills:
        told = entry["measurements"]
        costs = sum(said["detail"]["verdict"] == "costs" for said in told.values())
        tail = told["tail-coverage"]
        number = "not known" if tail["value"] is None else "{value:.2f} ({low:.2f}-{high:.2f})".format_map(tail)
        said = f"costs {costs} of {len(told)} measures" if costs else "no more than chance"
        lines.append(f"  {entry['filter']:<20} tail {number}, n {tail['n']:,}; {said}")
    head = "diversity bill, against leaving out as much at random (below 1: variety lost)"
    return [head, *lines] if lines else []


class Rate(ProgressColumn):
    """How fast it goes: bytes when a file is read, records otherwise."""

    def render(self, task: Task) -> Text:
        """Return the rate, or nothing before there is one."""
        speed = task.speed or task.finished_speed
        if not speed:
            return Text("")
        return Text(f"{speed / 1e6:.0f} MB/s" if task.description.startswith("reading") else f"{speed:,.0f}/s")


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Show | None]:
    """Yield a function `show(what, done, total)` that draws bars with rate and time left, or None where nobody looks.

    A total of 0 is not known: the bar then only moves.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(24), TaskProgressColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield show
