"""README.md, what ships beside a data set for people, with the front matter of the Hugging Face hub.

It says what the manifest and the report say and adds nothing. Ratio, generators, judges, checks, held-out set, licence
and the command that makes it again stand in the first table; the rest is below.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from holdfast.core.verdict import Measurement
from holdfast.report import numbers
from holdfast.report.facts import Facts
from holdfast.report.html import tally_words
from holdfast.report.judging import judging_words
from holdfast.report.report import Report
from holdfast.report.shown import one_line, visible

# Sizes as the hub names them (huggingface.co/docs/hub/datasets-cards).
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)


def readme(facts: Facts, manifest: Mapping[str, Any], report: Report | None) -> str:
    """Return README.md: front matter, everything a reader asks first in one table, then each part at length.

    Without a report it says that the set was not audited.
    """
    parts = [
        f"---\n{_front_matter(facts)}---\n",
        f"# {_md(facts.name)}\n",
        _verdict(report),
        _table(("", ""), list(_first(facts, manifest))) + "\n",
        _section("Generators", _generators(facts, manifest)),
        _section("Judges, checks and tools", _judges(manifest)),
        _section("Judges and people", judging_words(manifest.get("judging") or {})),
        _section("Models that were asked", _models(manifest)),
        _section("Checks", _table(("check", "outcome"), sorted(facts.checks.items()))),
        _section("How to make it again", _reproduce(facts, manifest)),
    ]
    if report is not None:
        parts += [_section("Findings", _findings(report)), _section("Measured", _measured(report))]
    return "\n".join(part for part in parts if part)


def _front_matter(facts: Facts) -> str:
    """The YAML the hub reads."""
    licences = [*(name.lower() for name in facts.licences), *(["unknown"] if facts.unlicensed else [])]
    front: dict[str, Any] = {"pretty_name": one_line(facts.name, 100)}
    front["license"] = (licences[0] if len(licences) == 1 else licences) or "unknown"
    if facts.languages:
        front["language"] = list(facts.languages)
    front["size_categories"] = [_size(facts.records)]
    front["tags"] = [*(["synthetic"] if facts.synthetic else []), "holdfast"]
    if facts.files:
        files = [{"split": "train", "path": path.name} for path in facts.files]
        front["configs"] = [{"config_name": "default", "data_files": files}]
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _size(records: int) -> str:
    """The size category of the hub."""
    return next((name for bound, name in _SIZES if records < bound), "n>1B")


def _verdict(report: Report | None) -> str:
    """The verdict in a sentence."""
    if report is None:
        return "This data set was not audited: `holdfast audit` does that.\n"
    word = "passes" if report.ok else "does not pass"
    return f"This data set {word} its audit: {tally_words(report.to_dict()['findings'])}.\n"


def _first(facts: Facts, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a reader asks first, each in a line."""
    real = facts.records - facts.synthetic
    yield "records", f"{facts.records:,}: {real:,} real, {facts.synthetic:,} synthetic"
    yield "synthetic share", facts.share
    made = _of(manifest, "generator")
    if before := manifest.get("previous"):
        yield "after", f"round {before['round'] - 1}: {before['regime']}, {before['meaning']}"
    yield "made by", _makers(facts, made)
    yield "judged by", ", ".join(part["name"] for part in _of(manifest, "judge")) or "no model"
    yield "checked by", ", ".join(part["name"] for part in _of(manifest, "check")) or "nothing"
    yield "held out", facts.held_out or "none is recorded"
    yield "licence", facts.licence
    yield "made again by", facts.command


def _makers(facts: Facts, made: Sequence[Mapping[str, Any]]) -> str:
    """Who made the records; that some synthetic ones do not say it is said."""
    families = sorted({part["family"] or part["name"] for part in made})
    silent = facts.synthetic - sum(part["records"] for part in made)
    told = [f"{numbers.plural(len(made), 'generator')}: {', '.join(families)}"] if made else []
    if silent > 0:
        told += [f"{numbers.plural(silent, 'synthetic record')} without the name of a generator"]
    return "; ".join(told) or "people"


def _of(manifest: Mapping[str, Any], role: str) -> list[Mapping[str, Any]]:
    """The parts of one role."""
    return [part for part in manifest.get("parts", ()) if part["role"] == role]


def _generators(facts: Facts, manifest: Mapping[str, Any]) -> str:
    """Generators with their share of the synthetic part, the largest first."""
    ranked = sorted(_of(manifest, "generator"), key=lambda part: (-part["records"], part["name"], part["version"]))
    whole = facts.synthetic or 1
    rows = [
        (p["name"], p["version"], p["family"], numbers.count(p["records"]), numbers.percent(p["records"] / whole))
        for p in ranked
    ]
    return _table(("generator", "version", "family", "records", "share of the synthetic part"), rows)


def _judges(manifest: Mapping[str, Any]) -> str:
    """What judged the records, and the software that ran, with versions."""
    rows = [
        (p["role"], p["name"], p["version"], "" if p.get("records") is None else numbers.count(p["records"]))
        for role in ("judge", "check", "tool")
        for p in _of(manifest, role)
    ]
    return _table(("role", "name", "version", "records that passed"), rows)


def _models(manifest: Mapping[str, Any]) -> str:
    """The models that answered, as they named themselves, what they were asked, and what a kept record cost."""
    asked = manifest.get("models") or {}
    rows = [
        (name, *(numbers.count(u[key]) for key in ("requests", "input_tokens", "output_tokens")), f"{u['cost']:.4f}")
        for name, u in sorted(asked.get("usage", {}).items())
    ]
    if not rows:
        return ""
    cost = asked["cost_per_kept"]
    served = ", ".join(f"{_md(name)} ({count:,} answers)" for name, count in sorted(asked["served"].items()))
    table = _table(("model", "requests", "tokens in", "tokens out", f"cost, {asked['currency']}"), rows)
    named = f"They named themselves: {served}.\n\n" if served else ""
    return f"{table}\n\n{named}A synthetic record in the training set cost {cost:.6f} {_md(asked['currency'])}."


def _measured(report: Report) -> str:
    """All measurements."""
    forms = [(slug, _form(m)) for slug, m in sorted(report.measurements.items())]
    rows = [(slug, numbers.value(m), numbers.interval(m), numbers.count(m["n"])) for slug, m in forms]
    return _table(("measurement", "value", "interval", "n"), rows)


def _findings(report: Report) -> str:
    """Findings and what stayed unjudged."""
    lines = [f"- **{f.severity}** {_md(f.rule)}: {_md(f.message)}" for f in report.findings]
    lines += [f"- not judged: {_md(gap.rule)}: {_md(gap.why)}" for gap in report.not_judged]
    lines += [f"- accepted risk: {_md(r['rule'])}: {_md(r['reason'])} ({_md(r['owner'])})" for r in report.accepted]
    return "\n".join(lines) or "None."


def _reproduce(facts: Facts, manifest: Mapping[str, Any]) -> str:
    """The command and everything the result depends on."""
    known = [(key, manifest[key]) for key in ("code_version", "settings_digest", "seeds") if manifest.get(key)]
    inputs = [(item.get("path", ""), item.get("digest", "")) for item in manifest.get("inputs", ())]
    command = "".join(f"    {line}\n" for line in visible(facts.command).splitlines())
    return f"{command}\n{_table(('depends on', 'value'), [*known, *inputs])}"


def _section(title: str, body: str) -> str:
    """A section, or nothing where there is nothing to say."""
    return f"## {title}\n\n{body.rstrip()}\n" if body else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table, or nothing without rows."""
    if not rows:
        return ""
    lines = [header, ["---"] * len(header), *([_md(str(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _md(text: str) -> str:
    """Text on one line in which Markdown and HTML see no markup."""
    escaped = re.sub(r"([\\`*_\[\]|#~!])", r"\\\1", one_line(text, 500))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _form(measurement: Measurement) -> Mapping[str, Any]:
    """The fields of a measurement that its words need."""
    return {name: getattr(measurement, name) for name in ("value", "low", "high", "n", "unit")}
