"""The curve pictures: near-duplicates over thresholds, lengths of records."""

from holdfast.report import detail, numbers, svg
from holdfast.report.detail import Measurements
from holdfast.report.picture import Picture, frame, legend


def near_duplicates(measurements: Measurements) -> Picture | None:
    """How many records repeat another as the similarity threshold moves."""
    given = detail.of(measurements, "near-duplicates")
    curve = detail.points(given.get("curve"))
    if len(curve) < 2:
        return None
    top = max(records for _, records in curve)
    if not top:
        return None  # a flat line says less than the number does
    root = svg.canvas(206, "Near-duplicates over thresholds", "A falling curve of records that repeat another.")
    x, y = svg.scale(curve[0][0], curve[-1][0], 62, 374), svg.scale(0, top, 166, 18)
    frame(root, [0.0, float(top // 2), top], y)
    svg.path(root, [(x(t), y(r)) for t, r in curve], "curve")
    used = detail.number(given.get("threshold"))
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
    y, step = svg.scale(0, top, 166, 18), 326 / (len(edges) - 1)
    frame(root, [0.0, top / 2, top], y, numbers.percent)
    for place, (name, bins) in enumerate(shares.items()):
        width = (step - 2) / len(shares)
        for index, share in enumerate(bins):
            svg.bar(root, (52 + index * step + place * width, y(share)), (width, 166 - y(share)), name)
    for index in range(0, len(edges), max(1, len(edges) // 6)):
        svg.text(root, (52 + index * step, 184), numbers.count(edges[index]), "tick", "middle")
    svg.text(root, (220, 202), "words per record", "small", "middle")
    legend(root, tuple(shares))
    rows = tuple(
        (numbers.span(edges[i], edges[i + 1], "words"), *(numbers.count(bins[i]) for bins in parts.values()))
        for i in range(len(edges) - 1)
    )
    return Picture("How long records are", svg.markup(root), "Each part adds up to 100%.", ("words", *parts), rows)
