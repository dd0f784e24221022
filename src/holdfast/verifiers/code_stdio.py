"""Problems judged by what a program prints for an input, and problems given as arguments and results.

The forms in use: `inputs`/`outputs`; `input_output`, an object or its JSON with `inputs`, `outputs` and perhaps
`fn_name` (APPS, TACO); `public_tests`, `private_tests`, `generated_tests` with `input`/`output` (CodeContests).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# More cases than this add time and no knowledge.
MOST_CASES = 200
_LISTS = (("inputs", "outputs"), ("input", "output"))
_GROUPS = ("public_tests", "private_tests", "generated_tests")


@dataclass(frozen=True, slots=True)
class Problem:
    """Inputs with their outputs, in pairs: text for a program, or arguments and result where `function` is named."""

    cases: tuple[tuple[Any, Any], ...]
    function: str = ""


def read_problem(fields: Mapping[str, Any]) -> Problem | None:
    """Return the problem among a record's own columns, or None."""
    for holder in (fields, _parsed(fields.get("input_output"))):
        if isinstance(holder, Mapping) and isinstance(holder.get("inputs"), list):
            name = holder.get("fn_name") or ""
            return _problem(holder, name if isinstance(name, str) and name.isidentifier() else "")
    groups = [group for name in _GROUPS if isinstance(group := _parsed(fields.get(name)), Mapping)]
    cases = tuple(case for group in groups if (found := _problem(group, "")) for case in found.cases)
    return Problem(cases[:MOST_CASES]) if cases else None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _problem(holder: Mapping[str, Any], function: str) -> Problem | None:
    for asked, wanted in _LISTS:
        inputs, outputs = holder.get(asked), holder.get(wanted)
        if isinstance(inputs, list) and isinstance(outputs, list) and len(inputs) == len(outputs) > 0:
            if not function:
                inputs, outputs = [_text(each) for each in inputs], [_text(each) for each in outputs]
            elif all(isinstance(each, list) and len(each) == 1 for each in outputs):
                # APPS wraps each result in a list of its own.
                outputs = [each[0] for each in outputs]
            return Problem(tuple(zip(inputs, outputs, strict=True))[:MOST_CASES], function)
    return None


def _text(value: Any) -> str:
    return "\n".join(str(line) for line in value) if isinstance(value, list) else str(value)


def same_output(expected: str, given: bytes) -> bool:
    """True when both hold the same words in the same lines; other blanks and empty lines do not count."""
    return _words(expected) == _words(given.decode("utf-8", "replace"))


def _words(text: str) -> list[list[str]]:
    return [words for line in text.splitlines() if (words := line.split())]


def same_result(expected: Any, given: Any) -> bool:
    """True when a result is the expected one; JSON has no tuples, so that a tuple counts as a list."""
    return bool(expected == _as_json(given))


def _as_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return {key: _as_json(item) for key, item in value.items()} if isinstance(value, dict) else value
