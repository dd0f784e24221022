"""The screen of a generation: a bar for the whole and each cell, a line for each generator, or lines for a log.

On a terminal the bars stay while the run lasts, with rate, accepted share, money and time left. Elsewhere, as in CI, a
line is written now and then: enough to see that it moves and where it stands, and little enough to read.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from holdfast.models.line import Tally
from holdfast.workflows.generate import Look, Snapshot

# Cells with a bar of their own at once; more would push the rest off the screen. The least filled are shown.
MOST_CELLS = 8
# Seconds between two lines of a log, which grow: the beginning is watched, hours are not.
FIRST_LINE, LAST_LINE, SLOWER = 2.0, 60.0, 1.5


@contextmanager
def shown(*, quiet: bool, log: bool = False) -> Iterator[Look | None]:
    """Give a function that draws a snapshot; None where nobody looks. `log` writes lines even off a terminal."""
    console = Console(stderr=True)
    if quiet or not (console.is_terminal or log):
        yield None
    elif log or not console.is_terminal:
        lines = _Log()
        try:
            yield lines.look
        finally:
            lines.close()
    else:
        bars = _Bars()
        with Live(bars.view, console=console, refresh_per_second=4, transient=True) as live:
            yield lambda snapshot: live.update(bars.drawn(snapshot))


class _Bars:
    """Bars and a table that are drawn anew from each snapshot."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
        self.whole = Progress(*columns, TimeElapsedColumn())
        self.total = self.whole.add_task("accepted", total=None)
        self.cells = Progress(*columns[:3])
        self.tasks = [self.cells.add_task("", total=1, visible=False) for _ in range(MOST_CELLS)]
        # A round is decided as a whole: while models are asked, only its own bar moves.
        self.asked = Progress(*columns[:3])
        self.round = self.asked.add_task("this round", total=1)
        self.began = monotonic()
        self.view = Group(self.whole, self.cells)

    def drawn(self, snapshot: Snapshot) -> Group:
        """Return the picture of a snapshot."""
        tally = snapshot.tally
        accepted, wanted = _sums(snapshot)
        self.whole.update(self.total, completed=accepted, total=wanted)
        behind = sorted(snapshot.cells.items(), key=lambda cell: cell[1][0] / max(1, cell[1][1]))
        for task, (name, (done, quota)) in zip(self.tasks, behind, strict=False):
            self.cells.update(task, description=name[:30], completed=done, total=quota, visible=True)
        if tally is None:
            return Group(self.whole, self.cells, _table(snapshot))
        self.asked.update(self.round, completed=tally.ended, total=tally.jobs)
        spent = Text("\n".join(_models(tally, monotonic() - self.began)), style="dim")
        return Group(self.whole, self.cells, self.asked, _table(snapshot), spent)


class _Log:
    """One line now and then, and one at the end."""

    def __init__(self) -> None:
        self.began = monotonic()
        self.next, self.pause = 0.0, FIRST_LINE
        self.untold: Snapshot | None = None

    def look(self, snapshot: Snapshot) -> None:
        """Write a line when it is time for one."""
        spent, self.untold = monotonic() - self.began, snapshot
        if spent >= self.next:
            self.close()
            self.next, self.pause = spent + self.pause, min(LAST_LINE, self.pause * SLOWER)

    def close(self) -> None:
        """Write the line of what was last seen, where that was not written."""
        if self.untold is not None:
            sys.stderr.write(line(self.untold, monotonic() - self.began) + "\n")
            self.untold = None


def line(snapshot: Snapshot, seconds: float) -> str:
    """Return where a run stands in one line."""
    accepted, wanted = _sums(snapshot)
    made = sum(each[0] for each in snapshot.generators.values())
    said = f"{seconds:7.0f} s  {accepted:,} of {wanted:,} accepted, {made:,} made ({accepted / max(1, made):.0%})"
    if snapshot.tally is None:
        return said
    tally = snapshot.tally
    asked, reused, cost = tally.sent.total(), tally.reused.total(), sum(tally.cost.values())
    answers = tally.answered.total()
    sent = f"{answers:,} answers to {asked:,} requests, {reused:,} from the ledger, cost {cost:.4f}"
    return f"{said}, this round {tally.ended:,} of {tally.jobs:,}, {sent}"


def _sums(snapshot: Snapshot) -> tuple[int, int]:
    return sum(each[0] for each in snapshot.cells.values()), sum(each[1] for each in snapshot.cells.values())


def _table(snapshot: Snapshot) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, side in (("generator", "left"), ("made", "right"), ("accepted", "right"), ("share", "right")):
        table.add_column(name, justify=side, overflow="ellipsis")  # type: ignore[arg-type]  # a literal in the table
    for name, (made, accepted, _) in snapshot.generators.items():
        table.add_row(name, f"{made:,}", f"{accepted:,}", f"{accepted / made:.0%}" if made else "-")
    return table


def _models(tally: Tally, seconds: float) -> Iterator[str]:
    for name in tally.sent:
        rate = tally.answered[name] / max(seconds, 0.001)
        yield f"model {name}: {tally.answered[name]:,} answers, {rate:,.1f}/s, cost {tally.cost.get(name, 0.0):.4f}"
