"""Tests as data sets ship them: where they stand, what they are a test of, and whether they can fail at all."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Where data sets keep their tests, in the order they are believed.
TEST_FIELDS = ("tests", "test", "test_list", "unit_tests")
SETUP_FIELDS = ("setup", "test_setup_code")
LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Script:
    """A test script, with the code that prepares its inputs, parsed; `entry` is the name given for what it tests."""

    script: str
    setup: str
    tree: ast.Module
    entry: str | None


def read_tests(fields: Mapping[str, Any]) -> Script | None:
    """Return the tests among a record's own columns, or None. Raises `SyntaxError` when they are no Python."""
    script = next((text for name in TEST_FIELDS if (text := _text(fields.get(name)))), None)
    if script is None:
        return None
    setup = next((text for name in SETUP_FIELDS if (text := _text(fields.get(name)))), "")
    entry = fields.get("entry_point")
    return Script(script, setup, parsed(script), entry if isinstance(entry, str) and entry.isidentifier() else None)


def _text(value: object) -> str:
    """A script, or a list of lines of one."""
    lines = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return "\n".join(line for line in lines if isinstance(line, str)) if any(lines) else ""


def parsed(script: str) -> ast.Module:
    """Parse a test script. Raises `SyntaxError` for everything that is none, endless nesting included."""
    if len(script) > LONGEST:
        raise SyntaxError(f"a test script of more than {LONGEST} characters")
    try:
        return ast.parse(script)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)[:200]) from error


def called(tree: ast.Module) -> list[str]:
    """Return the names that a script may be a test of: what it hands to its `check`, else what it calls, in order."""
    nodes = list(ast.walk(tree))
    calls = [
        (node.func.id, node.args) for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    checked = [args[0].id for name, args in calls if name == "check" and args and isinstance(args[0], ast.Name)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return checked or [name for name, _ in calls if name not in own]


def unchecked(tree: ast.Module) -> bool:
    """True when a script defines a `check(candidate)` that it does not call itself."""
    defines = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    top = [node.value.func for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    return defines and not any(isinstance(function, ast.Name) and function.id == "check" for function in top)


def asserts(tree: ast.Module) -> bool:
    """True when a script can fail: it asserts, raises or calls an assertion method."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Attribute) and node.attr.startswith(("assert", "fail", "raises")))
        for node in ast.walk(tree)
    )
