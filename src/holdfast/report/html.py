"""One self-contained HTML page from the JSON form of a report: verdict, pictures, findings with their evidence.

No script, no external request, no style outside the page's own sheet; the content security policy says so too. Every
value goes through Jinja's escaping; pictures are element trees (`svg`). No link or attribute is made from data.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from json import dumps
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from holdfast.report import charts, detail, numbers
from holdfast.report.shown import one_line, sentence, visible
from holdfast.stats.dose import band

SEVERITIES = ("error", "warning", "note")
# How many reasons stand under the verdict; the rest follow among the findings.
_REASONS = 3
# What each dose band is called, and the state it is shown in.
_BANDS = {
    "minimal": ("minimal risk", "good"),
    "noticeable": ("noticeable, recoverable", "warning"),
    "substantial": ("substantial risk", "error"),
}
# What each verdict against the anchor is called, and the state it is shown in.
_VERDICTS = {
    "worse": ("less varied than real data", "error"),
    "equivalent": ("as varied as real data", "good"),
    "better": ("more varied than real data", "good"),
    "inconclusive": ("too few records to tell", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One of the numbers at the top: what it is, the number, what it means; `state` colours it."""

    label: str
    value: str
    note: str
    state: str
    more: str = ""


def render(data: Mapping[str, Any]) -> str:
    """Return the page for a report in its JSON form."""
    style = part("report.css")
    findings = sorted(enumerate(data["findings"], 1), key=lambda item: SEVERITIES.index(item[1]["severity"]))
    reasons = [item for item in findings if item[1]["severity"] == _blocking(data)]
    return (
        environment()
        .get_template("report.html")
        .render(
            report=data,
            style=style,
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
            name=_name(data["inputs"]),
            verdict=_verdict(data),
            reasons=reasons[:_REASONS],
            more_reasons=len(reasons) - _REASONS,
            cards=(_dose_card(data["measurements"]), _diversity_card(data), _findings_card(data)),
            pictures=charts.pictures(data["measurements"], data.get("pictures", {})),
            findings=findings,
            tally=tally(data["findings"]),
            manifest=[(key, dumps(value, ensure_ascii=False, indent=1)) for key, value in data["manifest"].items()],
        )
    )


def tally(findings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many findings there are of each severity, the worst first."""
    return {severity: sum(finding["severity"] == severity for finding in findings) for severity in SEVERITIES}


def tally_words(findings: Sequence[Mapping[str, Any]]) -> str:
    """'3 errors, 4 warnings'; notes only where there is nothing worse; 'no findings' for none."""
    found = tally(findings)
    words = [numbers.plural(found[severity], severity) for severity in SEVERITIES if found[severity]]
    return ", ".join(words) or "no findings"


@cache
def environment() -> Environment:
    """The templates, which ship with the package; autoescape is on for every one of them."""
    made = Environment(
        loader=FunctionLoader(part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(
        visible=lambda text: visible(str(text)),
        sentence=lambda text: sentence(str(text)),
        line=lambda text, width=120: one_line(str(text), width),
        count=numbers.count,
        value=numbers.value,
        interval=numbers.interval,
        similarity=lambda similarity: f"{similarity:.2f}",
        threshold=lambda m: detail.number(detail.mapping(m.get("detail")).get("threshold")),
        number=numbers.number,
        plural=numbers.plural,
    )
    return made


def part(name: str) -> str:
    """The text of a file of the template folder."""
    return files("holdfast.report").joinpath("templates", name).read_text(encoding="utf-8")


def _name(inputs: Sequence[Mapping[str, Any]]) -> str:
    """What the page is about: the file name, or the first of several."""
    if not inputs:
        return "no input"
    first = one_line(PurePath(inputs[0]["path"]).name or inputs[0]["path"], 60)
    return first if len(inputs) == 1 else f"{first} and {len(inputs) - 1} more"


def _verdict(data: Mapping[str, Any]) -> str:
    """The verdict in words."""
    if not data["ok"]:
        return "Does not pass"
    found = tally(data["findings"])
    return "Passes" if not found["error"] and not found["warning"] else "Passes, with reservations"


def _blocking(data: Mapping[str, Any]) -> str:
    """The severity whose messages explain the verdict."""
    found = tally(data["findings"])
    return next((severity for severity in SEVERITIES if found[severity]), "error")


def _dose_card(measurements: detail.Measurements) -> Card:
    """The synthetic share with its interval and band, or its bounds."""
    m = measurements.get("synthetic-ratio")
    if m is None:
        return Card("Synthetic share", "not judged", "No origin was read.", "unknown")
    more = detail.of(measurements, "synthetic-ratio")
    if m["value"] is None:
        bounds = detail.pair(more.get("bounds")) or detail.pair([m["low"], m["high"]]) or (0.0, 1.0)
        note = f"between {numbers.percent(bounds[0])} and {numbers.percent(bounds[1])}: origins are not given"
        return Card("Synthetic share", "not known", note, "unknown")
    words, state = _BANDS[band(m["value"])]
    return Card("Synthetic share", numbers.value(m), _basis(m), state, words)


def _diversity_card(data: Mapping[str, Any]) -> Card:
    """Diversity against the real anchor, or what to supply for it."""
    m = data["measurements"].get("anchor-diversity")
    if m is None or m["value"] is None:
        supply = next((gap["supply"] for gap in data["not_judged"] if gap["rule"] == "anchor-diversity"), "")
        return Card("Diversity against real data", "not judged", one_line(supply, 120) or "No anchor.", "unknown")
    verdict = str(detail.of(data["measurements"], "anchor-diversity").get("verdict", ""))
    words, state = _VERDICTS.get(verdict, (one_line(verdict, 40), "unknown"))
    return Card("Diversity against real data", numbers.value(m), _basis(m), state, words)


def _findings_card(data: Mapping[str, Any]) -> Card:
    """How many findings, and how much could not be judged."""
    found = tally(data["findings"])
    words = " / ".join(f"{found[severity]}" for severity in SEVERITIES[:2])
    state = next((severity for severity in SEVERITIES[:2] if found[severity]), "good")
    gaps = numbers.plural(len(data["not_judged"]), "rule") + " could not judge"
    notes = numbers.plural(found["note"], "note")
    records = numbers.plural(data["counts"]["records"], "record")
    return Card("Errors / warnings", words, f"{notes}; {gaps}", state, records)


def _basis(m: Mapping[str, Any]) -> str:
    """The interval and the number of records behind a value."""
    interval = numbers.interval(m)
    of = f"{numbers.count(m['n'])} records"
    return f"counted over {of}" if interval == "counted" else f"interval {interval}, n = {numbers.count(m['n'])}"
