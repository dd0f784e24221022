"""The alarm's evidence over time, for a terminal of 80 columns and as a page with its pictures.

Reads the JSON form of a watched series, so that a saved result is drawn as well as a fresh one.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import log10
from typing import Any
from xml.etree.ElementTree import Element

from holdfast.report import svg
from holdfast.report.html import environment, part
from holdfast.report.picture import Picture
from holdfast.report.shown import visible

Data = Mapping[str, Any]
CHANNELS = ("diversity", "ood")
# The colours of the two channels are those of the report's two parts.
_COLOURS = {"diversity": "synthetic", "ood": "real"}
_BARS = " ▁▂▃▄▅▆▇█"
# Checks drawn in a terminal: the last ones; what came before is in the JSON.
_SHOWN = 48
_HIGHEST = 1e6
# Metrics drawn as what is left of them, worst first; more lines cannot be told apart.
_DRAWN = 3

MEANING = {
    "COLLAPSE": "the tail is going while in-distribution measures hold",
    "DEGRADATION": "in-distribution is worse too: a bug, the learning rate, over-training",
    "NARROWING": "samples lose variety: temperature, top-p, a judge's choice, or a collapse",
    "DRIFT": "other real text is predicted worse: a shifted distribution, forgetting",
    "WATCH": "something moves: no alarm yet, sample more",
    "BLIND": "no alarm, but not everything could be measured",
    "OK": "nothing moved beyond its margin",
}
HOLDS = {
    "holds": "holds (its confidence limit lies inside the margin)",
    "worse": "worse",
    "unclear": "not shown to hold: too few documents or items, or too much movement",
    "unseen": "not measured",
}


def lines(data: Data) -> Iterator[str]:
    """Yield the result for a terminal: the verdict, a row of bars per channel, what moved, what was not measured."""
    checks, threshold = data["checks"], data["budget"]["threshold"]
    yield f"{data['state']}  {MEANING[data['state']]}"
    if data["channel"]:
        yield f"  {data['channel'].replace('+', ' and ')}, since step {visible(str(data['onset']))}"
    count = f"{len(checks)} checks, steps" if len(checks) > 1 else "1 check, nothing to compare it with yet: step"
    yield f"  {count} {_steps(checks)}; an alarm is evidence of {threshold:g}"
    shown = f"  step {visible(str(checks[0]['step']))} -> step {visible(str(told(data)['step']))}:"
    for name in CHANNELS:
        now = _number(_evidence(checks[-1], name))
        yield f"  {name:<10} {_bars(checks, name, threshold)} {now}{_gaps(checks, name)}"
    yield shown
    for name, was, now, spread, n, _ in numbers(data):
        yield f"    {name[:24]:<24} {was:>8} -> {now}{f' ({spread})' if spread else ''}, n {n}"
    for name, why in told(data)["blind"].items():
        yield f"  not judged: {name}: {visible(why)}"
    yield f"  in-distribution: {HOLDS[told(data)['holds']]}"


def told(data: Data) -> Data:
    """Return the check that the verdict rests on: the latest of its state."""
    found: Data = next(check for check in reversed(data["checks"]) if check["state"] == data["state"])
    return found


def numbers(data: Data) -> list[tuple[str, ...]]:
    """Return a row per number of the check that is told: name, first value, value, interval, n, unit."""
    first, last = data["checks"][0]["value"], told(data)["value"]
    rows: list[tuple[str, ...]] = []
    for name, now in last.items():
        was = first.get(name, {}).get("value")
        if now["value"] is not None:
            spread = f"{now['low']:.3g} to {now['high']:.3g}" if now["low"] is not None else ""
            before = "-" if was is None else f"{was:.3g}"
            rows.append((visible(name), before, f"{now['value']:.3g}", spread, f"{now['n']:,}", now["unit"]))
    return rows


def pictures(data: Data) -> tuple[Picture, ...]:
    """Return the evidence per channel, and what is left of what the alarm watches."""
    left = _left(data)
    return (_evidences(data), left) if left else (_evidences(data),)


def page(data: Data, name: str) -> str:
    """Return one offline page: the verdict, the pictures, the numbers. No script, nothing loaded."""
    colour = "error" if data["channel"] else "good" if data["state"] == "OK" else "warning"
    facts = [f"{each}: {why}" for each, why in told(data)["blind"].items()]
    if data["channel"]:
        facts.insert(0, f"{data['channel'].replace('+', ' and ')}, since step {data['onset']}.")
    facts.append(f"In-distribution: {HOLDS[told(data)['holds']]}.")
    style = part("report.css")
    template = environment().get_template("watch.html")
    return template.render(
        style=style,
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        data=data,
        name=name,
        colour=colour,
        meaning=MEANING[data["state"]],
        facts=facts,
        pictures=pictures(data),
        numbers=numbers(data),
        steps=(data["checks"][0]["step"], told(data)["step"]),
    )


def _evidences(data: Data) -> Picture:
    """The evidence of each channel over the checks, on a log scale, with the line of an alarm."""
    checks, threshold = data["checks"], data["budget"]["threshold"]
    root = svg.canvas(206, "Evidence over time", "A curve per channel against the line at which it alarms.")
    x = _steps_axis(root, checks)
    y = svg.scale(-1, log10(_HIGHEST), 166, 24)
    for decade, name in ((0, "1"), (2, "100"), (4, "10,000"), (6, "million")):
        svg.line(root, (52, y(decade)), (378, y(decade)), "grid")
        svg.text(root, (46, y(decade) + 4), name, "tick", "end")
    svg.line(root, (52, y(log10(threshold))), (378, y(log10(threshold))), "cap")
    svg.text(root, (378, y(log10(threshold)) + 13), f"alarm at {threshold:g}", "label", "end")
    seen = [name for name in CHANNELS if any(name not in check["blind"] for check in checks)]
    for place, name in enumerate(seen):
        points = [
            (x(at), y(_log(_evidence(check, name))), check)
            for at, check in enumerate(checks)
            if name not in check["blind"]
        ]
        svg.path(root, [point[:2] for point in points], f"curve {_COLOURS[name]}")
        for left, top, check in points:
            hover = f"step {check['step']}: {_number(_evidence(check, name))}, {check['state']}"
            svg.dot(root, (left, top), 3.5, f"mark {_COLOURS[name]}", hover)
        svg.bar(root, (62 + 100 * place, 4), (12, 10), _COLOURS[name])
        svg.text(root, (80 + 100 * place, 13), name, "label")
    rows = tuple(
        (str(check["step"]), check["state"], *(_number(_evidence(check, name)) for name in CHANNELS))
        for check in checks
    )
    between = data["budget"]["checks_between_false_alarms"]
    caption = (
        "Evidence that a channel got worse than its margin since the first step, added up over checks. Below 1 it "
        f"speaks for no change. While nothing changes, two alarms are at least {between:g} checks apart on average."
    )
    return Picture("Evidence over time", svg.markup(root), caption, ("step", "state", *CHANNELS), rows)


def _left(data: Data) -> Picture | None:
    """What is left of each watched metric, as a share of its first value; those that lost most."""
    checks = data["checks"]
    curves = {name: _shares(checks, name) for check in checks for name in check["value"]}
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    names = sorted(curves, key=lambda name: curves[name][-1][1])[:_DRAWN]
    if not names:
        return None
    root = svg.canvas(206, "What is left", "A curve per metric, 100 % at the first check.")
    low = min(share for name in names for _, share in curves[name])
    top = max(1.05, *(share for name in names for _, share in curves[name]))
    x, y = _steps_axis(root, checks), svg.scale(min(low, 0.9), top, 166, 24)
    svg.line(root, (52, y(1.0)), (378, y(1.0)), "grid")
    for share in {1.0, round(min(low, 0.9), 2)}:
        svg.text(root, (46, y(share) + 4), f"{100 * share:.0f}%", "tick", "end")
    for place, name in enumerate(names):
        kind = ("synthetic", "real", "unknown")[place]
        svg.path(root, [(x(at), y(share)) for at, share in curves[name]], f"curve {kind}")
        svg.bar(root, (52 + 116 * place, 4), (12, 10), kind)
        svg.text(root, (68 + 116 * place, 13), visible(name)[:17], "label")
    rows = tuple(
        (visible(name), str(checks[at]["step"]), f"{100 * share:.1f}%") for name in names for at, share in curves[name]
    )
    caption = "Median of the blocks of each check, held against the first check."
    return Picture("What is left of the first check", svg.markup(root), caption, ("metric", "step", "left"), rows)


def _shares(checks: Sequence[Data], name: str) -> list[tuple[int, float]]:
    """Return (place, share of the first value) of a metric that rests on blocks."""
    found = [(at, check["value"][name]) for at, check in enumerate(checks) if name in check["value"]]
    known = [(at, m["value"]) for at, m in found if m["value"] is not None and m["unit"] == "median of blocks"]
    return [(at, value / known[0][1]) for at, value in known] if known and known[0][1] else []


def _steps_axis(root: Element, checks: Sequence[Data]) -> svg.Scale:
    x = svg.scale(0, max(len(checks) - 1, 1), 62, 372)
    for at in range(0, len(checks), max(1, (len(checks) + 7) // 8)):
        svg.text(root, (x(at), 184), visible(str(checks[at]["step"]))[:9], "tick", "middle")
    svg.text(root, (220, 202), "step", "small", "middle")
    return x


def _evidence(check: Data, name: str) -> float:
    return float(check["e"].get(name, 0.0))


def _bars(checks: Sequence[Data], name: str, threshold: float) -> str:
    """One character per check; full height is the line of an alarm, a dot a check at which the channel was blind."""
    top = log10(threshold)
    marks = [
        "·" if name in check["blind"] else _BARS[min(8, max(0, round(8 * _log(_evidence(check, name)) / top)))]
        for check in checks[-_SHOWN:]
    ]
    return f"|{''.join(marks)}|"


def _log(evidence: float) -> float:
    return log10(min(max(evidence, 0.1), _HIGHEST))


def _number(evidence: float) -> str:
    return f"{evidence:,.2f}" if evidence < 10 else f"{evidence:,.0f}" if evidence < _HIGHEST else "over a million"


def _steps(checks: Sequence[Data]) -> str:
    return visible(f"{checks[0]['step']} to {checks[-1]['step']}" if len(checks) > 1 else f"{checks[0]['step']}")


def _gaps(checks: Sequence[Data], name: str) -> str:
    blind = sum(name in check["blind"] for check in checks)
    return f", blind at {blind} of {len(checks)}" if blind else ""
