"""JSON Schema compiled: drafts 4, 6, 7, 2019-09 and 2020-12 by the library jsonschema, without network.

Three keywords are our own: `multipleOf` counts in decimals, so that 19.99 is a multiple of 0.01, `pattern` reads its
expression as JavaScript does (`verifiers.ecma`), and `uniqueItems` takes linear time. A schema is light when no answer
can make it expensive; only then may it judge outside a worker process.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from json import dumps
from typing import Any

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    FormatChecker,
)
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from holdfast.verifiers.ecma import compiled
from holdfast.verifiers.formats import format_checker

# Dialects by the names that people give them; without `$schema` and without a name it is the newest.
DRAFTS: Mapping[str, type[Validator]] = {
    "draft4": Draft4Validator,
    "draft6": Draft6Validator,
    "draft7": Draft7Validator,
    "draft2019-09": Draft201909Validator,
    "draft2020-12": Draft202012Validator,
}
NEWEST = "draft2020-12"

# Steps that a light schema may take on one answer: about a tenth of a second.
_LIGHT_STEPS = 300_000
# Keywords whose cost is not bounded by the size of schema times answer.
_HEAVY = frozenset((
    "$dynamicRef", "$recursiveRef", "$id", "id", "patternProperties", "unevaluatedItems", "unevaluatedProperties",
))  # fmt: skip
_CLASS = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]")
_LOOP = re.compile(r"[*+]|\{[0-9]*,[0-9]*\}")


# What a schema says in its own keywords is checked without formats: expressions are compiled by `verifiers.ecma`.
_META = FormatChecker(formats=())


class InvalidSchemaError(Exception):
    """The schema itself is wrong: no fault of the answer."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema ready to judge; `steps` bounds its work per character of an answer, None where nothing does."""

    validator: Validator
    steps: int | None

    def is_light(self, characters: int) -> bool:
        """True when no answer of this length takes it long."""
        return self.steps is not None and self.steps * characters <= _LIGHT_STEPS

    def error(self, value: Any) -> dict[str, str] | None:
        """Return where and how a value breaks the schema, or None.

        Raises `InvalidSchemaError` and `Unresolvable` where the schema turns out to be wrong only now.
        """
        try:
            found = next(iter(self.validator.iter_errors(value)), None)
        except (re.error, OverflowError, TypeError) as error:
            raise InvalidSchemaError(f"{type(error).__name__}: {error}") from None
        if found is None:
            return None
        return {"path": found.json_path[:200], "keyword": str(found.validator), "note": found.message[:200]}


def compile_schema(schema: Any, draft: str = "", formats: bool = False) -> Compiled:
    """Return a schema ready to judge. Raises `InvalidSchemaError` where it is none, and `Unresolvable`."""
    if not isinstance(schema, dict | bool):
        raise InvalidSchemaError(f"a schema is an object or true or false, not {type(schema).__name__}")
    # The protocol of validators declares neither schemas that are true or false nor the checker of formats.
    kind: Any = _dialect(schema, draft)
    try:
        kind.check_schema(schema, format_checker=_META)
        steps = _steps(schema)
    except SchemaError as error:
        raise InvalidSchemaError(f"{error.json_path}: {error.message}"[:300]) from None
    except RecursionError:
        raise InvalidSchemaError("nested too deeply") from None
    checker = format_checker() if formats else None
    return Compiled(_ours(kind)(schema, registry=REGISTRY, format_checker=checker), steps)


def _dialect(schema: Any, draft: str) -> type[Validator]:
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return DRAFTS.get(draft, DRAFTS[NEWEST])
    if not isinstance(named, str):
        raise InvalidSchemaError("$schema is no text")
    known = validator_for({"$schema": named}, default=None)  # type: ignore[arg-type]
    if known is None:
        raise Unresolvable(ref=named)
    found: type[Validator] = known
    return found


@cache
def _ours(kind: type[Validator]) -> type[Validator]:
    extended: type[Validator] = extend(
        kind, {"multipleOf": _multiple_of, "pattern": _pattern, "uniqueItems": _unique_items}
    )  # type: ignore[no-untyped-call]
    return extended


def _multiple_of(validator: Any, step: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and Fraction(repr(value)) % Fraction(repr(step)):
        yield ValidationError(f"{value!r} is not a multiple of {step!r}")


def _unique_items(validator: Any, wanted: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(value, "array"):
        seen = {dumps(_canonical(item), sort_keys=True) for item in value}
        if len(seen) < len(value):
            yield ValidationError(f"{value!r} has non-unique elements")


def _canonical(value: Any) -> Any:
    """Return a value in which numbers that are equal are written alike: 1.0 as 1."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not compiled(pattern).search(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _steps(schema: Any) -> int | None:
    """Return how many keywords may look at one value of an answer, local references followed; None without bound."""
    return _Walk(schema).steps(schema, 0) if isinstance(schema, dict) else 1


@dataclass(slots=True)
class _Walk:
    root: Any
    left: int = 10_000

    def steps(self, node: Any, refs: int) -> int | None:
        """Count the nodes below one; `left` ends schemas whose references multiply, `refs` those that go round."""
        self.left -= 1
        if self.left < 0 or refs > 20:
            return None
        if isinstance(node, list):
            return self._all(node, refs)
        if not isinstance(node, dict):
            return 0
        if self._is_heavy(node, refs):
            return None
        below = self._all(node.values(), refs)
        behind = self.steps(self._target(node["$ref"]), refs + 1) if "$ref" in node else 0
        return None if below is None or behind is None else 1 + len(node) + below + behind

    def _all(self, nodes: Any, refs: int) -> int | None:
        total = 0
        for node in nodes:
            found = self.steps(node, refs)
            if found is None:
                return None
            total += found
        return total

    def _is_heavy(self, node: Mapping[str, Any], refs: int) -> bool:
        if any(key in _HEAVY for key in node) and not (
            node is self.root and refs == 0 and set(node) & _HEAVY <= {"$id", "id"}
        ):
            return True
        pattern = node.get("pattern")
        return isinstance(pattern, str) and not _is_simple(pattern)

    def _target(self, ref: Any) -> Any:
        """Follow a local reference (#/$defs/name); anything else is left to a worker."""
        node = self.root
        if ref != "#" and not (isinstance(ref, str) and ref.startswith("#/")):
            return {"$dynamicRef": ref}
        for name in str(ref)[2:].split("/") if ref != "#" else ():
            node = node.get(name) if isinstance(node, dict) else None
        return node


def _is_simple(pattern: str) -> bool:
    """True for an expression without groups and alternatives that loops once at most, from the beginning."""
    bare = _CLASS.sub("x", pattern)
    loops = len(_LOOP.findall(bare))
    return not set(bare) & set("()|") and bare.count("?") <= 3 and (loops == 0 or (loops == 1 and bare.startswith("^")))
