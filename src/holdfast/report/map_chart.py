"""The map: real records against each generator on one plane, with the real clusters that a generator does not reach."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture, left_out
from holdfast.report.shown import one_line

_SIZE = 240


def spread(given: Mapping[str, Any]) -> Picture | None:
    """One panel a generator: real records as small dots, its own on top, uncovered clusters as numbered rings."""
    part = detail.mapping(given.get("map"))
    points = {str(name): detail.places(value) for name, value in detail.mapping(part.get("points")).items()}
    real = points.pop("real", [])
    if not real or not points:
        return None
    found = [detail.mapping(entry) for entry in detail.items(part.get("clusters"))]
    bare = [entry for entry in found if detail.items(entry.get("uncovered_by"))]
    panels = "".join(_panel(name, real, made, bare) for name, made in points.items())
    explained = detail.number(part.get("explained")) or 0.0
    caption = (
        f"Grey: real records. Orange: the generator's. Numbered rings: clusters of real records that it does "
        f"not reach although three or more of its records were expected there. Nearness by "
        f"{one_line(str(part.get('encoder', '')), 60)}; the plane shows {numbers.percent(explained)} of the spread, "
        "the clusters are found in all of it."
    )
    rows = tuple(_row(number, entry, tuple(points)) for number, entry in enumerate(_ordered(found), 1))
    header = ("cluster", "real", *(one_line(name, 40) for name in points), "not reached by", "an example")
    held = {id(entry) for entry in bare}
    title = (
        f"{len(held)} of {len(found)} real clusters are not reached by some generator"
        if held
        else (f"All {len(found)} real clusters are reached, as far as the sample can tell")
    )
    markup = f'<div class="panels">{panels}</div>'
    return Picture(title, markup, caption + _drawn(part, points, real) + left_out(part), header, rows, wide=True)


def _ordered(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Uncovered clusters first, in their order, so that ring 1 is row 1."""
    return sorted(found, key=lambda entry: not detail.items(entry.get("uncovered_by")))


def _panel(name: str, real: list[detail.Point], made: list[detail.Point], bare: Sequence[Mapping[str, Any]]) -> str:
    root = svg.canvas(_SIZE + 22, f"Real records and {name}", "A scatter of two colours.", _SIZE)
    x, y = svg.scale(0, 100, 6, _SIZE - 6), svg.scale(0, 100, _SIZE + 14, 26)
    svg.text(root, (4, 14), one_line(name, 34), "label strong")
    for a, b in real:
        svg.dot(root, (x(a), y(b)), 1.6, "point real-point")
    for a, b in made:
        svg.dot(root, (x(a), y(b)), 2.1, "point made-point")
    for number, entry in enumerate(bare, 1):
        at = detail.places([entry.get("at")])
        if not at or name not in detail.words(entry.get("uncovered_by")):
            continue
        spot = (x(at[0][0]), y(at[0][1]))
        svg.ring(root, spot, 9, "uncovered", f"cluster {number}")
        svg.text(root, (spot[0], spot[1] + 4), str(number), "strong", "middle")
    return svg.markup(root)


def _drawn(part: Mapping[str, Any], points: Mapping[str, list[detail.Point]], real: list[detail.Point]) -> str:
    """How many of how many records are drawn."""
    of = detail.amounts(part.get("of"))
    sides = [("real", real), *points.items()]
    told = [f"{one_line(k, 30)} {len(v):,} of {numbers.count(of.get(k, len(v)))}" for k, v in sides]
    return f" Drawn: {', '.join(told)}."


def _row(number: int, entry: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    records = detail.amounts(entry.get("records"))
    counts = [numbers.count(records.get(name, 0)) for name in ("real", *names)]
    missing = ", ".join(one_line(word, 40) for word in detail.words(entry.get("uncovered_by"))) or "\u2013"
    return (str(number), *counts, missing, one_line(str(entry.get("example", "")), 100))
