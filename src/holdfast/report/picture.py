"""A picture of a report, and what several pictures share: axes frame, legend, safe reading of a detail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what it shows in words, the drawing as markup, how to read it, and its data as a table.

    `notes` are published results that qualify the picture; a `wide` one takes the whole width of the page.
    """

    title: str
    markup: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    wide: bool = False


def frame(root: Element, ticks: Sequence[float], y: svg.Scale, write: Callable[[float], str] = numbers.count) -> None:
    """Horizontal grid lines with their labels."""
    for tick in ticks:
        svg.line(root, (52, y(tick)), (378, y(tick)), "grid")
        svg.text(root, (46, y(tick) + 4), write(tick), "tick", "end")


def legend(root: Element, names: Sequence[str]) -> None:
    """Names of the parts with their marks, upper right."""
    for index, name in enumerate(names):
        svg.bar(root, (300, 24 + 18 * index), (12, 10), name)
        svg.text(root, (318, 33 + 18 * index), name, "label")


def more(m: Mapping[str, Any]) -> Mapping[str, Any]:
    """The detail of a measurement in hand."""
    return detail.mapping(m.get("detail"))


def left_out(given: Mapping[str, Any]) -> str:
    """' 3 more generators are not shown.' for each cap that bit, '' where everything is shown."""
    caps = detail.amounts(given.get("left_out"))
    return "".join(f" {numbers.count(amount)} more {name} are not shown." for name, amount in caps.items() if amount)


def count(amount: float | None) -> str:
    """A count, '' where it is not known."""
    return "" if amount is None else numbers.count(amount)
