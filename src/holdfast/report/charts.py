"""The pictures of a report, each drawn from the `detail` of one measurement, each with its data as a table.

A picture whose data are absent or of another shape is left out; nothing is drawn from a guess. What a picture shows is
never in colour alone: places, words or shapes carry it too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.detail import Measurements
from holdfast.report.shown import one_line

ORIGINS = ("real", "synthetic", "mixed", "unknown")
# The dose bands: under 30 % synthetic minimal, 30-70 % noticeable but recoverable, above substantial. They are the
# levels n_eff >= .9, >= .5 and below of the law n_eff/n = 1 - s^2 for a synthetic share s, resampled without bias.
BANDS = ((0.0, 0.3, "minimal"), (0.3, 0.7, "noticeable, recoverable"), (0.7, 1.0, "substantial risk"))
_MAX_BARS = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what it shows in words, the drawing as markup, how to read it, and its data as a table."""

    title: str
    markup: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pictures(measurements: Measurements) -> list[Picture]:
    """Return every picture the measurements have data for, in reading order."""
    drawn = (draw(measurements) for draw in _ALL)
    return [picture for picture in drawn if picture is not None]


def band(share: float) -> str:
    """The dose band of a synthetic share: minimal below .3, noticeable to .7, substantial above."""
    return "minimal" if share < 0.3 else "noticeable" if share <= 0.7 else "substantial"


def dose(measurements: Measurements) -> Picture | None:
    """The synthetic share on the dose axis with its bands, cap, interval or bounds, and the n_eff law above it."""
    m = measurements.get("synthetic-ratio")
    more = detail.of(measurements, "synthetic-ratio")
    bounds = detail.pair(more.get("bounds"))
    if m is None or (m["value"] is None and bounds is None):
        return None
    root = svg.canvas(232, "Dose: synthetic share and effective sample", _dose_words(m))
    x, y = svg.scale(0, 1, 42, 388), svg.scale(0, 1, 178, 26)
    _dose_axes(root, x, y)
    cap = detail.number(more.get("cap"))
    if cap is not None:
        svg.line(root, (x(cap), 20), (x(cap), 178), "cap")
        svg.text(root, (x(cap), 14), f"cap {numbers.percent(cap)}", "label", "middle")
    if m["value"] is None:
        _dose_bounds(root, bounds or (0.0, 1.0), x)
    else:
        _dose_point(root, m, x, y)
    title = "The share made by models is not known" if m["value"] is None else f"{numbers.value(m)} synthetic"
    return Picture(title, svg.markup(root), _DOSE_CAPTION, ("quantity", "value"), _dose_rows(m, cap))


_DOSE_CAPTION = (
    "The curve is the effective sample share n_eff = 1 - s² left at synthetic share s when each generation is an "
    "unbiased resample; sharpened sampling (low temperature, top-p, judge filters) leaves less."
)


def _dose_axes(root: Element, x: svg.Scale, y: svg.Scale) -> None:
    """Bands, both axes and the n_eff curve."""
    for index, (low, high, name) in enumerate(BANDS):
        svg.bar(root, (x(low), 26), (x(high) - x(low), 152), f"band band-{index}")
        svg.text(root, ((x(low) + x(high)) / 2, 222), name, "small", "middle")
    for share in (0.0, 0.5, 1.0):
        svg.line(root, (42, y(share)), (388, y(share)), "grid")
        svg.text(root, (36, y(share) + 4), numbers.percent(share), "tick", "end")
    for share in (0.0, 0.3, 0.7, 1.0):
        svg.text(root, (x(share), 198), numbers.percent(share), "tick", "middle")
    svg.path(root, [(x(s / 40), y(1 - (s / 40) ** 2)) for s in range(41)], "curve")


def _dose_point(root: Element, m: Mapping[str, Any], x: svg.Scale, y: svg.Scale) -> None:
    """The dot on the curve with its interval, and n_eff written beside it."""
    value = m["value"]
    effective = _effective(m)
    low, high = m["low"], m["high"]
    if low is not None and high is not None and high > low:
        svg.bar(root, (x(low), 174), (x(high) - x(low), 8), "interval", f"interval {numbers.interval(m)}")
    svg.line(root, (x(value), 178), (x(value), y(effective)), "drop")
    svg.line(root, (x(value), y(effective)), (42, y(effective)), "drop dashed")
    svg.dot(root, (x(value), y(effective)), 6, "mark synthetic", numbers.value(m))
    words = f"{numbers.percent(effective)} effective"
    if value <= 0.5:
        svg.text(root, (x(value) + 11, y(effective) + (16 if value < 0.25 else -6)), words, "strong")
    else:
        svg.text(root, (x(value) - 10, y(effective) + 18), words, "strong", "end")


def _dose_bounds(root: Element, bounds: tuple[float, float], x: svg.Scale) -> None:
    """What remains possible when origins are unknown."""
    low, high = bounds
    svg.bar(root, (x(low), 170), (x(high) - x(low), 16), "unknown")
    words = f"between {numbers.percent(low)} and {numbers.percent(high)}"
    svg.text(root, (min(max((x(low) + x(high)) / 2, 130), 300), 160), words, "strong", "middle")


def _effective(m: Mapping[str, Any]) -> float:
    """n_eff as a share: as measured, or from the law."""
    given = detail.number(_more(m).get("n_eff"))
    return given if given is not None and 0 <= given <= 1 else 1 - float(m["value"]) ** 2


def _dose_words(m: Mapping[str, Any]) -> str:
    """The picture in one sentence, for those who do not see it."""
    if m["value"] is None:
        return "The synthetic share is not known; the bar shows what remains possible."
    return f"{numbers.value(m)} synthetic leaves {numbers.percent(_effective(m))} of the records effective."


def _dose_rows(m: Mapping[str, Any], cap: float | None) -> tuple[tuple[str, ...], ...]:
    """The dose data as a table."""
    bounds = detail.pair(_more(m).get("bounds"))
    rows = [("synthetic share", numbers.value(m)), ("interval", numbers.interval(m))]
    rows.append(("records", numbers.count(m["n"])))
    if bounds is not None:
        rows.append(("bounds with unknown origin", numbers.span(*bounds, "share")))
    if m["value"] is not None:
        rows.append(("effective sample share (n_eff)", numbers.percent(_effective(m))))
    if cap is not None:
        rows.append(("cap", numbers.percent(cap)))
    return tuple(rows)


def composition(measurements: Measurements) -> Picture | None:
    """What the set is made of: one bar by records, one by words."""
    by_record = detail.amounts(detail.of(measurements, "synthetic-ratio").get("counts"))
    by_word = detail.amounts(detail.of(measurements, "synthetic-ratio-tokens").get("words"))
    bars = [(name, amounts) for name, amounts in (("records", by_record), ("words", by_word)) if sum(amounts.values())]
    if not bars:
        return None
    root = svg.canvas(34 + 56 * len(bars), "Composition by origin", "Stacked bars of real, synthetic, mixed, unknown.")
    for row, (name, amounts) in enumerate(bars):
        _stack(root, 20 + 56 * row, name, amounts)
    present = [origin for origin in ORIGINS if any(amounts.get(origin) for _, amounts in bars)]
    for column, origin in enumerate(present):
        svg.bar(root, (4 + 98 * column, 20 + 56 * len(bars) - 4), (10, 10), origin)
        svg.text(root, (19 + 98 * column, 20 + 56 * len(bars) + 5), origin, "label")
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
            svg.bar(root, (left, top + 8), (max(width - 1.5, 1), 22), origin, f"{origin} {share}")
            if width > 48:
                svg.text(root, (left + width / 2, top + 23), share, f"on-{origin}", "middle")
        left += width


def concentration(slug: str, noun: str) -> Callable[[Measurements], Picture | None]:
    """Return the picture of how the synthetic part is shared among generators or families."""

    def draw(measurements: Measurements) -> Picture | None:
        more = detail.of(measurements, slug)
        shares = detail.amounts(more.get("shares"))
        if not shares:
            return None
        ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        drawn = [*ranked[:_MAX_BARS]]
        if len(ranked) > _MAX_BARS:
            drawn.append((f"{len(ranked) - _MAX_BARS} others", sum(share for _, share in ranked[_MAX_BARS:])))
        cap = detail.number(more.get("cap"))
        root = svg.canvas(18 + 36 * len(drawn), f"Share of the synthetic part by {noun}", f"Bars, one a {noun}.")
        _bars(root, drawn, cap)
        counts = detail.amounts(more.get("counts"))
        rows = tuple((one_line(k, 80), numbers.percent(v), _count(counts.get(k))) for k, v in ranked)
        caption = f"Shares of the synthetic records by {noun}." + (" The dashed line is the cap." if cap else "")
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
            svg.line(root, (x(cap), top + 2), (x(cap), top + 19), "cap")


def anchor(measurements: Measurements) -> Picture | None:
    """Each anchor metric as a dot with its interval against 1.0, the anchor held against itself."""
    rows = [(slug, m) for slug, m in sorted(measurements.items()) if _is_anchor(m)]
    if not rows:
        return None
    ends = [m[key] for _, m in rows for key in ("low", "value", "high") if m[key] is not None]
    margin = max((abs(detail.number(_more(m).get("margin")) or 0.0) for _, m in rows), default=0.0)
    low, high = min([*ends, 1 - margin, 0.95]), max([*ends, 1 + margin, 1.05])
    x = svg.scale(low - 0.02, high + 0.02, 8, 392)
    bottom = 30 + 38 * len(rows)
    root = svg.canvas(bottom + 22, "Diversity against the real anchor", "Dots with intervals against the line at 1.")
    if margin:
        svg.bar(root, (x(1 - margin), 6), (x(1 + margin) - x(1 - margin), bottom - 6), "margin")
    svg.line(root, (x(1), 6), (x(1), bottom), "one")
    for row, (slug, m) in enumerate(rows):
        _whisker(root, 24 + 38 * row, slug, m, x)
    for tick in sorted({low, 1.0, high}):
        svg.text(root, (x(tick), bottom + 16), f"{tick:.2f}", "tick", "middle" if 40 < x(tick) < 360 else _end(x(tick)))
    table = tuple((slug, numbers.value(m), numbers.interval(m), _verdict(m), _p(m), _count(m["n"])) for slug, m in rows)
    caption = "1.0 is the anchor held against itself at equal size; the shaded margin is what is not worth acting on."
    title = "Diversity against the real anchor"
    return Picture(title, svg.markup(root), caption, ("metric", "ratio", "interval", "verdict", "p", "n"), table)


def _end(x: float) -> str:
    """The anchor of a tick near an edge."""
    return "start" if x <= 40 else "end"


def _whisker(root: Element, y: float, slug: str, m: Mapping[str, Any], x: svg.Scale) -> None:
    """One metric: its name, its verdict in words, whisker and dot."""
    verdict = _verdict(m)
    kind = verdict if verdict in ("worse", "better") else "same"
    svg.text(root, (8, y - 4), one_line(slug, 34), "label")
    svg.text(root, (392, y - 4), f"{numbers.value(m)}  {one_line(verdict, 16)}", f"value {kind}", "end")
    if m["low"] is not None and m["high"] is not None:
        svg.line(root, (x(m["low"]), y + 8), (x(m["high"]), y + 8), f"whisker {kind}")
    svg.dot(root, (x(m["value"]), y + 8), 5, f"mark {kind}", f"{numbers.value(m)} ({numbers.interval(m)})")


def near_duplicates(measurements: Measurements) -> Picture | None:
    """How many records repeat another as the similarity threshold moves."""
    more = detail.of(measurements, "near-duplicates")
    curve = detail.points(more.get("curve"))
    if len(curve) < 2:
        return None
    top = max(records for _, records in curve) or 1.0
    root = svg.canvas(206, "Near-duplicates over thresholds", "A falling curve of records that repeat another.")
    x, y = svg.scale(curve[0][0], curve[-1][0], 52, 388), svg.scale(0, top, 166, 18)
    _frame(root, [0.0, top / 2, top], y)
    svg.path(root, [(x(t), y(r)) for t, r in curve], "curve")
    used = detail.number(more.get("threshold"))
    for threshold, records in curve:
        is_used = used is not None and abs(threshold - used) < 1e-9
        hover = f"{numbers.count(records)} records at {threshold:g}"
        svg.dot(root, (x(threshold), y(records)), 6 if is_used else 3.5, "mark synthetic" if is_used else "mark", hover)
    for threshold, _ in curve[:: max(1, (len(curve) + 6) // 7)]:
        svg.text(root, (x(threshold), 184), f"{threshold:g}", "tick", "middle")
    svg.text(root, (220, 202), "similarity at or above", "small", "middle")
    n = max(measurements["near-duplicates"]["n"], 1)
    rows = tuple((f"{t:g}", numbers.count(r), numbers.percent(r / n)) for t, r in curve)
    caption = "Records beyond the first of each group. A curve that is flat on the right means true copies."
    return Picture("How much repeats", svg.markup(root), caption, ("threshold", "records", "share"), rows)


def rank_frequency(measurements: Measurements) -> Picture | None:
    """Word counts by rank, real against synthetic, on log axes: a lost tail ends early."""
    series = detail.mapping(detail.of(measurements, "tail-coverage").get("rank_frequency"))
    curves = {name: detail.log_points(series.get(name)) for name in ("real", "synthetic")}
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    if not curves:
        return None
    right = max(points[-1][0] for points in curves.values())
    top = max(points[0][1] for points in curves.values())
    root = svg.canvas(206, "Rank and frequency of words", "Two falling curves, real and synthetic, on log axes.")
    x, y = svg.scale(0, right, 52, 388), svg.scale(0, top, 166, 18)
    _frame(root, [float(d) for d in range(int(top) + 1)], y, lambda d: numbers.count(10**d))
    for name, points in curves.items():
        svg.path(root, [(x(a), y(b)) for a, b in points], f"curve {name}")
    for decade in range(int(right) + 1):
        svg.text(root, (x(decade), 184), numbers.count(10**decade), "tick", "middle")
    svg.text(root, (220, 202), "rank of the word, most frequent first", "small", "middle")
    _legend(root, tuple(curves))
    flat = [(name, a, b) for name, points in curves.items() for a, b in points]
    rows = tuple((name, numbers.count(round(10**a)), numbers.count(round(10**b))) for name, a, b in flat)
    caption = "Both curves at equal size. Where the synthetic curve ends early, rare words are gone."
    return Picture("The tail, real and synthetic", svg.markup(root), caption, ("part", "rank", "count"), rows)


def lengths(measurements: Measurements) -> Picture | None:
    """Histogram of words per record, real against synthetic, each scaled to its own part."""
    data = detail.mapping(detail.of(measurements, "synthetic-ratio-tokens").get("lengths"))
    edges = detail.floats(data.get("edges"))
    parts = {name: detail.floats(data.get(name)) for name in ("real", "synthetic", "unknown")}
    parts = {name: bins for name, bins in parts.items() if len(bins) == len(edges) - 1 and sum(bins) > 0}
    if not parts:
        return None
    shares = {name: [amount / sum(bins) for amount in bins] for name, bins in parts.items()}
    top = max(max(bins) for bins in shares.values())
    root = svg.canvas(206, "Words per record", "Histogram of record lengths by origin.")
    y, step = svg.scale(0, top, 166, 18), 336 / (len(edges) - 1)
    _frame(root, [0.0, top / 2, top], y, numbers.percent)
    for place, (name, bins) in enumerate(shares.items()):
        width = (step - 2) / len(shares)
        for index, share in enumerate(bins):
            svg.bar(root, (52 + index * step + place * width, y(share)), (width, 166 - y(share)), name)
    for index in range(0, len(edges), max(1, len(edges) // 6)):
        svg.text(root, (52 + index * step, 184), numbers.count(edges[index]), "tick", "middle")
    svg.text(root, (220, 202), "words per record", "small", "middle")
    _legend(root, tuple(shares))
    rows = tuple(
        (numbers.span(edges[i], edges[i + 1], "words"), *(numbers.count(bins[i]) for bins in parts.values()))
        for i in range(len(edges) - 1)
    )
    return Picture("How long records are", svg.markup(root), "Each part adds up to 100%.", ("words", *parts), rows)


def _frame(root: Element, ticks: Sequence[float], y: svg.Scale, write: Callable[[float], str] = numbers.count) -> None:
    """Horizontal grid lines with their labels."""
    for tick in ticks:
        svg.line(root, (52, y(tick)), (388, y(tick)), "grid")
        svg.text(root, (46, y(tick) + 4), write(tick), "tick", "end")


def _legend(root: Element, names: Sequence[str]) -> None:
    """Names of the parts with their marks, upper right."""
    for index, name in enumerate(names):
        svg.bar(root, (300, 24 + 18 * index), (12, 10), name)
        svg.text(root, (318, 33 + 18 * index), name, "label")


def _more(m: Mapping[str, Any]) -> Mapping[str, Any]:
    """The detail of a measurement in hand."""
    return detail.mapping(m.get("detail"))


def _is_anchor(m: Mapping[str, Any]) -> bool:
    """True for a known ratio that carries a verdict against the anchor."""
    return m["value"] is not None and m["unit"] == "ratio" and isinstance(_more(m).get("verdict"), str)


def _verdict(m: Mapping[str, Any]) -> str:
    """The verdict word of an anchor metric."""
    return str(_more(m).get("verdict", ""))


def _p(m: Mapping[str, Any]) -> str:
    """The p value of an anchor metric, '' where none was given."""
    p = detail.number(_more(m).get("p"))
    return "" if p is None else f"{p:.2g}"


def _count(amount: float | None) -> str:
    """A count, '' where it is not known."""
    return "" if amount is None else numbers.count(amount)


_ALL: tuple[Callable[[Measurements], Picture | None], ...] = (
    dose,
    composition,
    anchor,
    concentration("generator-concentration", "generator"),
    concentration("family-concentration", "family"),
    near_duplicates,
    rank_frequency,
    lengths,
)
