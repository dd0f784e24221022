"""The report in a terminal: verdict, the numbers that matter, findings with advice, and what could not be judged.

Fits 80 columns. Text from records can steer nothing: it is never read as Rich markup, and control characters are
written out by name. NO_COLOR and pipes are respected by Rich itself.
"""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from holdfast.core.verdict import Finding, Measurement, NotJudged
from holdfast.report import numbers
from holdfast.report.html import SEVERITIES, tally_words
from holdfast.report.report import Report
from holdfast.report.shown import one_line, sentence, visible

# The numbers every reader asks for first, in this order; the rest is in the JSON and on the page.
_FIRST = (
    "synthetic-ratio",
    "synthetic-ratio-tokens",
    "unknown-origin",
    "generator-concentration",
    "anchor-diversity",
    "tail-coverage",
    "exact-duplicates",
    "near-duplicates",
    "eval-contamination",
    "personal-data",
)
_STYLE = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def show(report: Report, console: Console | None = None) -> None:
    """Print the report; without a console to standard output, at most 100 columns wide."""
    target = console or Console(highlight=False)
    target.print(summary(report), width=min(target.width, 100), highlight=False)


def summary(report: Report) -> Group:
    """Return everything `show` prints as one renderable."""
    read = [Text(f"read {visible(line)}", style="dim") for line in report.manifest.get("detected", ())]
    parts: list[RenderableType] = [*read, _verdict(report), *_numbers(report)]
    ordered = sorted(report.findings, key=lambda finding: SEVERITIES.index(finding.severity))
    parts += [_finding(finding) for finding in ordered]
    parts += _changes(report.pictures)
    if report.accepted:
        parts += [Text("\nAccepted in writing", style="bold"), *(_risk(risk) for risk in report.accepted)]
    if report.not_judged:
        parts += [Text("\nNot judged, and what to supply", style="bold"), *(_gap(gap) for gap in report.not_judged)]
    return Group(*parts)


def _verdict(report: Report) -> Text:
    """One line: passed or not, how many findings, over how many records."""
    word, style = ("PASS", "bold green") if report.ok else ("FAIL", "bold red")
    if report.ok and any(finding.severity == "error" for finding in report.findings):
        word, style = f"PASS (fail-on {report.manifest.get('fail_on')}, or known from the baseline)", "bold yellow"
    tally = tally_words(report.to_dict()["findings"])
    tally += f", {numbers.plural(len(report.accepted), 'accepted risk')}" if report.accepted else ""
    records = numbers.plural(report.counts.get("records", 0), "record")
    aside = report.counts.get("quarantined", 0)
    return Text.assemble((word, style), f"  {tally} in {records}" + (f", {aside:,} unreadable" if aside else ""))


def _numbers(report: Report) -> list[RenderableType]:
    """The numbers that matter as a table, or nothing when none was measured."""
    slugs = [slug for slug in _FIRST if slug in report]
    if not slugs:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("measured", no_wrap=True)
    for heading in ("value", "interval", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for slug in slugs:
        table.add_row(slug, *_cells(report[slug]))
    return [Text(""), table]


def _cells(measurement: Measurement) -> tuple[Text, Text, Text]:
    """Value, interval and n as plain text."""
    form = {name: getattr(measurement, name) for name in ("value", "low", "high", "n", "unit")}
    return Text(numbers.value(form)), Text(numbers.interval(form)), Text(numbers.count(measurement.n))


def _finding(finding: Finding) -> RenderableType:
    """Severity and rule, the message, what to do, and the first record that shows it."""
    head = Text.assemble("\n", (finding.severity, _STYLE[finding.severity]), "  ", (visible(finding.rule), "bold"))
    body = [Text(visible(finding.message))]
    if finding.advice:
        body.append(Text(f"-> {visible(finding.advice)}"))
    if finding.evidence:
        first = finding.evidence[0]
        shown = one_line(" ".join(filter(None, (first.id, first.note, first.excerpt))), 200)
        rest = f" (+{finding.evidence_total - 1:,})" if finding.evidence_total > 1 else ""
        body.append(Text(f"e.g. {shown}{rest}", style="dim"))
    return Group(head, Padding(Group(*body), (0, 0, 0, 2)))


def _changes(parts: Mapping[str, Any]) -> list[RenderableType]:
    """What changed since the report that this one was compared with; nothing without one."""
    told = parts.get("compared")
    if not told:
        return []
    lines = [Text("\nSince the earlier report", style="bold")]
    lines += [
        Text(f"  finding {word}: {', '.join(told['findings'][word])}")
        for word in ("new", "worse", "gone")
        if told["findings"][word]
    ]
    for entry in told["numbers"]:
        if entry["change"] in ("worse", "better"):
            before, now = (numbers.value(entry[side]) for side in ("old", "new"))
            lines.append(Text(f"  {entry['change']:<7}{entry['slug']:<26}{before} -> {now}"))
    same = sum(entry["change"] in ("same", "unclear") for entry in told["numbers"])
    return [*lines, Text(f"  {numbers.plural(same, 'number')} the same or too uncertain to tell", style="dim")]


def _risk(risk: Mapping[str, Any]) -> RenderableType:
    """One accepted risk: the rule, why, who answers for it, and until when."""
    said = f"  {one_line(str(risk['reason']), 200)}\n-> {one_line(str(risk['owner']), 80)}, until {risk['until']}"
    return Padding(Text.assemble((visible(str(risk["rule"])), "bold"), said), (0, 0, 0, 2))


def _gap(gap: NotJudged) -> RenderableType:
    """One rule that stayed silent, why, and what to supply."""
    words = Text.assemble((visible(gap.rule), "bold"), f"  {sentence(gap.why)}\n-> {visible(gap.supply)}")
    return Padding(words, (0, 0, 0, 2))
