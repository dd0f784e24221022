"""SARIF 2.1.0 (OASIS) from the JSON form of a report, in the shape GitHub code scanning accepts.

A quarantined line becomes a result of its own at FILE:LINE:COLUMN; any other finding is one result at its input.
GitHub wants relative addresses, at least one location a result and a stable fingerprint:
docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from holdfast.report.shown import one_line, visible

# Results a run may hold before GitHub drops the rest (page above, "SARIF upload limits": 25,000).
MAX_RESULTS = 25_000
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[1-9]\d*):(?P<column>\d+)(?: (?P<reason>.*))?$", re.DOTALL)

Json = dict[str, Any]


def build(data: Mapping[str, Any], root: Path) -> Json:
    """Return the SARIF log of a report. File names are made relative to `root`; outside it only the name is kept."""
    rules = sorted({finding["rule"] for finding in data["findings"]})
    results = [result for finding in data["findings"] for result in _results(finding, data, root)]
    for result in results:
        result["ruleIndex"] = rules.index(result["ruleId"])
    driver = {"name": "Holdfast", "rules": [_rule(rule, data["findings"]) for rule in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results[:MAX_RESULTS]}
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _rule(rule: str, findings: list[Mapping[str, Any]]) -> Json:
    """One rule with its help, taken from the first finding it made."""
    finding = next(finding for finding in findings if finding["rule"] == rule)
    source = f"\n\nSource: {finding['source']}" if finding["source"] else ""
    return {
        "id": rule,
        "name": "".join(part.capitalize() for part in re.findall(r"\w+", rule)) or "Rule",
        "shortDescription": {"text": _message(rule.replace("-", " ").capitalize())},
        "fullDescription": {"text": _message(finding["advice"]) or rule},
        "help": {"text": f"{_message(finding['advice'])}{_message(source)}\n\nMore: holdfast explain {_message(rule)}"},
        "defaultConfiguration": {"level": finding["severity"]},
        "properties": {"tags": ["training-data"]},
    }


def _results(finding: Mapping[str, Any], data: Mapping[str, Any], root: Path) -> Iterator[Json]:
    """One result for each evidence row that names a place in a file, or one for the finding as a whole."""
    placed = [(row, match) for row in finding["evidence"] if (match := _PLACE.match(row.get("note", "")))]
    for row, match in placed:
        place = _location(_uri(match["file"], root), int(match["line"]), int(match["column"]))
        reason = one_line(match["reason"] or finding["message"], 400)
        yield _result(finding, reason, place, row["id"] + (match["reason"] or ""))
    if not placed:
        path = data["inputs"][0]["path"] if data["inputs"] else "input"
        yield _result(finding, f"{finding['message']} {finding['advice']}", _location(_uri(path, root), 1, 0), "")


def _result(finding: Mapping[str, Any], text: str, location: Json, about: str) -> Json:
    """One result; the fingerprint depends on the rule, the file and the record, not on line or wording."""
    uri = location["physicalLocation"]["artifactLocation"]["uri"]
    print_ = blake2b("\0".join((finding["rule"], uri, about)).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return {
        "ruleId": finding["rule"],
        "level": finding["severity"],
        "message": {"text": _message(text)},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": f"{print_}:1"},
    }


def _location(uri: str, line: int, column: int) -> Json:
    """A place in a file; a column of 0 means the whole line."""
    region = {"startLine": line, **({"startColumn": column} if column else {})}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _uri(path: str, root: Path) -> str:
    """The address of `path` relative to `root`, percent-encoded; never absolute, never above the root."""
    absolute = Path(path) if Path(path).is_absolute() else root / path
    inside = absolute.is_relative_to(root) and ".." not in absolute.parts
    relative = absolute.relative_to(root).as_posix() if inside else absolute.name
    return "input" if relative in ("", ".") else quote(relative, safe="/", errors="replace")


def _message(text: str) -> str:
    """Plain text in which SARIF sees no embedded link: the joint of `[text](target)` is broken."""
    return visible(text).replace("](", "] (")
