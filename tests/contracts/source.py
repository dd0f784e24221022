"""The source tree as the contract tests see it: files, functions and imports, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "holdfast"
WRITTEN = ("src", "tests", "bench", "docs", "examples")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Function:
    """One function: where it is, its name, its length in lines and its number of parameters."""

    where: str
    name: str
    lines: int
    parameters: int


def files(*folders: str) -> list[Path]:
    """Return all Python files under the given top folders (all of them by default), in stable order."""
    return sorted(path for folder in folders or WRITTEN for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    """Return file:line, clickable in a terminal."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def functions(*folders: str) -> Iterator[Function]:
    """Yield every function and method; a method's self or cls is no parameter of its caller."""
    for path in files(*folders):
        for node in ast.walk(tree(path)):
            if isinstance(node, FunctionNode):
                yield Function(place(path, node), node.name, node.end_lineno - node.lineno + 1, count(node.args))


def count(arguments: ast.arguments) -> int:
    """Return the number of parameters a caller can give by name or position."""
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in given if argument.arg not in ("self", "cls")])


def imports(node: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Yield (statement, module) for every import below `node`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from ((child, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child, child.module or "."
