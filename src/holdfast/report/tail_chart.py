"""The tail: rank and frequency of words, real against synthetic, and how much of each stretch of ranks never comes."""

from collections.abc import Mapping
from math import log10
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture, frame, legend


def tail(given: Mapping[str, Any]) -> Picture | None:
    """Both curves on log axes; below them the share of real words that are missing, beside what chance misses."""
    part = detail.mapping(given.get("tail"))
    curves = {name: detail.log_points(part.get(name)) for name in ("real", "synthetic")}
    if any(len(points) < 2 for points in curves.values()):
        return None
    right = max(points[-1][0] for points in curves.values())
    top = max(points[0][1] for points in curves.values())
    root = svg.canvas(316, "Rank and frequency of words", "Two falling curves on log axes, and bars of lost words.")
    x, y = svg.scale(0, right, 52, 378), svg.scale(0, top, 166, 18)
    frame(root, [float(d) for d in range(int(top) + 1)], y, lambda d: numbers.count(10**d))
    for name, points in curves.items():
        svg.path(root, [(x(a), y(b)) for a, b in points], f"curve {name}")
    legend(root, tuple(curves))
    bins = [entry for entry in map(_bin, detail.items(part.get("lost"))) if entry]
    _lost(root, bins, x)
    for decade in range(int(right) + 1):
        svg.text(root, (x(decade), 292), numbers.count(10**decade), "tick", "middle")
    svg.text(root, (220, 310), "rank of the word in real text, most frequent first", "small", "middle")
    mass, chance = detail.number(part.get("mass")), detail.number(part.get("mass_by_chance"))
    words = numbers.count(detail.number(part.get("words")) or 0)
    title = "The tail, real and synthetic"
    if mass is not None and chance is not None:
        title = f"{numbers.percent(mass)} of real words never come; between two real samples {numbers.percent(chance)}"
    caption = (
        f"At equal size, {words} words a side. Bars: the share of the word types of these ranks that the synthetic "
        "sample lacks; the line in a bar is what a second real sample lacks, so only what stands above it is lost."
    )
    header = ("ranks", "word types", "missing", "share", "95% interval", "missing by chance")
    return Picture(title, svg.markup(root), caption, header, tuple(_row(entry) for entry in bins))


_Bin = tuple[float, float, float, float, float, float, float]


def _bin(entry: Any) -> _Bin | None:
    """(first rank, last rank, types, missing, low, high, by chance), or None for something else."""
    read = detail.mapping(entry)
    ranks, ends = detail.pair(read.get("ranks")), detail.pair(read.get("interval"))
    counts = [detail.number(read.get(key)) for key in ("types", "missing", "by_chance")]
    if ranks is None or ends is None or ranks[0] < 1 or not counts[0]:
        return None
    types, missing, chance = (count or 0.0 for count in counts)
    return (*ranks, types, missing, *ends, chance)


def _lost(root: Element, bins: list[_Bin], x: svg.Scale) -> None:
    y = svg.scale(0, 1, 274, 204)
    frame(root, [0.0, 0.5, 1.0], y, numbers.percent)
    svg.text(root, (52, 194), "share of word types that are missing", "small")
    for first, last, types, missing, _, _, chance in bins:
        left, right = x(log10(first)), x(log10(last + 1))
        share, expected = missing / types, chance / types
        hover = f"ranks {first:,.0f} to {last:,.0f}: {numbers.percent(share)}, by chance {numbers.percent(expected)}"
        svg.bar(root, (left + 1, y(share)), (right - left - 2, 274 - y(share)), "synthetic", hover)
        svg.line(root, (left + 1, y(expected)), (right - 1, y(expected)), "chance")


def _row(entry: _Bin) -> tuple[str, ...]:
    first, last, types, missing, low, high, chance = entry
    ranks = f"{first:,.0f}\u2013{last:,.0f}"
    share = numbers.percent(missing / types)
    ends = numbers.span(low, high, "share")
    return ranks, numbers.count(types), numbers.count(missing), share, ends, numbers.count(chance)
