"""Structured answers: the JSON that a text is, and whether it obeys the JSON Schema that was asked for.

Strict: one value, no doubled key, no NaN; alone or in one fenced ```json block, and nothing around it. The dialect is
the schema's own `$schema`, else 2020-12; remote references are never fetched.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from holdfast.core.errors import UsageError

_FENCED = re.compile(r"```json[ \t]*\r?\n(.*?)\r?\n?[ \t]*```", re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Deeper than any answer that people ask for, and shallow enough for the validator, which recurses.
DEEPEST = 100


class Structured(NamedTuple):
    """The value of an answer, or why it has none: invalid-json or schema, and where."""

    value: Any = None
    reason: str = ""
    detail: str = ""


def structured(text: str, schema: Mapping[str, Any]) -> Structured:
    """Return the value a text writes where it obeys the schema. Raises `UsageError` for a schema that is none."""
    try:
        value = _parsed(text)
    except (ValueError, RecursionError) as error:
        return Structured(reason="invalid-json", detail=str(error)[:200])
    try:
        wrong = next(validator(schema).iter_errors(value), None)
    except (Unresolvable, RecursionError, re.error) as error:
        raise UsageError(
            f"The schema of an answer cannot be used: {type(error).__name__} {error}"[:300],
            "Local references (#/$defs/...) that end, and valid patterns, are what it may hold.",
        ) from None
    return (
        Structured(value) if wrong is None else Structured(None, "schema", f"{wrong.json_path}: {wrong.message}"[:200])
    )


def validator(schema: Mapping[str, Any]) -> Validator:
    """Return what judges by a schema, made once for each. Raises `UsageError` for what is no JSON Schema."""
    return _compiled(orjson.dumps(schema))


@lru_cache(64)
def _compiled(schema: bytes) -> Validator:
    value = orjson.loads(schema)
    # The protocol of validators does not declare the registry.
    kind: Any = validator_for(value, default=Draft202012Validator)
    try:
        kind.check_schema(value)
    except (SchemaError, RecursionError) as error:
        what = f"{error.json_path}: {error.message}" if isinstance(error, SchemaError) else "nested too deeply"
        raise UsageError(f"The schema of an answer is no JSON Schema: {what}"[:300], "Mend it.") from None
    made: Validator = kind(value, registry=REGISTRY)
    return made


def _parsed(text: str) -> Any:
    text = text.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(text)
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # half a character, written as an escape, is a ValueError
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"doubled key {next(name for name in names if names.count(name) > 1)[:80]!r}")
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
