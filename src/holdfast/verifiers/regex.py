"""Regex check: the response is one regular expression that matches the examples it must and none that it must not.

An example is matched whole, unless the record says `regex_mode: search`. Compiled by Python's engine, or read as
JavaScript where the record says `regex_flavour: javascript`. Run in worker processes: an expression that does not end
on an example has failed it.
"""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers import ecma
from holdfast.verifiers.judging import Task, WorkerCheck
from holdfast.verifiers.workers import say
from holdfast.verifiers.written import Unwritten, listed, wanted_format, written

VERSION = "1"
REASONS = (
    "matches", "no-answer", "not-unicode",
    "not-a-pattern", "misses-positive", "matches-negative", "timeout", "memory", "too-large",
    "several-answers",  # decided
    "no-examples", "unsupported-flavour", "fault",  # undecided
)  # fmt: skip

# Only the first name of each alone makes a record one for this check; the others are common elsewhere.
POSITIVES = ("must_match", "positives", "positive_examples", "matches")
NEGATIVES = ("must_not_match", "negatives", "negative_examples", "non_matches")
# A longer expression is not one that a person asked for.
LONGEST = 10_000
# Characters of examples sent to a worker.
_MOST_EXAMPLES = 500_000

_DELIMITED = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_QUOTED = re.compile(r"r?(\"|')(.+)\1", re.DOTALL)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "g": 0, "u": 0}


def applies(record: Record) -> bool:
    """True when a record asks for an expression by name, or says what one must match or must not."""
    named = listed(record.fields, "must_match") is not None or listed(record.fields, "must_not_match") is not None
    return named or wanted_format(record.fields) in ("regex", "regexp")


def judged(task: Mapping[str, Any]) -> Verdict:
    """Judge one expression by its examples; called in a worker."""
    say({"stage": "candidate"})
    try:
        compiled = _compiled(task)
    except (re.error, OverflowError, RecursionError) as error:
        return Verdict(False, "not-a-pattern", evidence={"note": str(error)[:200]})
    find = compiled.search if task["search"] else compiled.fullmatch
    for wanted, examples in ((True, task["positives"]), (False, task["negatives"])):
        for example in examples:
            if (find(example) is not None) is not wanted:
                reason = "misses-positive" if wanted else "matches-negative"
                return Verdict(False, reason, evidence={"example": example[:200]})
    return Verdict(True, "matches", evidence={"examples": len(task["positives"]) + len(task["negatives"])})


def _compiled(task: Mapping[str, Any]) -> re.Pattern[str]:
    if task["javascript"]:
        return re.compile(ecma.compiled(task["pattern"]).pattern, task["flags"])
    return re.compile(task["pattern"], task["flags"])


def _prepare(record: Record) -> Verdict | Task:
    fields = record.fields
    positives, negatives = listed(fields, *POSITIVES) or [], listed(fields, *NEGATIVES) or []
    if not positives and not negatives:
        return Verdict(None, "no-examples")
    flavour = str(fields.get("regex_flavour") or "python").lower()
    if flavour not in ("python", "javascript"):
        return Verdict(None, "unsupported-flavour", evidence={"flavour": flavour[:40]})
    if sum(map(len, [*positives, *negatives])) > _MOST_EXAMPLES:
        return Verdict(None, "fault", evidence={"note": f"more than {_MOST_EXAMPLES:,} characters of examples"})
    found = _pattern_of(written(record.response, ("regex", "regexp", "re", "pcre", "javascript", "js", "python")))
    if found is None:
        raise Unwritten("not-a-pattern", "more than one line, or too long")
    return {
        "pattern": found[0],
        "flags": found[1],
        "positives": positives,
        "negatives": negatives,
        "search": fields.get("regex_mode") == "search",
        "javascript": flavour == "javascript",
    }


def _pattern_of(text: str) -> tuple[str, int] | None:
    """Return the expression and flags that a line writes: bare, /delimited/i, `quoted` or r"quoted"; None for more."""
    bare = text.strip()
    if bare[:1] == bare[-1:] == "`":
        bare = bare.strip("`").strip()
    if not bare or "\n" in bare or len(bare) > LONGEST:
        return None
    if (match := _DELIMITED.fullmatch(bare)) and all(flag in _FLAGS for flag in match[2]):
        return match[1].replace("\\/", "/"), sum({int(_FLAGS[flag]) for flag in match[2]})
    match = _QUOTED.fullmatch(bare)
    return (match[2] if match else bare), 0


check = WorkerCheck("regex", _prepare, VERSION, blames=True)


def _example(response: str) -> Record:
    fields = {
        "must_match": ["2024-02-29", "1999-12-31"],
        "must_not_match": ["2024-13-01", "24-02-29", "2024-02-29x", ""],
    }
    return Record("example", "Write a regular expression for ISO dates.", response, fields=fields)


ACCEPTS = (
    _example(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
    _example("```regex\n^\\d{4}-(0[1-9]|1[0-2])-\\d\\d$\n```"),
    _example("/^\\d{4}-(?:0\\d|1[0-2])-\\d{2}$/i"),
    _example('r"[0-9]{4}-(0[0-9]|1[012])-[0-9]{2}"'),
)
REFUSES = {
    "bracket never closed": _example(r"\d{4}-(0[1-9]"),
    "month not bounded": _example(r"\d{4}-\d\d-\d\d"),
    "two digits of year": _example(r"\d{2}-(0[1-9]|1[0-2])-\d\d"),
    "matches everything": _example(".*"),
    "matches nothing": _example(r"(?!)"),
    "does not end": Record(
        "example", "", r"^(\w+\s?)+$", fields={"must_match": ["one two"], "must_not_match": [30 * "word" + "!"]}
    ),
    "prose": _example("Use four digits, a dash, two digits."),
    "empty": _example(""),
}
