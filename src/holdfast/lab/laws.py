"""The published laws of collapse, each checked by the product's own functions: what `holdfast lab --verify-laws` runs.

29 laws in five files by subject. Every one is seeded, so that it holds or fails the same way each time. The usual size
takes about a minute; `full` is that of the published simulations, kept in bench/results/laws.json by `bench/laws.py`.
"""

from collections.abc import Collection, Iterator

from holdfast.core.engine import Progress
from holdfast.lab import laws_discrete, laws_gaussian, laws_judge, laws_lab, laws_metrics
from holdfast.lab.law import Checked, Law

LAWS: tuple[Law, ...] = tuple(
    sorted(
        (*laws_lab.LAWS, *laws_judge.LAWS, *laws_discrete.LAWS, *laws_gaussian.LAWS, *laws_metrics.LAWS),
        key=lambda law: law.number,
    )
)


def verify(*, full: bool = False, only: Collection[int] = (), progress: Progress | None = None) -> list[Checked]:
    """Check the laws, or those of the numbers in `only`, and return what was measured."""
    chosen = [law for law in LAWS if not only or law.number in only]
    found = []
    for place, law in enumerate(chosen):
        if progress:
            progress("laws", place, len(chosen))
        found.append(Checked(law, tuple(law.check(full)), full))
    return found


def table(checked: Collection[Checked]) -> Iterator[str]:
    """Yield the lines of a table for a terminal: each law with its source, then its values."""
    for one in checked:
        yield f"{one.law.number:>2}  {'holds' if one.ok else 'FAILS'}  {one.law.name}"
        yield f"      {one.law.source}{_size(one)}"
        for line in one.lines:
            mark = " " if line.ok else "*"
            number = f"{_number(line.measured):>8}, expected {_number(line.expected)}"
            yield f"    {mark} {line.what:<38}{number} ({_tolerated(line.low, line.high)})"


def _size(one: Checked) -> str:
    return f" [{one.law.reduced}]" if one.law.reduced and not one.full else ""


def _tolerated(low: float, high: float) -> str:
    """'0.59 to 0.61', 'or less', 'or more'."""
    if low == float("-inf"):
        return "or less"
    return "or more" if high == float("inf") else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.5g}"
