"""The pictures of a report, each drawn from the `detail` of a measurement or a part of `pictures`, each with a table.

A picture whose data are absent or of another shape is left out; nothing is drawn from a guess. What a picture shows is
never in colour alone: places, words or shapes carry it too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.anchor_chart import anchor
from holdfast.report.bill_chart import bill
from holdfast.report.checks_chart import checks
from holdfast.report.comparison import comparison
from holdfast.report.curves import lengths, near_duplicates
from holdfast.report.detail import Measurements
from holdfast.report.dose_chart import dose
from holdfast.report.duplicates_browser import duplicates
from holdfast.report.funnel_chart import funnel
from holdfast.report.lineage_chart import lineage
from holdfast.report.map_chart import spread
from holdfast.report.picture import Picture, count
from holdfast.report.shown import one_line
from holdfast.report.strata_chart import strata
from holdfast.report.survival_chart import forecast
from holdfast.report.tail_chart import tail

ORIGINS = ("real", "synthetic", "mixed", "unknown")
_MAX_BARS = 10


def pictures(measurements: Measurements, parts: Mapping[str, Any] = {}) -> list[Picture]:  # never changed
    """Return every picture there are data for, in reading order: what changed, the narrow ones, the wide ones.

    `parts` is what a report carries for its pictures beyond its measurements.
    """
    given = detail.mapping(parts)
    drawn = [*(draw(measurements) for draw in _OF_NUMBERS), *(draw(given) for draw in _OF_PARTS)]
    found = [picture for picture in drawn if picture is not None]
    first = comparison(given)
    return [*([first] if first else []), *sorted(found, key=lambda picture: picture.wide)]


def composition(measurements: Measurements) -> Picture | None:
    """What the set is made of: one bar by records, one by words."""
    by_record = detail.amounts(detail.of(measurements, "synthetic-ratio").get("counts"))
    by_word = detail.amounts(detail.of(measurements, "synthetic-ratio-tokens").get("words"))
    bars = [(name, amounts) for name, amounts in (("records", by_record), ("words", by_word)) if sum(amounts.values())]
    if not bars:
        return None
    root = svg.canvas(40 + 72 * len(bars), "Composition by origin", "Stacked bars of real, synthetic, mixed, unknown.")
    for row, (name, amounts) in enumerate(bars):
        _stack(root, 16 + 72 * row, name, amounts)
    present = [origin for origin in ORIGINS if any(amounts.get(origin) for _, amounts in bars)]
    for column, origin in enumerate(present):
        svg.bar(root, (4 + 98 * column, 20 + 72 * len(bars)), (10, 10), origin)
        svg.text(root, (19 + 98 * column, 29 + 72 * len(bars)), origin, "label")
    rows = tuple((o, *(numbers.count(amounts.get(o, 0)) for _, amounts in bars)) for o in present)
    caption = "Mixed records, such as a real prompt with a synthetic answer, count as synthetic by records."
    return Picture("What it is made of", svg.markup(root), caption, ("origin", *(name for name, _ in bars)), rows)


def _stack(root: Element, top: float, name: str, amounts: Mapping[str, float]) -> None:
    """One stacked bar with the shares written in it where they fit."""
    total = sum(amounts.values())
    svg.text(root, (4, top), f"{numbers.count(total)} {name}", "label")
    left = 4.0
    for origin in ORIGINS:
        width = 392 * amounts.get(origin, 0) / total
        if width:
            share = numbers.percent(amounts[origin] / total)
            svg.bar(root, (left, top + 8), (max(width - 1.5, 1), 34), origin, f"{origin} {share}")
            if width > 48:
                svg.text(root, (left + width / 2, top + 29), share, f"on-{origin}", "middle")
        left += width


def concentration(slug: str, noun: str) -> Callable[[Measurements], Picture | None]:
    """Return the picture of how the synthetic part is shared among generators or families."""

    def draw(measurements: Measurements) -> Picture | None:
        given = detail.of(measurements, slug)
        shares = detail.amounts(given.get("shares"))
        if not shares:
            return None
        ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        drawn = [*ranked[:_MAX_BARS]]
        if len(ranked) > _MAX_BARS:
            drawn.append((f"{len(ranked) - _MAX_BARS} others", sum(share for _, share in ranked[_MAX_BARS:])))
        cap = detail.number(given.get("cap"))
        root = svg.canvas(18 + 36 * len(drawn), f"Share of the synthetic part by {noun}", f"Bars, one a {noun}.")
        _bars(root, drawn, cap)
        counts = detail.amounts(given.get("counts"))
        rows = tuple((one_line(k, 80), numbers.percent(v), count(counts.get(k))) for k, v in ranked)
        caption = f"Shares of the synthetic records by {noun}." + (
            " Beyond the dashed line it is a finding." if cap else ""
        )
        title = f"{one_line(ranked[0][0], 40)} wrote {numbers.percent(ranked[0][1])} of the synthetic part"
        return Picture(title, svg.markup(root), caption, (noun, "share", "records"), rows)

    return draw


def _bars(root: Element, rows: Sequence[tuple[str, float]], cap: float | None) -> None:
    """Labelled bars on an axis of 0 to 100 %, the value at the right edge."""
    x = svg.scale(0, 1, 4, 396)
    for row, (name, share) in enumerate(rows):
        top = 14 + 36 * row
        svg.text(root, (4, top), one_line(name, 46), "label")
        svg.text(root, (396, top), numbers.percent(share), "value", "end")
        svg.bar(root, (4, top + 6), (392, 9), "track")
        over = " over" if cap is not None and share > cap else ""
        svg.bar(root, (4, top + 6), (x(share) - 4, 9), f"synthetic{over}", f"{one_line(name, 120)}: {share:.4f}")
        if cap is not None:
            svg.line(root, (x(cap), top + 4), (x(cap), top + 17), "cap")


_OF_NUMBERS: tuple[Callable[[Measurements], Picture | None], ...] = (
    dose,
    composition,
    anchor,
    concentration("generator-concentration", "generator"),
    concentration("family-concentration", "family"),
    near_duplicates,
    forecast,
    lengths,
)
_OF_PARTS: tuple[Callable[[Mapping[str, Any]], Picture | None], ...] = (
    tail,
    funnel,
    checks,
    lineage,
    bill,
    strata,
    spread,
    duplicates,
)
