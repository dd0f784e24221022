"""Schema check: the JSON of a response against the JSON Schema that its record carries.

The JSON is strict (one value, no duplicate keys, no NaN) and stands alone or in one fenced block. Light schemas judge
in this process; others (free patterns, recursive references) in worker processes with a hard time limit. Formats are
asserted by `with_formats`, or where the record says `formats: true`. Remote references are never fetched.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import orjson
from referencing.exceptions import Unresolvable

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.dialect import DRAFTS, Compiled, InvalidSchemaError, compile_schema
from holdfast.verifiers.judging import Task, WorkerCheck
from holdfast.verifiers.strict_json import parse
from holdfast.verifiers.written import wanted_format, written

VERSION = "1"
REASONS = (
    "valid", "mismatch", "no-answer", "not-unicode", "not-json", "trailing-text", "several-answers", "duplicate-key",
    "not-a-number", "too-deep", "too-large",  # decided
    "no-schema", "invalid-schema", "unresolvable-ref", "timeout", "memory", "fault",  # undecided
)  # fmt: skip

# Where data sets keep a schema, in the order they are believed.
SCHEMA_FIELDS = ("schema", "json_schema", "response_schema", "response_format")


def applies(record: Record) -> bool:
    """True when a record carries a JSON Schema and asks for JSON."""
    return schema_of(record.fields) is not None and wanted_format(record.fields) in ("", "json", "json_schema")


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
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dumped(value: Any) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # whole numbers of more than 64 bits
        return json.dumps(value, default=str)


def against(record: Record, value: Any) -> Verdict:
    """Judge data that was read from another notation (YAML) by the record's schema, as JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError) as error:
        return Verdict(False, "mismatch", evidence={"note": f"no JSON says this: {error}"[:200]})
    return check(replace(record, response=text, fields={**record.fields, "output_format": "json"}))


def _prepare(record: Record, formats: bool = False) -> Verdict | Task:
    """Return a verdict where it costs little, else the task for a worker."""
    schema = schema_of(record.fields)
    if schema is None:
        return Verdict(None, "no-schema")
    text = written(record.response, ("json", "json5", "jsonc"))
    draft = str(record.fields.get("draft", ""))
    task = {
        "schema": schema,
        "text": text,
        "draft": draft if draft in DRAFTS else "",
        "formats": formats or record.fields.get("formats") is True,
    }
    compiled = _compiled(task["schema"], task["draft"], task["formats"])
    return judged(task) if isinstance(compiled, Verdict) or compiled.is_light(len(text)) else task


def judged(task: Task) -> Verdict:
    """Judge one text by one schema, in whatever process this is. Raises `Unwritten` for what is not strict JSON."""
    compiled = _compiled(task["schema"], task["draft"], task["formats"])
    if isinstance(compiled, Verdict):
        return compiled
    value = parse(task["text"])
    try:
        error = compiled.error(value)
    except InvalidSchemaError as wrong:
        return Verdict(None, "invalid-schema", evidence={"note": str(wrong)[:300]})
    except Unresolvable as missing:
        return Verdict(None, "unresolvable-ref", evidence={"note": str(missing)[:300]})
    except RecursionError:
        return Verdict(None, "invalid-schema", evidence={"note": "its references go round without end"})
    return Verdict(True, "valid") if error is None else Verdict(False, "mismatch", evidence=error)


check = WorkerCheck("schema", _prepare, VERSION)
with_formats = WorkerCheck("schema", partial(_prepare, formats=True), VERSION)


@lru_cache(512)
def _compiled(schema: str, draft: str, formats: bool) -> Compiled | Verdict:
    """Compile a schema once; the verdict where it is none."""
    try:
        return compile_schema(json.loads(schema), draft, formats)
    except (InvalidSchemaError, ValueError, RecursionError) as error:
        return Verdict(None, "invalid-schema", evidence={"note": str(error)[:300]})
    except Unresolvable as missing:
        return Verdict(None, "unresolvable-ref", evidence={"note": str(missing)[:300]})
