"""The lineage: from real sources and generators through the training set to the student; a loop is marked."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import detail, numbers, svg
from holdfast.report.picture import Picture, left_out
from holdfast.report.shown import one_line

_MOST = 9


def lineage(given: Mapping[str, Any]) -> Picture | None:
    """Boxes and lines; a line is as thick as its share of the records. A student among its teachers is drawn dashed."""
    part = detail.mapping(given.get("lineage"))
    makers = [_node(entry, "synthetic") for entry in detail.items(part.get("generators"))]
    sources = [_node(entry, "real") for entry in detail.items(part.get("sources"))]
    unknown = detail.number(part.get("unknown")) or 0.0
    nodes = [*sources, *makers, *([("unknown origin", "", unknown, "unknown")] if unknown else [])]
    total = sum(records for _, _, records, _ in nodes)
    if not total:
        return None
    drawn = nodes[:_MOST]
    student = detail.mapping(part.get("student"))
    own = {one_line(word, 60) for word in (str(student.get("name", "")), *detail.words(student.get("previous")))}
    teachers = {name for name, _, _, kind in nodes if kind == "synthetic" and name in own}
    root = svg.canvas(max(120, 16 + 40 * len(drawn)), "Lineage", "Sources and generators, the set, the student.")
    middle = max(60.0, 8 + 20.0 * len(drawn))
    for place, node in enumerate(drawn):
        _edge(root, 8 + 40 * place, node, (middle, total, node[0] in teachers))
    _set(root, middle, total, one_line(str(student.get("name") or "student not named"), 14))
    more = f" {len(nodes) - _MOST} more stand in the table." if len(nodes) > _MOST else ""
    loop = (
        f" {', '.join(sorted(teachers))} is the student or its ancestor: it would learn from itself."
        if teachers
        else ""
    )
    table = tuple((name, family, kind, numbers.count(n), numbers.percent(n / total)) for name, family, n, kind in nodes)
    caption = f"Lines are as thick as their share of the records.{loop}{more}{left_out(part)}"
    header = ("from", "family", "origin", "records", "share")
    title = "The student would learn from itself" if teachers else "Where the records come from"
    return Picture(title, svg.markup(root), caption, header, table)


_Node = tuple[str, str, float, str]


def _node(entry: Any, kind: str) -> _Node:
    read = detail.mapping(entry)
    name, family = one_line(str(read.get("name", "")), 60), one_line(str(read.get("family") or ""), 40)
    return name, family, detail.number(read.get("records")) or 0.0, kind


def _edge(root: Element, top: float, node: _Node, to: tuple[float, float, bool]) -> None:
    name, _, records, kind = node
    middle, total, loop = to
    svg.bar(root, (4, top), (150, 32), f"box {kind}-edge")
    svg.text(root, (10, top + 13), one_line(name, 19), "tick box-words")
    svg.text(root, (10, top + 27), f"{numbers.count(records)}, {numbers.percent(records / total)}", "tick")
    width = 1 + min(4, int(5 * records / total))
    svg.line(root, (154, top + 16), (214, middle), f"edge edge-{width} {kind}-line{' loop' if loop else ''}")


def _set(root: Element, middle: float, total: float, student: str) -> None:
    svg.bar(root, (214, middle - 20), (80, 40), "box")
    svg.text(root, (254, middle - 3), "training set", "tick box-words", "middle")
    svg.text(root, (254, middle + 12), numbers.count(total), "tick", "middle")
    svg.line(root, (294, middle), (312, middle), "edge edge-2")
    svg.bar(root, (312, middle - 20), (86, 40), "box")
    svg.text(root, (355, middle - 3), "student", "tick", "middle")
    svg.text(root, (355, middle + 12), student, "tick box-words", "middle")
