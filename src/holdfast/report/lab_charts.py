"""Pictures of an experiment over doses and generations: dose and loss, what moves by generation, the alarm's evidence.

A dose is told by the strength of its colour and by the words at the end of its line; an arm by its dashes.
"""

from collections.abc import Callable, Mapping, Sequence
from math import log10
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import numbers, svg
from holdfast.report.picture import Picture

Row = Mapping[str, Any]
# Where a picture's field lies on the canvas of 400: left, right, top, bottom.
LEFT, RIGHT, TOP, BOTTOM = 52, 316, 18, 176
# Lines of words may not lie closer than this.
APART = 13.0
# Evidence beyond this is shown at the edge: the threshold is a few hundred, and 10^12 says no more than 10^6.
MOST_EVIDENCE = 1e8
SHORT = {"accumulate": "accumulate", "accumulate-subsample": "subsample", "two-stage": "two-stage"}
# What each series is called, whether its axis is logarithmic, how its numbers are written, and how to read it.
_SERIES: tuple[tuple[str, str, bool, Callable[[float], str], str], ...] = (
    (
        "perplexity-real",
        "Perplexity of real text",
        True,
        numbers.count,
        "Of real held-out text under each generation's model. Rising means that the model forgets real text.",
    ),
    (
        "perplexity-own",
        "Perplexity of the model's own text",
        True,
        numbers.count,
        "Of each model's samples under itself. Falling while the other rises is collapse seen from inside.",
    ),
    (
        "tail-coverage",
        "Rare words that are left",
        False,
        numbers.percent,
        "Words that the real text has one to three times, still in as many samples.",
    ),
    (
        "distinct-2",
        "Distinct word pairs",
        False,
        numbers.percent,
        "Distinct pairs of all pairs in samples of equal size.",
    ),
)


def dose_response(data: Mapping[str, Any]) -> Picture | None:
    """Perplexity on real text, relative to generation 0, over the dose, with bands and the control beside it."""
    rows = [row for row in data["arms"] if row["arm"] == data["curve"]]
    if not rows:
        return None
    rows += [row for row in data["arms"] if row["arm"] == "replace" and data["curve"] == "fresh-real"]
    points = sorted((row["dose"], row["loss"]) for row in rows)
    control = sorted((entry["dose"], entry["loss"]) for entry in data["control"])
    top = max(1.0 + _high(seen) for _, seen in (*points, *control))
    x, y = svg.scale(0, 1, LEFT, RIGHT), _log_scale(0.95, max(top, 1.5) * 1.1)
    root = svg.canvas(226, "Dose and response", "A rising curve of perplexity on real text over the synthetic share.")
    _log_grid(root, y, max(top, 1.5), lambda times: f"{times:g}\u00d7")
    accepted = data["design"]["loss"]
    svg.line(root, (LEFT, y(1 + accepted)), (RIGHT, y(1 + accepted)), "cap")
    for name, kind, series in (("mix", "synthetic", points), ("real part alone", "real", control)):
        _band(root, [(x(dose), y(1 + _low(m)), y(1 + _high(m))) for dose, m in series], kind)
        svg.path(root, [(x(0), y(1.0)), *((x(dose), y(1 + m["value"])) for dose, m in series)], f"curve solid {kind}")
        for dose, m in series:
            svg.dot(root, (x(dose), y(1 + m["value"])), 3.5, f"mark {kind}", f"{name} at {_dose(dose)}: {_share(m)}")
        if series:
            end = series[-1]
            svg.text(root, (x(end[0]) + 8, y(1 + end[1]["value"]) + 4), name, "label")
    ends = [(series[-1][0], y(1 + series[-1][1]["value"])) for series in (points, control) if series]
    crowded = any(dose < 0.9 and abs(height - y(1 + accepted)) < 2 * APART for dose, height in ends)
    # At the right, but not over the name of a line that ends there.
    place = (LEFT + 4, "start") if crowded else (RIGHT, "end")
    svg.text(root, (place[0], y(1 + accepted) - 4), f"+{_dose(accepted)} accepted", "small", place[1])
    for dose in (0.0, 0.25, 0.5, 0.75, 1.0):
        svg.text(root, (x(dose), BOTTOM + 18), _dose(dose), "tick", "middle")
    svg.text(root, ((LEFT + RIGHT) / 2, BOTTOM + 38), "synthetic share of each training set", "small", "middle")
    beside = dict(control)
    table = tuple(
        (_dose(dose), _share(seen), _range(seen), _share(beside[dose]) if dose in beside else "", str(seen["n"]))
        for dose, seen in points
    )
    generations = rows[0]["generations"]
    caption = (
        f"Perplexity on real held-out text after {generations} generations, relative to training on all the real text; "
        "bands are 95% intervals over seeds. Where the mix lies above the real part alone, dropping the synthetic part "
        "is better."
    )
    header = ("synthetic share", "loss", "interval", "loss of the real part alone", "seeds")
    return Picture("What a dose does", svg.markup(root), caption, header, table)


def by_generation(data: Mapping[str, Any]) -> list[Picture]:
    """The series over the generations, a picture each: a line per dose and arm."""
    rows = _ordered(data)
    return [_series(rows, *one) for one in _SERIES] if rows else []


def _series(
    rows: Sequence[Row], slug: str, title: str, logarithmic: bool, write: Callable[[float], str], caption: str
) -> Picture:
    seen = {_label(row): [m["value"] for m in row["series"][slug]] for row in rows}
    values = [value for line in seen.values() for value in line]
    last = max(len(line) for line in seen.values()) - 1
    root = svg.canvas(226, title, "Lines over the generations, one per dose and arm.")
    if logarithmic:
        y = _log_scale(min(values) * 0.9, max(values) * 1.1)
        _log_grid(root, y, max(values), write, min(values))
    else:
        y = svg.scale(0.0, max(values) * 1.05, BOTTOM, TOP)
        _grid(root, [max(values) * part for part in (0.0, 0.5, 1.0)], y, write)
    x = svg.scale(0, last, LEFT, RIGHT)
    for row in rows:
        line = seen[_label(row)]
        svg.path(root, [(x(step), y(value)) for step, value in enumerate(line)], f"curve {_kind(row)}")
    _ends(root, [(y(line[-1]), label) for label, line in seen.items()])
    _generations(root, x, last)
    table = tuple((label, *(write(value) for value in line)) for label, line in seen.items())
    header = ("arm", *(f"gen {step}" for step in range(last + 1)))
    return Picture(title, svg.markup(root), caption, header, table)


def evidence(data: Mapping[str, Any]) -> Picture | None:
    """The alarm's evidence over the generations, the larger of its two channels, first seed."""
    runs = _ordered({"arms": data["alarms"]})
    if not runs:
        return None
    threshold = runs[0]["threshold"]
    lines = {
        _label(run): [max(1e-2, *(check["e"][name] for name in ("diversity", "ood"))) for check in run["checks"]]
        for run in runs
    }
    last = max(len(line) for line in lines.values()) - 1
    root = svg.canvas(226, "The alarm's evidence", "Lines of evidence over the generations and the alarm's threshold.")
    x, y = svg.scale(0, last, LEFT, RIGHT), _log_scale(1e-2, MOST_EVIDENCE)
    _grid(root, [1e-2, 1.0, 1e2, 1e4, 1e6, 1e8], y, lambda e: f"{e:g}" if e < 1e4 else f"1e{log10(e):.0f}")
    svg.line(root, (LEFT, y(threshold)), (RIGHT, y(threshold)), "cap")
    # At the right, for the lines of a series that alarms cross the threshold within its first generations.
    svg.text(root, (RIGHT, y(threshold) + 13), f"alarm at {threshold:g}", "small", "end")
    for run in runs:
        points = [(x(step), y(value)) for step, value in enumerate(lines[_label(run)])]
        svg.path(root, points, f"curve {_kind(run)}")
    _ends(root, [(y(line[-1]), label) for label, line in lines.items()])
    _generations(root, x, last)
    table = tuple(
        (_label(run), _alarmed(run), run["checks"][-1]["state"], f"{lines[_label(run)][-1]:.3g}") for run in runs
    )
    caption = (
        "What the watcher would have said of the first seed: accumulated e-values of the stronger channel. "
        f"The threshold is one false alarm in {threshold / 2:g} checks."
    )
    return Picture(
        "The alarm over time", svg.markup(root), caption, ("arm", "alarmed", "last state", "last evidence"), table
    )


def _alarmed(run: Row) -> str:
    """'5 of 5 seeds, from generation 1'."""
    steps = [step for step in run["first_alarm"] if step is not None]
    said = f"{len(steps)} of {len(run['first_alarm'])} seeds"
    return f"{said}, from generation {sorted(steps)[len(steps) // 2]}" if steps else said


def _ordered(data: Mapping[str, Any]) -> list[Row]:
    """Doses in rising order, then replace, then what accumulates."""
    return sorted(data["arms"], key=lambda row: (row["dose"] is None, row["dose"] or 0.0, row["arm"]))


def _label(row: Row) -> str:
    """'30%', with the arm where it is not the curve's own."""
    arm = "" if row["arm"] in ("fresh-real", "replace") else SHORT.get(row["arm"], row["arm"].partition("-")[0])
    dose = _dose(row["dose"]) if row["dose"] is not None else ""
    return " ".join(part for part in (dose, arm) if part)


def _kind(row: Row) -> str:
    """The class of a line: its strength by dose, dashes for other arms."""
    if row["dose"] is None:
        return "beside dashes" if row["arm"] == "accumulate" else "beside dots"
    strength = f"dose dose-{min(5, int(row['dose'] * 5.01))}"
    return strength if row["arm"] in ("fresh-real", "replace") else f"{strength} dashes"


def _ends(root: Element, ends: Sequence[tuple[float, str]]) -> None:
    """Write the names of lines at their right ends, moved apart where they would lie on each other."""
    placed: list[float] = []
    for height, _ in sorted(ends):
        placed.append(max(height, placed[-1] + APART) if placed else height)
    placed[-1] = min(placed[-1], BOTTOM + 4)
    for place in range(len(placed) - 2, -1, -1):
        placed[place] = min(placed[place], placed[place + 1] - APART)
    for (_, name), height in zip(sorted(ends), placed, strict=True):
        svg.text(root, (RIGHT + 6, height + 4), name, "small")


def _generations(root: Element, x: svg.Scale, last: int) -> None:
    for step in range(0, last + 1, max(1, -(-last // 5))):
        svg.text(root, (x(step), BOTTOM + 18), str(step), "tick", "middle")
    svg.text(root, ((LEFT + RIGHT) / 2, BOTTOM + 38), "generation", "small", "middle")


def _grid(root: Element, ticks: Sequence[float], y: svg.Scale, write: Callable[[float], str]) -> None:
    for tick in ticks:
        svg.line(root, (LEFT, y(tick)), (RIGHT, y(tick)), "grid")
        svg.text(root, (LEFT - 6, y(tick) + 4), write(tick), "tick", "end")


def _log_grid(root: Element, y: svg.Scale, top: float, write: Callable[[float], str], bottom: float = 1.0) -> None:
    """Grid lines at 1, 2, 5, 10 ..., or only at the tens where those would be many."""
    ticks = [mantissa * 10.0**decade for decade in range(-3, 9) for mantissa in (1, 2, 5)]
    inside = [tick for tick in ticks if bottom * 0.9 <= tick <= top * 1.1]
    few = [tick for tick in inside if log10(tick) == int(log10(tick))]
    _grid(root, inside if len(inside) <= 7 or len(few) < 2 else few, y, write)


def _log_scale(low: float, high: float) -> svg.Scale:
    scale = svg.scale(log10(low), log10(high), BOTTOM, TOP)
    return lambda value: scale(log10(max(value, low)))


def _band(root: Element, edges: Sequence[tuple[float, float, float]], kind: str) -> None:
    """Fill between the lower and the upper limits."""
    if len(edges) > 1:
        around = [(x, low) for x, low, _ in edges] + [(x, high) for x, _, high in reversed(edges)]
        svg.path(root, around, f"band-fill {kind}")


def _dose(dose: float) -> str:
    return f"{100 * dose:g}%"


def _low(m: Row) -> float:
    return float(m["low"] if m["low"] is not None else m["value"])


def _high(m: Row) -> float:
    return float(m["high"] if m["high"] is not None else m["value"])


def _share(m: Row) -> str:
    return f"{100 * m['value']:+.1f}%"


def _range(m: Row) -> str:
    return f"{100 * m['low']:+.1f}% {numbers.DASH} {100 * m['high']:+.1f}%" if m["low"] is not None else "one seed"
