"""Report: what an audit found, as one value, and its JSON form, which is a public contract (version 1).

HTML and SARIF are views of the JSON form and know nothing else, so that all faces say the same.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

from holdfast.core.errors import nearest
from holdfast.core.rundir import write_bytes
from holdfast.core.verdict import Evidence, Finding, Measurement, NotJudged
from holdfast.report import frame, html, sarif, schema
from holdfast.report.shown import encodable


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an audit. `report["synthetic-ratio"]` is a Measurement.

    `exit` is the exit code the command line ends with. `counts` holds records and quarantined rows, `inputs` what
    was read ({path, digest, records, format}), `accepted` the risks accepted in writing ({rule, reason, owner, until}).
    `pictures` holds what pictures are drawn from beyond the measurements (docs/report.md), capped to stay small.
    """

    ok: bool
    exit: int
    counts: Mapping[str, int]
    inputs: tuple[Mapping[str, Any], ...] = ()
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    accepted: tuple[Mapping[str, Any], ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, slug: str) -> Measurement:
        """Return the measurement of that name. Raises KeyError with the nearest name."""
        if slug not in self.measurements:
            raise KeyError(f"no measurement {slug!r}. {nearest(slug, self.measurements)}")
        return self.measurements[slug]

    def __contains__(self, slug: str) -> bool:
        """True when there is a measurement of that name."""
        return slug in self.measurements

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: plain values only, None for every number that is not finite, keys in stable order."""
        return {
            "version": schema.VERSION,
            "ok": self.ok,
            "exit": self.exit,
            "counts": plain(self.counts),
            "inputs": plain(self.inputs),
            "measurements": {slug: _measurement(m) for slug, m in sorted(self.measurements.items())},
            "findings": [_finding(finding) for finding in self.findings],
            "not_judged": [
                {"rule": plain(gap.rule), "why": plain(gap.why), "supply": plain(gap.supply)} for gap in self.not_judged
            ],
            "accepted": plain(self.accepted),
            "manifest": plain(self.manifest),
            **({"pictures": plain(self.pictures)} if self.pictures else {}),
        }

    def to_json(self) -> str:
        """Return the JSON form as text ending in a line break; equal reports give equal bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one self-contained page that needs no network and no script. Raises MachineError."""
        _write(path, html.render(self.to_dict()))

    def to_frame(self, what: str = "measurements", kind: str = "arrow") -> Any:
        """Return a pyarrow Table of the `measurements` or `findings`; with kind `pandas` a DataFrame.

        Raises `MissingExtraError` for pandas where it is not installed.
        """
        return frame.frame(self.to_dict(), what, kind)

    def _repr_html_(self) -> str:
        """Return the page for a notebook, in a frame of its own in which nothing runs."""
        page = escape(html.render(self.to_dict()), quote=True)
        style = "width:100%;height:42rem;border:1px solid #8884;border-radius:8px"
        return f'<iframe sandbox title="Holdfast audit" srcdoc="{page}" style="{style}"></iframe>'

    def to_sarif(self, path: str | os.PathLike[str]) -> None:
        """Write SARIF 2.1.0 for code scanning, file names relative to the working directory."""
        log = sarif.build(self.to_dict(), Path.cwd())
        _write(path, json.dumps(log, ensure_ascii=False, indent=2, allow_nan=False) + "\n")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Report":
        """Return the report that `to_dict` wrote. Raises InputError naming the first place that breaks the schema."""
        schema.validate(data)
        return cls(
            ok=data["ok"],
            exit=data["exit"],
            counts=data["counts"],
            inputs=tuple(data["inputs"]),
            measurements={slug: Measurement(**fields) for slug, fields in data["measurements"].items()},
            findings=tuple(_read_finding(fields) for fields in data["findings"]),
            not_judged=tuple(NotJudged(**fields) for fields in data["not_judged"]),
            accepted=tuple(data["accepted"]),
            manifest=data["manifest"],
            pictures=data.get("pictures", {}),
        )


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: NaN and infinity as None, sets sorted, arrays as lists, the rest as text."""
    match value:
        case None | bool():
            return value
        case str():
            return encodable(value)
        case int():
            return int(value)
        case float():
            return float(value) if isfinite(value) else None
        case Mapping():
            return {plain(str(key)): plain(value[key]) for key in sorted(value, key=str)}
        case set() | frozenset():
            return [plain(item) for item in sorted(value, key=str)]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return encodable(str(value))


def _measurement(m: Measurement) -> dict[str, Any]:
    """The JSON form of a measurement; encoder and detail only where there is one."""
    numbers = {"value": plain(m.value), "low": plain(m.low), "high": plain(m.high), "n": plain(m.n)}
    encoder = {"encoder": plain(m.encoder)} if m.encoder is not None else {}
    detail = {"detail": plain(m.detail)} if m.detail else {}
    return {**numbers, "unit": m.unit, **encoder, **detail}


def _finding(finding: Finding) -> dict[str, Any]:
    """The JSON form of a finding."""
    return {
        "rule": plain(finding.rule),
        "severity": finding.severity,
        "message": plain(finding.message),
        "advice": plain(finding.advice),
        "measurement": None if finding.measurement is None else _measurement(finding.measurement),
        "evidence": [_evidence(row) for row in finding.evidence],
        "evidence_total": plain(finding.evidence_total),
        "source": plain(finding.source),
    }


def _evidence(row: Evidence) -> dict[str, Any]:
    """The JSON form of an evidence row; other, similarity and note only where there is one."""
    optional = {"other": row.other, "similarity": row.similarity, "note": row.note}
    given = {key: plain(value) for key, value in optional.items() if plain(value) is not None}
    return {"id": plain(row.id), "excerpt": plain(row.excerpt), **given}


def _read_finding(fields: Mapping[str, Any]) -> Finding:
    """The finding behind its JSON form."""
    measurement = fields["measurement"]
    return Finding(
        **{
            **fields,
            "measurement": None if measurement is None else Measurement(**measurement),
            "evidence": tuple(Evidence(**row) for row in fields["evidence"]),
        }
    )


def _write(path: str | os.PathLike[str], text: str) -> None:
    write_bytes(Path(path), text.encode())
