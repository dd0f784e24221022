"""The alarm's evidence over time, for a terminal of 80 columns and as a picture: evidence per channel against its line.

Reads the JSON form of a watched series, so that a saved result is drawn as well as a fresh one.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from math import log10
from typing import Any

from holdfast.report import svg
from holdfast.report.picture import Picture
from holdfast.report.shown import visible

CHANNELS = ("diversity", "ood")
# The colours of the two channels are those of the report's two parts.
_COLOURS = {"diversity": "synthetic", "ood": "real"}
_BARS = " ▁▂▃▄▅▆▇█"
# Checks drawn in a terminal: the last ones; what came before is in the JSON.
_SHOWN = 48
_HIGHEST = 1e6

MEANING = {
    "COLLAPSE": "collapsing: the tail goes while in-distribution measures hold",
    "DEGRADATION": "general degradation (a bug, the learning rate, over-training): in-distribution is worse too",
    "NARROWING": "narrowing: samples lose variety (temperature, top-p, a judge's choice)",
    "DRIFT": "drift: other real text is predicted worse (a shifted distribution, forgetting)",
    "WATCH": "something moves: no alarm yet, sample more",
    "BLIND": "nothing alarms, and not everything could be measured",
    "OK": "nothing moved beyond its margin",
}


def lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the result for a terminal: the verdict, a row of bars per channel, what moved, what was not measured."""
    checks = data["checks"]
    yield f"{data['state']}  {MEANING[data['state']]}"
    if data["channel"]:
        yield f"  channel {data['channel'].replace('+', ' and ')}, began at step {visible(str(data['onset']))}"
    threshold = data["budget"]["threshold"]
    yield f"  {len(checks)} checks, steps {_steps(checks)}; an alarm is evidence of {threshold:g}"
    for name in CHANNELS:
        now = _number(checks[-1]["e"].get(name, 0.0))
        yield f"  {name:<10} {_bars(checks, name, threshold)} {now}{_blind(checks, name)}"
    yield from _moved(checks)
    for name, why in checks[-1]["blind"].items():
        yield f"  not judged: {name}: {visible(why)}"
    if checks[-1]["holds"] != "unseen":
        yield f"  in-distribution: {_HOLDS[checks[-1]['holds']]}"


_HOLDS = {
    "holds": "holds (its confidence limit lies inside the margin)",
    "worse": "worse",
    "unclear": "not shown to hold: too few documents or items, or too much movement",
}


def picture(data: Mapping[str, Any]) -> Picture:
    """Return the evidence of each channel over the checks, on a log scale, with the line of an alarm."""
    checks, threshold = data["checks"], data["budget"]["threshold"]
    root = svg.canvas(206, "Evidence over time", "A curve per channel against the line at which it alarms.")
    x = svg.scale(0, max(len(checks) - 1, 1), 62, 378)
    y = svg.scale(-1, log10(_HIGHEST), 166, 18)
    for decade in range(0, 7, 2):
        svg.line(root, (52, y(decade)), (378, y(decade)), "grid")
        svg.text(root, (46, y(decade) + 4), f"{10**decade:,}", "tick", "end")
    svg.line(root, (52, y(log10(threshold))), (378, y(log10(threshold))), "cap")
    svg.text(root, (378, y(log10(threshold)) - 5), f"alarm at {threshold:g}", "label", "end")
    for place, name in enumerate(CHANNELS):
        points = [(x(i), y(_log(check["e"].get(name, 0.0)))) for i, check in enumerate(checks)]
        svg.path(root, points, f"curve {_COLOURS[name]}")
        for at, check in zip(points, checks, strict=True):
            hover = f"step {check['step']}: {_number(check['e'].get(name, 0.0))} {check['state']}"
            svg.dot(root, at, 3.5, f"mark {_COLOURS[name]}", hover)
        svg.bar(root, (62 + 100 * place, 6), (12, 10), _COLOURS[name])
        svg.text(root, (80 + 100 * place, 15), name, "label")
    for i in range(0, len(checks), max(1, (len(checks) + 7) // 8)):
        svg.text(root, (x(i), 184), visible(str(checks[i]["step"]))[:9], "tick", "middle")
    svg.text(root, (220, 202), "step", "small", "middle")
    rows = tuple(
        (str(check["step"]), check["state"], *(_number(check["e"].get(name, 0.0)) for name in CHANNELS))
        for check in checks
    )
    between = data["budget"]["checks_between_false_alarms"]
    caption = (
        "Evidence that a channel got worse than its margin since the first step, added up over checks. Below 1 it "
        f"speaks for no change. By chance alone the line is reached once in {between:g} checks at most."
    )
    return Picture(MEANING[data["state"]], svg.markup(root), caption, ("step", "state", *CHANNELS), rows)


def page(data: Mapping[str, Any], name: str) -> str:
    """Return one offline page: the verdict, the picture, its numbers. No script, nothing loaded."""
    drawn = picture(data)
    style = files("holdfast.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    sure = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{sure}'; img-src data:; base-uri 'none'; form-action 'none'"
    state = "error" if data["channel"] else "good" if data["state"] == "OK" else "warning"
    facts = "".join(f"<li>{escape(visible(line.strip()))}</li>" for line in list(lines(data))[1:])
    table = "".join(f"<tr>{''.join(f'<td>{escape(visible(cell))}</td>' for cell in row)}</tr>" for row in drawn.rows)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in drawn.header)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{data["state"]}: {escape(visible(name))} - Holdfast watch</title>'
        f'<link rel="icon" href="data:,"><style>{style}</style></head><body>\n'
        f'<main id="main" class="wrap"><section class="verdict {state}"><p class="name">{escape(visible(name))}</p>'
        f'<h1>{data["state"]}</h1><p class="lead">{escape(drawn.title)}</p></section>\n'
        f'<section id="pictures"><div class="pictures"><figure class="picture">{drawn.markup}'
        f"<figcaption>{escape(drawn.caption)}</figcaption></figure></div></section>\n"
        f'<section><ul>{facts}</ul><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{table}</tbody></table></div></section></main></body></html>\n"
    )


def _bars(checks: Sequence[Mapping[str, Any]], name: str, threshold: float) -> str:
    """One character per check; full height is the line of an alarm."""
    top = log10(threshold)
    marks = [_BARS[min(8, max(0, round(8 * _log(check["e"].get(name, 0.0)) / top)))] for check in checks[-_SHOWN:]]
    return f"|{''.join(marks)}|"


def _log(evidence: float) -> float:
    return log10(min(max(evidence, 0.1), _HIGHEST))


def _number(evidence: float) -> str:
    return f"{evidence:.2g}" if evidence < _HIGHEST else "over 1,000,000"


def _steps(checks: Sequence[Mapping[str, Any]]) -> str:
    return visible(f"{checks[0]['step']} to {checks[-1]['step']}" if len(checks) > 1 else f"{checks[0]['step']}")


def _blind(checks: Sequence[Mapping[str, Any]], name: str) -> str:
    blind = sum(name in check["blind"] for check in checks)
    return "" if not blind else "  blind" if blind == len(checks) else f"  blind at {blind} of {len(checks)}"


def _moved(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line per number of the last check that the first check has as well, and how far it moved."""
    first, last = checks[0]["value"], checks[-1]["value"]
    for name, now in last.items():
        was = first.get(name, {}).get("value")
        if now["value"] is None or was is None:
            continue
        spread = f" ({now['low']:.3g} to {now['high']:.3g})" if now["low"] is not None else ""
        yield f"    {visible(name)[:26]:<26} {was:.3g} -> {now['value']:.3g}{spread}, n {now['n']:,}"
