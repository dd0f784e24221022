"""Checks by name, run over many records: what verify and generate share.

A check that raises is a fault of ours or of its author, never of the record: the verdict is undecided and says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

from holdfast.core.domain import domains_of
from holdfast.core.errors import HoldfastError
from holdfast.core.plugins import find
from holdfast.core.record import Record
from holdfast.core.settings import Settings
from holdfast.core.verdict import Check, Verdict
from holdfast.verifiers import code, csv, instructions, math, regex, schema, sql, translation, xml, yaml

BUILTIN = {
    "code": "holdfast.verifiers.code:check",
    "code-strength": "holdfast.verifiers.code_strength:check",
    "math": "holdfast.verifiers.math:check",
    "schema": "holdfast.verifiers.schema:check",
    "schema-formats": "holdfast.verifiers.schema:with_formats",
    "xml": "holdfast.verifiers.xml:check",
    "yaml": "holdfast.verifiers.yaml:check",
    "csv": "holdfast.verifiers.csv:check",
    "sql": "holdfast.verifiers.sql:check",
    "regex": "holdfast.verifiers.regex:check",
    "instructions": "holdfast.verifiers.instructions:check",
    "instructions-loose": "holdfast.verifiers.instructions:loose",
    "translation": "holdfast.verifiers.translation:check",
}
# Where no checks are named, a record goes to each verifier whose data it carries.
ROUTES: tuple[tuple[str, Callable[[Record], bool]], ...] = (
    ("code", code.applies),
    ("math", math.applies),
    ("schema", schema.applies),
    ("xml", xml.applies),
    ("yaml", yaml.applies),
    ("csv", csv.applies),
    ("sql", sql.applies),
    ("regex", regex.applies),
    ("instructions", instructions.applies),
    ("translation", translation.applies),
)
# What nothing can verify: subjective work belongs to real data or to review, the rest lacks a verifier or its data.
NO_CHECK, NO_VERIFIER, SUBJECTIVE = "none", "no-verifier", "subjective"

Fate = Literal["kept", "rejected", "undecided"]
SEVERITY: tuple[Fate, ...] = ("kept", "undecided", "rejected")


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check with the name and version its verdicts are stored under."""

    name: str
    version: str
    call: Check

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge records, through the check's own `batch` where it has one that works."""
        batch = getattr(self.call, "batch", None)
        return (self._judge_all(batch, records) if batch else None) or [self._judge_one(record) for record in records]

    def _judge_all(self, batch: Callable[..., Any], records: Sequence[Record]) -> list[Verdict] | None:
        """Return the verdicts of a `batch`, or None where it fails: one bad record is then undecided, not all."""
        try:
            verdicts = list(batch(records))
        except HoldfastError:
            raise
        except Exception:  # noqa: BLE001  # the same failure is met again, and told, record by record
            return None
        whole = len(verdicts) == len(records) and all(isinstance(verdict, Verdict) for verdict in verdicts)
        return verdicts if whole else None

    def _judge_one(self, record: Record) -> Verdict:
        try:
            verdict = self.call(record)
        except HoldfastError:
            raise
        except Exception as error:  # noqa: BLE001  # a user's own check: any failure is recorded beside the record
            return Verdict(None, "fault", evidence={"error": f"{type(error).__name__}: {error}"[:500]})
        if isinstance(verdict, Verdict):
            return verdict
        return Verdict(None, "fault", evidence={"error": f"returned {type(verdict).__name__}, not a Verdict"})


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict about one record, with the check that gave it and its share of the time in milliseconds."""

    check: str
    version: str
    verdict: Verdict
    ms: float

    def to_dict(self, name: str) -> dict[str, Any]:
        """Return the row of verdicts.jsonl for the record called `name`."""
        said = self.verdict
        return {
            "id": name,
            "check": self.check,
            "version": self.version,
            "ok": said.ok,
            "reason": said.reason,
            "score": said.score,
            "evidence": dict(said.evidence),
            "ms": self.ms,
        }


def find_checks(names: Sequence[str], settings: Settings | None = None) -> tuple[NamedCheck, ...]:
    """Return the checks called `names`: built-in, installed, or a user's "module:function".

    A check with a method `with_settings` is what that returns for the settings, where there are any.
    """
    found = []
    for name in names:
        call = find("checks", name, BUILTIN)
        if settings is not None and hasattr(call, "with_settings"):
            call = call.with_settings(settings)
        found.append(NamedCheck(name, str(getattr(call, "version", "1")), call))
    return tuple(found)


def judge(
    checks: Sequence[NamedCheck], records: Sequence[Record], settings: Settings | None = None
) -> list[list[Judged]]:
    """Return the verdicts of each record, at least one.

    Without checks each record is routed by its data, and one that nothing can verify is undecided: `subjective`, or
    `no-verifier` with its domain.
    """
    judged: list[list[Judged]] = [[] for _ in records]
    for check, rows in _assigned(checks, records, settings):
        start = perf_counter()
        verdicts = check.judge([records[row] for row in rows])
        ms = round(1000 * (perf_counter() - start) / max(1, len(rows)), 3)
        for row, verdict in zip(rows, verdicts, strict=True):
            judged[row].append(Judged(check.name, check.version, verdict, ms))
    left = [row for row, verdicts in enumerate(judged) if not verdicts]
    for row, found in zip(left, domains_of([records[row] for row in left]), strict=True):
        reason = SUBJECTIVE if found == "subjective" else NO_VERIFIER
        judged[row].append(Judged(NO_CHECK, "1", Verdict(None, reason, evidence={"domain": found}), 0.0))
    return judged


def _assigned(
    checks: Sequence[NamedCheck], records: Sequence[Record], settings: Settings | None
) -> list[tuple[NamedCheck, list[int]]]:
    if checks:
        return [(check, list(range(len(records)))) for check in checks]
    routes = zip(find_checks([name for name, _ in ROUTES], settings), ROUTES, strict=True)
    rows = [(check, [row for row, record in enumerate(records) if applies(record)]) for check, (_, applies) in routes]
    return [(check, chosen) for check, chosen in rows if chosen]


def decide(check: str, ok: bool | None, reason: str) -> tuple[Fate, str]:
    """Return what one verdict makes of its record, and why. Over several verdicts the worst of `SEVERITY` holds."""
    if ok:
        return "kept", ""
    why = reason if check == NO_CHECK else f"{check}: {reason}" if reason else check
    return ("rejected" if ok is False else "undecided"), why


def decide_all(judged: Sequence[Judged]) -> tuple[Fate, str]:
    """Return what becomes of a record under all its verdicts: the worst one, the first of equals."""
    fates = [decide(each.check, each.verdict.ok, each.verdict.reason) for each in judged]
    return max(fates, key=lambda fate: SEVERITY.index(fate[0]))
