"""The diversity picture: every anchor metric as a dot with its interval against 1.0, the anchor held against itself."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.detail import Measurements
from holdfast.report.picture import Picture, count, more
from holdfast.report.shown import one_line

# Verdict words short enough for the right edge; the table has the words themselves.
_SHORT = {"equivalent": "same", "inconclusive": "unclear"}


def anchor(measurements: Measurements) -> Picture | None:
    """Each anchor metric as a dot with its interval against 1.0, the anchor held against itself."""
    first = ("anchor-diversity", "tail-coverage")
    ranked = sorted(measurements.items(), key=lambda item: (not _p(item[1]), item[0] not in first, item[0]))
    rows = [(slug, m) for slug, m in ranked if _is_anchor(m)]
    tested = [(slug, m) for slug, m in rows if _p(m)] or rows
    if not rows:
        return None
    margin = max((abs(detail.number(more(m).get("margin")) or 0.0) for _, m in rows), default=0.0)
    ends = [m[key] for _, m in rows for key in ("low", "value", "high") if m[key] is not None]
    low, high = min([*ends, 1 - margin, 0.95]), max([*ends, 1 + margin, 1.05])
    x = svg.scale(low, high, 160, 286)
    bottom = 8 + 30 * len(rows)
    root = svg.canvas(bottom + 24, "Diversity against the real anchor", "Dots with intervals against the line at 1.")
    if margin:
        svg.bar(root, (x(1 - margin), 4), (x(1 + margin) - x(1 - margin), bottom - 4), "margin")
    svg.line(root, (x(1), 4), (x(1), bottom), "one")
    if len(tested) < len(rows):
        svg.line(root, (4, 9 + 30 * len(tested)), (396, 9 + 30 * len(tested)), "grid")
    for row, (slug, m) in enumerate(rows):
        _whisker(root, 24 + 30 * row, slug, m, x)
    for tick in (low, 1.0, high):
        if tick == 1.0 or abs(x(tick) - x(1)) > 34:
            svg.text(root, (x(tick), bottom + 16), f"{tick:.2f}", "tick", "middle")
    table = tuple((slug, numbers.value(m), numbers.interval(m), _verdict(m), _p(m), count(m["n"])) for slug, m in rows)
    caption = "1.0 is the anchor held against itself at equal size; the shaded margin is what is not worth acting on."
    caption += " Below the line: described, not tested." if len(tested) < len(rows) else ""
    worse = sum(_verdict(m) == "worse" for _, m in tested)
    title = f"{worse} of {len(tested)} tested diversity measures worse than the real anchor"
    return Picture(title, svg.markup(root), caption, ("metric", "ratio", "interval", "verdict", "p", "n"), table)


def _whisker(root: Element, y: float, slug: str, m: Mapping[str, Any], x: svg.Scale) -> None:
    """One metric: its name, whisker and dot, and its verdict in words."""
    verdict = _verdict(m)
    kind = verdict if verdict in ("worse", "better") else "same"
    svg.text(root, (4, y), one_line(slug, 23), "label")
    svg.text(root, (396, y), f"{numbers.value(m)} {_SHORT.get(verdict, one_line(verdict, 9))}", f"value {kind}", "end")
    if m["low"] is not None and m["high"] is not None:
        svg.line(root, (x(m["low"]), y - 4), (x(m["high"]), y - 4), f"whisker {kind}")
    svg.dot(root, (x(m["value"]), y - 4), 5, f"mark {kind}", f"{numbers.value(m)} ({numbers.interval(m)})")


def _is_anchor(m: Mapping[str, Any]) -> bool:
    """True for a known ratio that carries a verdict against the anchor."""
    return m["value"] is not None and numbers.is_ratio(m["unit"]) and isinstance(more(m).get("verdict"), str)


def _verdict(m: Mapping[str, Any]) -> str:
    """The verdict word of an anchor metric."""
    return str(more(m).get("verdict", ""))


def _p(m: Mapping[str, Any]) -> str:
    """The p value of an anchor metric, '' where none was given."""
    p = detail.number(more(m).get("p"))
    return "" if p is None else f"{p:.2g}"
