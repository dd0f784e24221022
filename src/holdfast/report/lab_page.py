"""One self-contained page of an experiment: its answers in words, the pictures, every number as a table.

As the page of an audit (`report.html`): no script, no request, one style sheet known by its hash.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from holdfast.report import numbers
from holdfast.report.html import environment, part
from holdfast.report.lab_charts import by_generation, dose_response, evidence
from holdfast.report.lab_tails import histograms, rank_frequency
from holdfast.report.picture import Picture

# What each verdict over the generations is called.
VERDICTS = {
    "bounded": "levels off",
    "slowing": "slows, no end yet",
    "divergent": "rises without end",
    "unsettled": "too early to say",
}
PROFILE = {
    "tail-loss": "rare words lost",
    "variance-loss": "variance lost",
    "mode-share": "share of the ten most frequent words",
    "loss-slope": "rise of the loss per generation",
    "floor": "loss it settles at",
}


def render(data: Mapping[str, Any]) -> str:
    """Return the page for the JSON form of an experiment."""
    style = part("report.css")
    return (
        environment()
        .get_template("lab.html")
        .render(
            data=data,
            style=style,
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
            headline=headline(data),
            lines=list(sentences(data)),
            pictures=pictures(data),
            arms=[_cells(row) for row in data["arms"]],
            profile=[(_name(row), *(_number(row["profile"][name]) for name in PROFILE)) for row in data["arms"]],
            profile_header=("arm", *PROFILE.values()),
        )
    )


def pictures(data: Mapping[str, Any]) -> list[Picture]:
    """Return every picture the experiment has data for, in reading order."""
    drawn = [dose_response(data), *by_generation(data), histograms(data), rank_frequency(data), evidence(data)]
    return [picture for picture in drawn if picture is not None]


def headline(data: Mapping[str, Any]) -> str:
    """The one thing to take away."""
    safe = data["safe"]
    if safe is None:
        return "No dose curve was asked for"
    accepted = _percent(safe["loss"])
    if safe["dose"] is None:
        return f"No dose that was tried is shown to lose at most {accepted}"
    seeds = "" if safe["crossing"]["n"] > 1 else " (one seed: no interval)"
    return f"Up to {100 * safe['dose']:g}% synthetic loses at most {accepted}{seeds}"


def sentences(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the answers in words: the safe dose, the net value, what levels off and what does not."""
    safe = data["safe"]
    if safe is not None:
        yield _crossing(safe)
    rows = [row for row in data["arms"] if row["net_value"] is not None]
    if rows:
        verb, best = _helps(rows)
        count = "one generation" if best["generations"] == 1 else f"{best['generations']} generations"
        yield (
            f"Against dropping it, the synthetic part {verb} after {count}: at best "
            f"{_signed(best['net_value'])}, at {_name(best)}. After one generation at best "
            f"{_signed(max((row['net_value_first'] for row in rows), key=lambda m: m['value']))}."
        )
    for verdict, words in VERDICTS.items():
        named = _grouped([row for row in data["arms"] if row["verdict"] == verdict])
        if named:
            yield f"{words.capitalize()}: {', '.join(named)}."


def _helps(rows: Sequence[Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
    """Return what can be said of the net value, and the row it is best at: shown to help by a whole interval, or not.

    One seed has no interval: its value alone is taken, as in the table beside it.
    """
    shown = [row for row in rows if _end(row, "low") > 0]
    best = max(shown or rows, key=lambda row: row["net_value"]["value"])
    if shown:
        return "helps", best
    below = all(_end(row, "high") <= 0 for row in rows)
    return ("does not help at any dose" if below else "is not shown to help at any dose"), best


def _end(row: Mapping[str, Any], end: str) -> float:
    net = row["net_value"]
    return float(net["value"] if net[end] is None else net[end])


def _grouped(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return 'fresh-real 10, 30, 50%' for the doses of each arm."""
    doses: dict[str, list[str]] = {}
    for row in rows:
        doses.setdefault(row["arm"], []).extend([f"{100 * row['dose']:g}"] if row["dose"] is not None else [])
    return [f"{arm} {', '.join(at)}%" if at else arm for arm, at in doses.items()]


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _crossing(safe: Mapping[str, Any]) -> str:
    m = safe["crossing"]
    if m["value"] is None and m["low"] is None:
        return f"The loss stays below {_percent(safe['loss'])} at every dose of the curve ({safe['arm']})."
    if m["value"] is None:
        return (
            f"The mean loss stays below {_percent(safe['loss'])} at every dose of the curve ({safe['arm']}); its 95% "
            f"interval passes it from about {100 * m['low']:.0f}% synthetic on ({m['n']} seeds)."
        )
    ends = [f"{100 * end:.0f}%" if end is not None else "the last dose" for end in (m["low"], m["high"])]
    between = f", 95% interval {ends[0]} to {ends[1]}, {m['n']} seeds" if m["n"] > 1 else ", one seed: no interval"
    return (
        f"The loss passes {_percent(safe['loss'])} at about {100 * m['value']:.0f}% synthetic ({safe['arm']}{between})."
    )


def table_lines(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the arms as rows of text for a terminal: name, loss, interval, net value, verdict."""
    return [_cells(row)[:5] for row in data["arms"]]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    net = row["net_value"]
    first = row["net_value_first"]
    return (
        _name(row),
        _signed(row["loss"]),
        _interval(row["loss"]),
        _signed(net) if net else "",
        VERDICTS[row["verdict"]],
        _interval(net) if net else "",
        _signed(first) if first else "",
        str(row["loss"]["n"]),
    )


def _name(row: Mapping[str, Any]) -> str:
    return row["arm"] if row["dose"] is None else f"{row['arm']} {100 * row['dose']:g}%"


def _signed(m: Mapping[str, Any]) -> str:
    if m["value"] is None:
        return numbers.NOT_KNOWN
    size = abs(m["value"])
    return f"{100 * m['value']:+,.0f}%" if size >= 1 else f"{100 * m['value']:+.1f}%"


def _interval(m: Mapping[str, Any]) -> str:
    if m["low"] is None:
        return "one seed"
    return f"{_signed({'value': m['low']})} {numbers.DASH} {_signed({'value': m['high']})}"


def _number(m: Mapping[str, Any]) -> str:
    return numbers.NOT_KNOWN if m["value"] is None else f"{_signed(m)} ({_interval(m)})"
