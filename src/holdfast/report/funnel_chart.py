"""The funnel: how many records of each generator are left after each step of a build."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture, left_out
from holdfast.report.shown import one_line


def funnel(given: Mapping[str, Any]) -> Picture | None:
    """One bar a generator, from what it made to what is in the mixture; the steps between as lighter parts."""
    part = detail.mapping(given.get("funnel"))
    stages = tuple(one_line(stage, 40) for stage in detail.words(part.get("stages")))
    rows = {str(name): detail.floats(row) for name, row in detail.mapping(part.get("rows")).items()}
    rows = {name: row for name, row in rows.items() if len(row) == len(stages) >= 2 and row[0] > 0}
    if not rows:
        return None
    most = max(row[0] for row in rows.values())
    root = svg.canvas(10 + 38 * len(rows), "Filter funnel by generator", "Bars of what is left after each step.")
    for place, (name, row) in enumerate(rows.items()):
        _bar(root, 14 + 38 * place, (name, row), stages, most)
    made, left = (sum(row[at] for row in rows.values()) for at in (0, -1))
    title = f"{numbers.count(left)} of {numbers.count(made)} generated records are in the set"
    caption = f"From {stages[0]} (whole bar) to {stages[-1]} (dark): each lighter part went in one step."
    table = tuple((one_line(name, 60), *(numbers.count(amount) for amount in row)) for name, row in rows.items())
    return Picture(title, svg.markup(root), caption + left_out(part), ("generator", *stages), table)


def _bar(root: Element, top: float, item: tuple[str, list[float]], stages: tuple[str, ...], most: float) -> None:
    name, row = item
    x = svg.scale(0, most, 4, 396)
    share = numbers.percent(row[-1] / row[0])
    svg.text(root, (4, top), one_line(name, 40), "label")
    words = f"{numbers.count(row[-1])} of {numbers.count(row[0])}, {share}"
    svg.text(root, (396, top), words, "value", "end")
    svg.bar(root, (4, top + 6), (392, 11), "track")
    for step, amount in enumerate(row):
        last = step == len(row) - 1
        kind = "synthetic" if last else "step"
        svg.bar(root, (4, top + 6), (x(amount) - 4, 11), kind, f"{stages[step]}: {numbers.count(amount)}")
