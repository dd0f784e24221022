"""The diversity bill: what each filter did to variety, held against leaving out as many records at random."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture
from holdfast.report.shown import one_line

_SHORT = {"like-chance": "chance", "unknown": "not known"}
_WORDS = {"costs": "costs variety", "gains": "takes repetition", "like-chance": "like chance", "unknown": "not known"}


def bill(given: Mapping[str, Any]) -> Picture | None:
    """One whisker a filter and measure on a common axis; below 1 the filter took variety."""
    rows = [row for entry in detail.items(given.get("bills")) for row in _lines(detail.mapping(entry))]
    if not rows:
        return None
    ends = [end for *_, low, high in rows for end in (low, high)]
    x = svg.scale(min([*ends, 0.95]), max([*ends, 1.05]), 180, 290)
    heads = {row[0]: place for place, row in reversed(list(enumerate(rows)))}
    bottom = 14 + 26 * (len(rows) + len(heads))
    root = svg.canvas(bottom + 22, "Diversity bill", "Dots with intervals against the line at 1.")
    svg.line(root, (x(1), 4), (x(1), bottom), "one")
    for place, row in enumerate(rows):
        begun = sum(first <= place for first in heads.values())
        if heads[row[0]] == place:
            svg.text(root, (4, 20 + 26 * (place + begun - 1)), f"{row[0]}, {row[1]} removed", "small")
        _whisker(root, 20 + 26 * (place + begun), row, x)
    svg.text(root, (x(1), bottom + 16), "1.00, chance", "tick", "middle")
    costs = sum(row[3] == "costs" for row in rows)
    title = f"{costs} of {len(rows)} measures paid for filtering" if costs else "Filtering cost no variety"
    caption = (
        "Ratio to leaving out as much at random, with the interval of chance. A bill that costs may be worth paying."
    )
    header = ("filter", "removed", "measure", "verdict", "ratio", "interval")
    table = tuple(
        (name, removed, slug, _WORDS.get(verdict, verdict), f"{value:.3f}", f"{low:.3f} \u2013 {high:.3f}")
        for name, removed, slug, verdict, value, low, high in rows
    )
    return Picture(title, svg.markup(root), caption, header, table)


_Line = tuple[str, str, str, str, float, float, float]


def _lines(entry: Mapping[str, Any]) -> list[_Line]:
    name = one_line(str(entry.get("filter", "")), 40)
    removed = numbers.count(detail.number(entry.get("removed")) or 0)
    found = []
    for slug, said in detail.mapping(entry.get("numbers")).items():
        read = detail.mapping(said)
        value, low, high = (detail.number(read.get(key)) for key in ("value", "low", "high"))
        if value is not None and low is not None and high is not None:
            verdict = one_line(str(read.get("verdict", "")), 20)
            found.append((name, removed, one_line(str(slug), 40), verdict, value, low, high))
    return found


def _whisker(root: Element, y: float, row: _Line, x: svg.Scale) -> None:
    name, _, slug, verdict, value, low, high = row
    kind = {"costs": "worse", "gains": "better"}.get(verdict, "same")
    svg.text(root, (4, y), one_line(slug, 25), "label")
    svg.text(root, (396, y), f"{value:.3f} {_SHORT.get(verdict, verdict)}", f"value {kind}", "end")
    svg.line(root, (x(low), y - 4), (x(high), y - 4), f"whisker {kind}")
    svg.dot(root, (x(value), y - 4), 4.5, f"mark {kind}", f"{name}: {value:.3f} ({low:.3f} \u2013 {high:.3f})")
