"""The heat map: which generator fills which stratum; an empty row or column is a gap, a lone cell a single source."""

from collections.abc import Mapping
from typing import Any

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture, left_out
from holdfast.report.shown import one_line

_LEFT, _ROW, _WIDTH = 230, 30, 1000


def strata(given: Mapping[str, Any]) -> Picture | None:
    """Synthetic records by generator and stratum; the darkness of a cell is its share of the largest one."""
    part = detail.mapping(given.get("strata"))
    columns = detail.words(part.get("columns"))
    rows = {str(k): detail.floats(v) for k, v in detail.mapping(part.get("rows")).items()}
    rows = {name: cells for name, cells in rows.items() if len(cells) == len(columns)}
    if len(columns) < 2 or not rows:
        return None
    by = one_line(str(part.get("by", "stratum")), 30)
    most = max(max(cells) for cells in rows.values()) or 1.0
    step = (_WIDTH - _LEFT) / len(columns)
    root = svg.canvas(62 + _ROW * len(rows), f"Generator by {by}", "A grid of counts.", _WIDTH)
    for place, column in enumerate(columns):
        middle = _LEFT + step * (place + 0.5)
        for line, words in enumerate(_two_lines(column, int(step / 7))):
            svg.text(root, (middle, 14 + 15 * line), words, "tick", "middle")
    for row, (name, cells) in enumerate(rows.items()):
        top = 42 + _ROW * row
        svg.text(root, (0, top + 19), one_line(name, 32), "label")
        for place, amount in enumerate(cells):
            left = _LEFT + step * place
            shade = 0 if amount == 0 else 1 + min(3, int(4 * amount / most))
            kind = f"cell cell-{shade}"
            svg.bar(
                root,
                (left, top),
                (step - 3, _ROW - 3),
                kind,
                f"{one_line(name, 80)}, {one_line(columns[place], 60)}: {amount:g}",
            )
            words = numbers.count(amount) if amount else "\u2013"
            svg.text(root, (left + (step - 3) / 2, top + 18), words, f"in-cell-{shade}", "middle")
    gaps = sum(not any(cells[place] for cells in rows.values()) for place in range(len(columns)))
    lone = sum(sum(bool(cells[place]) for cells in rows.values()) == 1 for place in range(len(columns)))
    caption = f"Synthetic records by generator and {by}. {lone} of {len(columns)} columns rest on one generator" + (
        f", {gaps} on none." if gaps else "."
    )
    table = tuple((one_line(name, 80), *(numbers.count(amount) for amount in cells)) for name, cells in rows.items())
    header = ("generator", *(one_line(column, 60) for column in columns))
    title = f"Which generator fills which {by}"
    markup = f'<div class="sideways" tabindex="0" role="region" aria-label="The grid">{svg.markup(root)}</div>'
    return Picture(title, markup, caption + left_out(part), header, table, wide=True)


def _two_lines(words: str, width: int) -> tuple[str, ...]:
    """A column's name in at most two lines, broken at the comma of a cell."""
    first, _, second = one_line(words, 80).partition(", ")
    return tuple(one_line(part, max(width, 6)) for part in (first, second) if part)
