"""The browser of near-duplicates: the largest groups, the record that is kept, and each other with its words marked."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from holdfast.report import detail, diff, numbers
from holdfast.report.picture import Picture
from holdfast.report.shown import one_line, visible


def duplicates(given: Mapping[str, Any]) -> Picture | None:
    """Groups to open one by one. Marked words differ between the record that is kept and the one that repeats it."""
    part = detail.mapping(given.get("clusters"))
    shown = [detail.mapping(entry) for entry in detail.items(part.get("shown"))]
    shown = [entry for entry in shown if detail.items(entry.get("others"))]
    if not shown:
        return None
    groups = int(detail.number(part.get("groups")) or len(shown))
    root = Element("div", {"class": "groups"})
    for entry in shown:
        _group(root, entry)
    markup = tostring(root, encoding="unicode", short_empty_elements=False)
    caption = f"The {len(shown)} largest of {numbers.plural(groups, 'group')}, at most "
    caption += f"{max(len(detail.items(entry.get('others'))) for entry in shown)} repeats each; texts are cut at "
    caption += f"{numbers.count(detail.number(part.get('characters')) or 0)} letters. Marked words differ."
    rows = tuple(_row(entry) for entry in shown)
    return Picture("What repeats, word by word", markup, caption, ("records", "kept", "maker", "text"), rows, wide=True)


def _group(root: Element, entry: Mapping[str, Any]) -> None:
    kept = detail.mapping(entry.get("kept"))
    box = SubElement(root, "details")
    count = numbers.count(detail.number(entry.get("records")) or 0)
    head = SubElement(box, "summary")
    head.text = f"{count} records: {one_line(str(kept.get('text', '')), 90)}"
    for other in map(detail.mapping, detail.items(entry.get("others"))):
        pair = SubElement(box, "div", {"class": "pair"})
        sides = diff.words(str(kept.get("text", "")), str(other.get("text", "")))
        for person, pieces, word in ((kept, sides[0], "kept"), (other, sides[1], "repeats it")):
            _text(SubElement(pair, "div"), person, pieces, word)


def _text(box: Element, person: Mapping[str, Any], pieces: list[tuple[str, bool]], word: str) -> None:
    who = SubElement(box, "p", {"class": "who"})
    SubElement(who, "code").text = one_line(str(person.get("id", "")), 80)
    alike = detail.number(person.get("similarity"))
    more = SubElement(who, "span", {"class": "against"})
    more.text = f"{word}, {_maker(person)}" + ("" if alike is None else f", similarity {alike:.2f}")
    quote = SubElement(box, "blockquote", {"dir": "auto"})
    last: Element | None = None
    for piece, differs in pieces:
        if differs:
            last = SubElement(quote, "mark")
            last.text = visible(piece)
        elif last is None:
            quote.text = (quote.text or "") + visible(piece)
        else:
            last.tail = (last.tail or "") + visible(piece)


def _maker(person: Mapping[str, Any]) -> str:
    return one_line(str(person.get("generator") or person.get("origin") or "origin unknown"), 60)


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    kept = detail.mapping(entry.get("kept"))
    text, name = one_line(str(kept.get("text", "")), 100), one_line(str(kept.get("id", "")), 60)
    return numbers.count(detail.number(entry.get("records")) or 0), name, _maker(kept), text
