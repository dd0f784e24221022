"""The dose picture: the synthetic share on its axis with bands, cap and interval, and the n_eff law above it."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.detail import Measurements
from holdfast.report.picture import Picture, more
from holdfast.stats.dose import NOTICEABLE_FROM, SUBSTANTIAL_ABOVE, effective_share

# Bounds and words of the dose bands (stats.dose).
BANDS = (
    (0.0, NOTICEABLE_FROM, "minimal"),
    (NOTICEABLE_FROM, SUBSTANTIAL_ABOVE, "noticeable, recoverable"),
    (SUBSTANTIAL_ABOVE, 1.0, "substantial risk"),
)
_CAPTION = (
    "The curve is the effective sample share n_eff = 1 - s² left at synthetic share s when each generation is an "
    "unbiased resample; sharpened sampling (low temperature, top-p, judge filters) leaves less."
)


def dose(measurements: Measurements) -> Picture | None:
    """The synthetic share on the dose axis with its bands, cap, interval or bounds, and the n_eff law above it."""
    m = measurements.get("synthetic-ratio")
    given = detail.of(measurements, "synthetic-ratio")
    bounds = detail.pair(given.get("bounds")) or (m and detail.pair([m["low"], m["high"]])) or None
    if m is None or (m["value"] is None and bounds is None):
        return None
    root = svg.canvas(232, "Dose: synthetic share and effective sample", _words(m))
    x, y = svg.scale(0, 1, 42, 380), svg.scale(0, 1, 178, 26)
    _axes(root, x, y)
    cap = detail.number(given.get("cap"))
    if cap is not None:
        svg.line(root, (x(cap), 20), (x(cap), 178), "cap")
        svg.text(root, (x(cap), 14), f"cap {100 * cap:g}%", "label", "middle")
    if m["value"] is None:
        _bounds(root, bounds or (0.0, 1.0), x)
    else:
        _point(root, m, x, y)
    notes = detail.words(given.get("counter_evidence"))
    return Picture(_words(m), svg.markup(root), _CAPTION, ("quantity", "value"), _rows(m, cap), notes)


def _axes(root: Element, x: svg.Scale, y: svg.Scale) -> None:
    """Bands, both axes and the n_eff curve."""
    for index, (low, high, name) in enumerate(BANDS):
        svg.bar(root, (x(low), 26), (x(high) - x(low), 152), f"band band-{index}")
        svg.text(root, ((x(low) + x(high)) / 2, 222), name, "small", "middle")
    for share in (0.0, 0.5, 1.0):
        svg.line(root, (42, y(share)), (380, y(share)), "grid")
        svg.text(root, (36, y(share) + 4), f"{100 * share:g}%", "tick", "end")
    for share in (0.0, NOTICEABLE_FROM, SUBSTANTIAL_ABOVE, 1.0):
        svg.text(root, (x(share), 198), f"{100 * share:g}%", "tick", "middle")
    svg.path(root, [(x(s / 40), y(effective_share(1 - s / 40))) for s in range(41)], "curve")


def _point(root: Element, m: Mapping[str, Any], x: svg.Scale, y: svg.Scale) -> None:
    """The dot on the curve with its interval, and n_eff written beside it."""
    value = m["value"]
    effective = _effective(m)
    low, high = m["low"], m["high"]
    if low is not None and high is not None and high > low:
        svg.bar(root, (x(low), 173), (x(high) - x(low), 10), "interval", f"interval {numbers.interval(m)}")
    svg.line(root, (x(value), 178), (x(value), y(effective)), "drop")
    svg.line(root, (x(value), y(effective)), (42, y(effective)), "drop dashed")
    svg.dot(root, (x(value), y(effective)), 6, "mark synthetic", numbers.value(m))
    words = f"{numbers.percent(effective)} effective"
    # Beside the dropped line where the words end below the curve: left of it, or right and lower for a small share.
    if value < 0.36:
        svg.text(root, (x(value) + 10, y(effective_share(0.6 - value)) + 16), words, "strong")
    else:
        svg.text(root, (x(value) - 10, y(effective) + 20), words, "strong", "end")


def _bounds(root: Element, bounds: tuple[float, float], x: svg.Scale) -> None:
    """What remains possible when origins are unknown."""
    low, high = bounds
    svg.bar(root, (x(low), 170), (x(high) - x(low), 16), "unknown")
    words = f"between {numbers.percent(low)} and {numbers.percent(high)}"
    svg.text(root, (min(max((x(low) + x(high)) / 2, 130), 300), 160), words, "strong", "middle")


def _effective(m: Mapping[str, Any]) -> float:
    """n_eff as a share: as measured, or from the law."""
    given = detail.number(more(m).get("n_eff"))
    return given if given is not None and 0 <= given <= 1 else effective_share(1 - m["value"])


def _words(m: Mapping[str, Any]) -> str:
    """The picture in one sentence, for those who do not see it."""
    if m["value"] is None:
        return "The synthetic share is not known"
    return f"{numbers.value(m)} synthetic leaves {numbers.percent(_effective(m))} effective"


def _rows(m: Mapping[str, Any], cap: float | None) -> tuple[tuple[str, ...], ...]:
    """The dose data as a table."""
    bounds = detail.pair(more(m).get("bounds"))
    rows = [("synthetic share", numbers.value(m)), ("interval", numbers.interval(m))]
    rows.append(("records", numbers.count(m["n"])))
    if bounds is not None:
        rows.append(("bounds with unknown origin", numbers.span(*bounds, "share")))
    if m["value"] is not None:
        rows.append(("effective sample share (n_eff)", numbers.percent(_effective(m))))
    if cap is not None:
        rows.append(("cap", numbers.percent(cap)))
    plan = detail.amounts(more(m).get("dilution"))
    rows += [(f"to reach the cap: {name.replace('_', ' ')}", numbers.count(plan[name])) for name in plan]
    return tuple(rows)
