"""Schema check: the JSON of a response against the JSON Schema that its record carries.

The JSON is strict (one value, no duplicate keys, no NaN) and stands alone or in one fenced block. Light schemas judge
in this process; others (free patterns, recursive references) in worker processes with a hard time limit. Formats are
asserted by `with_formats`, or where the record says `formats: true`. Remote references are never fetched.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import orjson
from referencing.exceptions import Unresolvable

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.dialect import DRAFTS, Compiled, InvalidSchemaError, compile_schema
from holdfast.verifiers.strict_json import parse
from holdfast.verifiers.workers import Outcome, Pool
from holdfast.verifiers.written import Unwritten, wanted_format, written

VERSION = "1"
REASONS = (
    "valid", "mismatch", "no-answer", "not-json", "trailing-text", "several-answers", "duplicate-key",
    "not-a-number", "too-deep", "too-large",  # decided
    "no-schema", "invalid-schema", "unresolvable-ref", "timeout", "memory", "fault",  # undecided
)  # fmt: skip

# Where data sets keep a schema, in the order they are believed.
SCHEMA_FIELDS = ("schema", "json_schema", "response_schema", "response_format")
# Seconds for one answer; a schema that is not hostile takes a thousandth.
LIMIT = 5.0


@dataclass(frozen=True, slots=True)
class Task:
    """A JSON text and the schema for it, both as text, so that tasks can be compared, kept and sent."""

    schema: str
    text: str
    draft: str = ""
    formats: bool = False


class SchemaCheck:
    """The check as a callable, with its version and its form for many records at once."""

    version = VERSION

    def __init__(self, formats: bool = False) -> None:
        self.formats = formats

    def __call__(self, record: Record) -> Verdict:
        """Judge one record by its own schema, undecided without one."""
        return self.batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many records, those with heavy schemas in parallel; verdicts in their order."""
        verdicts: dict[int, Verdict] = {}
        heavy: dict[int, Task] = {}
        for number, record in enumerate(records):
            decided = _decide(record, self.formats)
            if isinstance(decided, Verdict):
                verdicts[number] = decided
            else:
                heavy[number] = decided
        for number, outcome in zip(heavy, _in_workers(list(heavy.values())), strict=True):
            verdicts[number] = _of_worker(outcome)
        return [verdicts[number] for number in range(len(records))]


check = SchemaCheck()
with_formats = SchemaCheck(formats=True)


def applies(record: Record) -> bool:
    """True when a record carries a JSON Schema and asks for JSON."""
    return schema_of(record.fields) is not None and wanted_format(record.fields) in ("", "json", "json_schema")


def close() -> None:
    """End the worker processes; the next heavy schema starts them again."""
    _pool().close()


def schema_of(fields: Mapping[str, Any]) -> str | None:
    """Return the JSON Schema among the user's own columns as JSON text, or None.

    A schema is an object, true or false, its JSON text, or wrapped as in requests to chat models:
    `{"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}`, or `{"type": "json_object"}` for any object.
    """
    for name in SCHEMA_FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and value.strip()[:1] in ("{", "t", "f"):
            text = value.strip()
            value = _loaded(text)
            if value is None:
                return text if text.startswith("{") else None
        if isinstance(value, dict):
            value = _unwrapped(value)
        if isinstance(value, dict | bool):
            return _dumped(value)
    return None


def _unwrapped(value: dict[str, Any]) -> Any:
    if value.get("type") == "json_object":
        return {"type": "object"}
    if value.get("type") == "text":
        return None
    inner = value.get("json_schema") if value.get("type") == "json_schema" else None
    value = inner if isinstance(inner, dict) else value
    # A wrapper says what the schema is called; a schema with a property of that name says "properties".
    if isinstance(value.get("schema"), dict | bool) and not {"properties", "$ref", "allOf", "anyOf"} & set(value):
        return value["schema"]
    return value


@lru_cache(512)
def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _dumped(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _decide(record: Record, formats: bool) -> Verdict | Task:
    """Return a verdict where it costs little, else the task for a worker."""
    schema = schema_of(record.fields)
    if schema is None:
        return Verdict(None, "no-schema")
    draft = str(record.fields.get("draft", ""))
    asserted = formats or record.fields.get("formats") is True
    try:
        text = written(record.response, ("json", "json5", "jsonc"))
    except Unwritten as wrong:
        return Verdict(False, wrong.reason, evidence={"note": wrong.note})
    task = Task(schema, text, draft if draft in DRAFTS else "", asserted)
    compiled = _compiled(task.schema, task.draft, task.formats)
    if isinstance(compiled, Verdict):
        return compiled
    return judged(task) if compiled.is_light(len(text)) else task


def judged(task: Task) -> Verdict:
    """Judge one text by one schema, in whatever process this is."""
    compiled = _compiled(task.schema, task.draft, task.formats)
    if isinstance(compiled, Verdict):
        return compiled
    try:
        error = compiled.error(parse(task.text))
    except Unwritten as wrong:
        return Verdict(False, wrong.reason, evidence={"note": wrong.note})
    except InvalidSchemaError as wrong:
        return Verdict(None, "invalid-schema", evidence={"note": str(wrong)[:300]})
    except Unresolvable as missing:
        return Verdict(None, "unresolvable-ref", evidence={"note": str(missing)[:300]})
    except RecursionError:
        return Verdict(None, "invalid-schema", evidence={"note": "its references go round without end"})
    return Verdict(True, "valid") if error is None else Verdict(False, "mismatch", evidence=error)


@lru_cache(512)
def _compiled(schema: str, draft: str, formats: bool) -> Compiled | Verdict:
    """Compile a schema once; the verdict where it is none."""
    try:
        return compile_schema(orjson.loads(schema), draft, formats)
    except (InvalidSchemaError, orjson.JSONDecodeError) as error:
        return Verdict(None, "invalid-schema", evidence={"note": str(error)[:300]})
    except Unresolvable as missing:
        return Verdict(None, "unresolvable-ref", evidence={"note": str(missing)[:300]})


def _in_workers(tasks: Sequence[Task]) -> list[Outcome]:
    messages = [
        {"schema": task.schema, "text": task.text, "draft": task.draft, "formats": task.formats} for task in tasks
    ]
    return _pool().run(messages) if messages else []


def _of_worker(outcome: Outcome) -> Verdict:
    if outcome.fate != "answered":
        return Verdict(None, "timeout" if outcome.fate == "timeout" else "memory", evidence={"limit_seconds": LIMIT})
    if "fault" in outcome.answer:
        return Verdict(None, "memory" if outcome.answer["fault"] == "memory" else "fault")
    answer = outcome.answer
    return Verdict(answer["ok"], answer["reason"], evidence=answer["evidence"])


@cache
def _pool() -> Pool:
    pool = Pool("holdfast.verifiers.schema_worker", LIMIT)
    atexit.register(pool.close)
    return pool
