"""Inside the sandbox: a program's one-point mutants, by which its tests are measured.

Each mutant differs in one place: a comparison, an arithmetic or logical operator, a number, a condition, a returned
value. The operators are the classic ones of mutation testing (DeMillo, Lipton, Sayward 1978; Offutt et al. 1996).
Parsing happens here because the text is nobody's whom we trust. The job is `{"sources": [...], "most": 12}`.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from holdfast.verifiers.sandbox import plain

_SWAPS: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def run(job: Mapping[str, Any], answers: int) -> None:
    """Write one line per mutant: its text and what was changed. Nothing for a program that does not parse."""
    tree = _parsed(job["sources"])
    points = list(_points(tree)) if tree else []
    step = max(1, -(-len(points) // job["most"]))
    for number in range(0, len(points), step):
        mutant = deepcopy(tree)
        what = _mutate(list(_points(mutant))[number]) if mutant else ""
        line = (
            memoryview(plain.dumps({"mutant": ast.unparse(mutant), "what": what}) + b"\n")
            if mutant
            else memoryview(b"")
        )
        while line:
            line = line[os.write(answers, line) :]


def _parsed(sources: list[str]) -> ast.Module | None:
    for source in sources:
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _points(tree: ast.AST | None) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield the places that can be changed, as (node, field, index), in the order of the text; not in annotations."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _SWAPS:
            yield node, "op", None
        elif isinstance(node, ast.Compare):
            yield from ((node, "ops", at) for at, kind in enumerate(node.ops) if type(kind) in _SWAPS)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield node, "value", None
        elif isinstance(node, ast.If | ast.While):
            yield node, "test", None
        elif isinstance(node, ast.Return) and node.value is not None:
            yield node, "return", None


def _mutate(point: tuple[ast.AST, str, int | None]) -> str:
    """Change one place; return what was done, with its line."""
    node, name, at = point
    if isinstance(node, ast.If | ast.While):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return):
        node.value = ast.Constant(None)
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1  # type: ignore[operator]
    elif at is not None and isinstance(node, ast.Compare):
        node.ops[at] = _SWAPS[type(node.ops[at])]()  # type: ignore[call-overload]
    else:
        node.op = _SWAPS[type(node.op)]()  # type: ignore[attr-defined]
    return f"{type(node).__name__} {name} in line {getattr(node, 'lineno', 0)}"
