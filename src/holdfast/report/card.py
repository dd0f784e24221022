"""What ships beside a data set: README.md with the front matter of the Hugging Face hub, and croissant.json.

Both say what the manifest and the report say and add nothing. Croissant is written as JSON-LD in its first form: the
files with their digests and the columns (docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from holdfast.core.verdict import Measurement
from holdfast.report import detail, numbers
from holdfast.report.charts import ORIGINS
from holdfast.report.html import tally_words
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
_MEDIA = {".jsonl": "application/jsonlines", ".parquet": "application/x-parquet", ".csv": "text/csv"}
# The terms of the specification's own context, which readers expect whole: plain ones, then those with a type.
_TERMS = (
    *(
        "citeAs",
        "column",
        "equivalentProperty",
        "extract",
        "field",
        "fileProperty",
        "fileObject",
        "fileSet",
        "format",
        "includes",
        "isLiveDataset",
    ),
    *(
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "recordSet",
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "separator",
        "source",
        "subField",
        "transform",
    ),
)
_CONTEXT = {
    **{term: f"cr:{term}" for term in _TERMS},
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says that neither manifest nor report knows.

    `licences` are SPDX ids. `files` are the data files, beside which the card lies. `columns` maps a column name to
    its schema.org type ("sc:Text"). `held_out` says in a sentence what was reserved, `command` repeats the run.
    """

    name: str
    licences: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    held_out: str = ""
    command: str = "holdfast build"


def readme(facts: Facts, manifest: Mapping[str, Any], report: Report) -> str:
    """Return README.md: front matter, verdict, composition, generators, checks, held-out, licence, how to repeat."""
    parts = [
        f"---\n{_front_matter(facts, report)}---\n",
        f"# {_md(facts.name)}\n",
        _verdict(report),
        _section("What it is made of", _composition(report)),
        _section("Who wrote the synthetic part", _generators(report)),
        _section("Checks", _table(("check", "outcome"), sorted(facts.checks.items()))),
        _section("Measured", _measured(report)),
        _section("Findings", _findings(report)),
        _section("Held-out set", _md(facts.held_out) or "None is recorded."),
        _section("Licence", ", ".join(map(_md, facts.licences)) or "Not stated."),
        _section("How to make it again", _reproduce(facts, manifest)),
    ]
    return "\n".join(part for part in parts if part)


def croissant(facts: Facts, report: Report) -> dict[str, Any]:
    """Return the Croissant 1.0 description of the files named in `facts`, which must exist."""
    objects = [_file_object(path) for path in facts.files]
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", facts.name).strip("-") or "dataset",
        "description": f"{numbers.plural(report.counts.get('records', 0), 'training record')}. {_share_words(report)}",
        "license": list(facts.licences),
        "distribution": objects,
    }
    if facts.columns and objects:
        described["recordSet"] = [_record_set(facts.columns, objects[0]["@id"])]
    return described


def _front_matter(facts: Facts, report: Report) -> str:
    """The YAML the hub reads."""
    made = detail.amounts(_detail(report, "synthetic-ratio").get("counts"))
    licences = [name.lower() for name in facts.licences]
    front: dict[str, Any] = {"pretty_name": one_line(facts.name, 100)}
    front["license"] = (licences[0] if len(licences) == 1 else licences) or "unknown"
    if facts.languages:
        front["language"] = list(facts.languages)
    front["size_categories"] = [_size(report.counts.get("records", 0))]
    front["tags"] = [*(["synthetic"] if made.get("synthetic") or made.get("mixed") else []), "holdfast"]
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _size(records: int) -> str:
    """The size category of the hub."""
    return next((name for bound, name in _SIZES if records < bound), "n>1B")


def _verdict(report: Report) -> str:
    """The verdict and the synthetic share in two sentences."""
    word = "passes" if report.ok else "does not pass"
    return f"This data set {word} its audit: {tally_words(report.to_dict()['findings'])}. {_share_words(report)}\n"


def _share_words(report: Report) -> str:
    """The synthetic share in a sentence."""
    if "synthetic-ratio" not in report or report["synthetic-ratio"].value is None:
        return "The share made by models is not known."
    return f"{numbers.value(_form(report['synthetic-ratio']))} of the records of known origin are synthetic."


def _composition(report: Report) -> str:
    """Records by origin."""
    counts = detail.amounts(_detail(report, "synthetic-ratio").get("counts"))
    words = detail.amounts(_detail(report, "synthetic-ratio-tokens").get("words"))
    rows = [
        (o, numbers.count(counts[o]), numbers.count(words[o]) if o in words else "") for o in ORIGINS if o in counts
    ]
    return _table(("origin", "records", "words"), rows)


def _generators(report: Report) -> str:
    """Generators with their share of the synthetic part."""
    shares = detail.amounts(_detail(report, "generator-concentration").get("shares"))
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return _table(("generator", "share of the synthetic part"), [(name, numbers.percent(s)) for name, s in ranked])


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
    known = [
        (key, manifest[key]) for key in ("code_version", "settings_digest", "seeds", "runner") if manifest.get(key)
    ]
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


def _detail(report: Report, slug: str) -> Mapping[str, Any]:
    """The detail of a measurement, empty where there is none."""
    return report[slug].detail if slug in report else {}


def _form(measurement: Measurement) -> Mapping[str, Any]:
    """The fields of a measurement that its words need."""
    return {name: getattr(measurement, name) for name in ("value", "low", "high", "n", "unit")}


def _file_object(path: Path) -> dict[str, Any]:
    """A data file with its digest."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    media = _MEDIA.get(path.suffix, "application/octet-stream")
    named = {"@type": "cr:FileObject", "@id": path.name, "name": path.name, "contentUrl": path.name}
    return {**named, "encodingFormat": media, "sha256": digest.hexdigest()}


def _record_set(columns: Mapping[str, str], file: str) -> dict[str, Any]:
    """The columns of a data file."""
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"records/{name}",
            "name": name,
            "dataType": kind,
            "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
        }
        for name, kind in columns.items()
    ]
    return {"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": fields}
