"""The few marks the pictures are made of: an SVG canvas, text, lines, bars, dots, and a linear scale.

Built as an element tree, so that text from data can only ever become text: no string is pasted into markup.
Colours and fonts are class names, resolved by the page's style sheet for light, dark and print.
"""

from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

# One canvas width for all pictures, narrow enough that its text stays readable on a phone of 360 pixels.
WIDTH = 400
Scale = Callable[[float], float]


def canvas(height: float, title: str, description: str, width: float = WIDTH) -> Element:
    """Return an empty picture with its accessible name and description."""
    root = Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "class": "chart"})
    SubElement(root, "title").text = title
    SubElement(root, "desc").text = description
    return root


def markup(root: Element) -> str:
    """Return the picture as markup, its text escaped."""
    return tostring(root, encoding="unicode", short_empty_elements=True)


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """Return the map that takes low..high to start..end, holding values outside at the ends."""
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * min(1.0, max(0.0, (value - low) / span))


def text(parent: Element, at: tuple[float, float], words: str, kind: str = "", anchor: str = "start") -> None:
    """Write words at a point; anchor is start, middle or end."""
    node = SubElement(parent, "text", {"x": _n(at[0]), "y": _n(at[1]), "text-anchor": anchor, "class": kind})
    node.text = words


def line(parent: Element, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
    """Draw a straight line."""
    ends = {"x1": _n(start[0]), "y1": _n(start[1]), "x2": _n(end[0]), "y2": _n(end[1])}
    SubElement(parent, "line", {**ends, "class": kind})


def bar(parent: Element, at: tuple[float, float], size: tuple[float, float], kind: str, hover: str = "") -> None:
    """Draw a rectangle from its upper left corner; a negative or vanishing width draws a hairline."""
    box = {"x": _n(at[0]), "y": _n(at[1]), "width": _n(max(size[0], 0.5)), "height": _n(max(size[1], 0.5))}
    node = SubElement(parent, "rect", {**box, "class": kind})
    if hover:
        SubElement(node, "title").text = hover


def dot(parent: Element, at: tuple[float, float], radius: float, kind: str, hover: str = "") -> None:
    """Draw a dot."""
    node = SubElement(parent, "circle", {"cx": _n(at[0]), "cy": _n(at[1]), "r": _n(radius), "class": kind})
    if hover:
        SubElement(node, "title").text = hover


def ring(parent: Element, at: tuple[float, float], radius: float, kind: str, hover: str = "") -> None:
    """Draw a circle that its style leaves empty."""
    dot(parent, at, radius, f"ring {kind}", hover)


def path(parent: Element, points: Sequence[tuple[float, float]], kind: str) -> None:
    """Draw a line through points."""
    joined = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    SubElement(parent, "polyline", {"points": joined, "class": kind})


def _n(value: float) -> str:
    """A coordinate with one decimal, so that equal data give equal bytes."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
