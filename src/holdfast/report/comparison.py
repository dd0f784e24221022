"""The comparison of two reports: each number before and now, as whiskers and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from holdfast.report import detail, numbers
from holdfast.report.picture import Picture
from holdfast.report.shown import one_line

_ORDER = ("worse", "better", "moved", "unclear", "not comparable", "same")
_HEADS = (
    ("new", "New findings"),
    ("worse", "Findings that got worse"),
    ("milder", "Findings that got milder"),
    ("gone", "Gone"),
)


def comparison(given: Mapping[str, Any]) -> Picture | None:
    """What changed since the other report: findings in words, numbers in the table, changes first."""
    part = detail.mapping(given.get("compared"))
    read = [detail.mapping(entry) for entry in detail.items(part.get("numbers"))]
    if not part:
        return None
    ranked = sorted(read, key=lambda entry: (_place(entry), str(entry.get("slug"))))
    count = {word: sum(entry.get("change") == word for entry in read) for word in _ORDER}
    old = detail.mapping(part.get("old"))
    title = f"Since the earlier report: {count['worse']} numbers worse, {count['better']} better"
    caption = (
        f"Against {one_line(', '.join(detail.words(old.get('inputs'))), 80)} "
        f"({numbers.count(detail.number(old.get('records')) or 0)} records, "
        f"{'passed' if old.get('ok') else 'did not pass'}). A number changed where the intervals do not overlap; "
        f"{count['unclear']} are too uncertain to tell, {count['same']} are the same."
    )
    table = tuple(_row(entry) for entry in ranked)
    header = ("number", "before", "interval", "now", "interval", "change")
    return Picture(title, _words(part, ranked), caption, header, table, wide=True)


def _place(entry: Mapping[str, Any]) -> int:
    change = str(entry.get("change"))
    return _ORDER.index(change) if change in _ORDER else len(_ORDER)


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    sides = [cell for side in ("old", "new") for cell in _side(entry.get(side))]
    return (one_line(str(entry.get("slug", "")), 60), *sides, one_line(str(entry.get("change", "")), 20))


def _side(read: Any) -> tuple[str, str]:
    m = detail.mapping(read)
    value, low, high = (detail.number(m.get(key)) for key in ("value", "low", "high"))
    form = {"value": value, "low": low, "high": high, "unit": str(m.get("unit", ""))}
    return numbers.value(form), numbers.interval(form)


def _words(part: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> str:
    """Lists of what came, what went, and the numbers that moved."""
    root = Element("div", {"class": "compared"})
    found = detail.mapping(part.get("findings"))
    moved = {word: [str(e.get("slug")) for e in ranked if e.get("change") == word] for word in ("worse", "better")}
    lists = [(head, detail.words(found.get(key))) for key, head in _HEADS]
    lists += [("Numbers worse", tuple(moved["worse"])), ("Numbers better", tuple(moved["better"]))]
    for head, names in ((head, names) for head, names in lists if names):
        box = SubElement(root, "div")
        SubElement(box, "h4").text = f"{head}: {len(names)}"
        line = SubElement(box, "p")
        for name in names:
            code = SubElement(line, "code")
            code.text, code.tail = one_line(name, 60), "  "
    return tostring(root, encoding="unicode", short_empty_elements=False)
