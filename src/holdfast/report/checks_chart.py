"""The checks: what each verifier and judge accepted, refused and left open, with intervals and error rates if known."""

from collections.abc import Mapping
from typing import Any

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture
from holdfast.report.shown import one_line
from holdfast.stats.proportion import wilson

_PARTS = (("accepted", "real"), ("refused", "synthetic"), ("undecided", "unknown"))


def checks(given: Mapping[str, Any]) -> Picture | None:
    """One bar a check. Undecided records count as neither; an error rate stands only where it was measured."""
    rows = []
    for name, value in detail.mapping(given.get("checks")).items():
        counts = detail.amounts(value)
        if any(counts.get(word) for word, _ in _PARTS):
            rows.append((one_line(str(name), 40), counts, detail.mapping(value)))
    if not rows:
        return None
    root = svg.canvas(44 + 38 * len(rows), "What the checks said", "Bars of accepted, refused and undecided records.")
    for place, (name, counts, _) in enumerate(rows):
        top, left = 14 + 38 * place, 4.0
        total = sum(counts.get(word, 0.0) for word, _ in _PARTS)
        svg.text(root, (4, top), name, "label")
        accepted = numbers.percent(counts.get("accepted", 0.0) / total)
        svg.text(root, (396, top), f"{accepted} of {numbers.count(total)} accepted", "value", "end")
        for word, kind in _PARTS:
            width = 392 * counts.get(word, 0.0) / total
            if width:
                svg.bar(root, (left, top + 6), (max(width - 1, 1), 11), kind, f"{word}: {counts[word]:,.0f}")
            left += width
    for column, (word, kind) in enumerate(_PARTS):
        svg.bar(root, (4 + 98 * column, 24 + 38 * len(rows)), (10, 10), kind)
        svg.text(root, (19 + 98 * column, 33 + 38 * len(rows)), word, "label")
    header = (
        "check",
        "accepted",
        "refused",
        "undecided",
        "share accepted",
        "95% interval",
        "error rates",
        "why refused",
    )
    table = tuple(_row(*row) for row in rows)
    caption = (
        "Undecided means that the check could not say; it is no verdict. How often the checks themselves are wrong: "
        "docs/verifiers.md for verifiers, holdfast review --agreement for judges."
    )
    return Picture("What the checks said", svg.markup(root), caption, header, table)


def _row(name: str, counts: Mapping[str, float], value: Mapping[str, Any]) -> tuple[str, ...]:
    accepted, refused, undecided = (counts.get(word, 0.0) for word, _ in _PARTS)
    decided = accepted + refused
    share = numbers.percent(accepted / decided) if decided else numbers.NOT_KNOWN
    interval = numbers.span(*wilson(accepted, decided), "share") if decided else ""
    reasons = detail.amounts(value.get("reasons"))
    why = ", ".join(f"{one_line(reason, 40)} {amount:,.0f}" for reason, amount in reasons.items()) or "\u2013"
    counted = (numbers.count(amount) for amount in (accepted, refused, undecided))
    return (name, *counted, share, interval, _errors(value), why)


def _errors(value: Mapping[str, Any]) -> str:
    """'wrongly accepted 2.0% (0.9% to 4.1%, n 400)', or that nobody measured it."""
    told = []
    for key, words in (("false_accept", "wrongly accepted"), ("false_refuse", "wrongly refused")):
        rate = detail.mapping(value.get(key))
        point, n = detail.number(rate.get("value")), detail.number(rate.get("n"))
        ends = detail.pair([rate.get("low"), rate.get("high")])
        if point is not None and ends is not None and n is not None:
            told.append(f"{words} {numbers.percent(point)} ({numbers.span(*ends, 'share')}, n {n:,.0f})")
    return "; ".join(told) or "not measured here"
