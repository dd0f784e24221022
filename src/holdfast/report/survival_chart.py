"""The forecast of the tail: what share of word types would be left after generations of nothing but resampling."""

from collections.abc import Mapping
from typing import Any

from holdfast.report import detail, numbers, svg
from holdfast.report.detail import Measurements
from holdfast.report.picture import Picture, frame
from holdfast.stats.dose import survival

_GENERATIONS = 10
_SEEN = (1, 2, 5, 20)


def forecast(measurements: Measurements) -> Picture | None:
    """Curves for words seen 1, 2, 5 and 20 times by the law, and dots with intervals for this set's own words."""
    told = detail.mapping(detail.of(measurements, "synthetic-ratio").get("dose"))
    dots = [dot for m in (1, 5, 10) if (dot := _dot(m, detail.mapping(told.get(f"types_left_{m}"))))]
    if not dots:
        return None
    root = svg.canvas(216, "Forecast of the tail", "Falling curves over generations of resampling.")
    x, y = svg.scale(0, _GENERATIONS, 52, 325), svg.scale(0, 1, 166, 18)
    frame(root, [0.0, 0.5, 1.0], y, numbers.percent)
    for seen in _SEEN:
        svg.path(root, [(x(m), y(survival(seen, m))) for m in range(_GENERATIONS + 1)], "curve thin")
        svg.text(root, (331, y(survival(seen, _GENERATIONS)) + 4), f"seen {seen}x", "tick")
    svg.path(root, [(x(0), y(1.0)), *((x(m), y(value)) for m, value, *_ in dots)], "curve synthetic")
    for m, value, low, high, _ in dots:
        svg.line(root, (x(m), y(low)), (x(m), y(high)), "whisker")
        svg.dot(root, (x(m), y(value)), 5, "mark synthetic", f"{numbers.percent(value)} after {m:g}")
    for m in (0, 1, 5, 10):
        svg.text(root, (x(m), 184), str(m), "tick", "middle")
    svg.text(root, (196, 204), "generations trained on nothing but the last one", "small", "middle")
    rows = tuple(
        (f"{m:g}", numbers.percent(value), numbers.span(low, high, "share"), numbers.count(n))
        for m, value, low, high, n in dots
    )
    title = f"Resampled ten times, {numbers.percent(dots[-1][1])} of the word types are left"
    caption = (
        "What unbiased resampling at constant size leaves, a bound and no prediction: real data in every generation "
        "keeps more, sharpened sampling less. Suresh et al. 2024 (arXiv 2412.17646)."
    )
    return Picture(title, svg.markup(root), caption, ("generations", "word types left", "interval", "types"), rows)


def _dot(m: int, read: Mapping[str, Any]) -> tuple[float, float, float, float, float] | None:
    value, n = detail.number(read.get("value")), detail.number(read.get("n"))
    ends = detail.pair([read.get("low"), read.get("high")])
    if value is None or ends is None or not 0 <= value <= 1:
        return None
    return float(m), value, *ends, n or 0.0
