"""Cutting the calls of the program under test out of an expression.

What is cut out runs inside the sandbox; what is left, with a number where each call stood, is evaluated outside
(`code_values`). An expression that cannot be divided like that is refused.
"""

import ast
import sys
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from holdfast.verifiers.code_values import FUNCTIONS, QUALIFIED
from holdfast.verifiers.sandbox import plain

# Modules whose functions the evaluator outside knows under their full names.
_QUALIFIERS = {name.partition(".")[0] for name in QUALIFIED}


class UntranslatableError(ValueError):
    """A test that does more than call and compare."""


@dataclass(slots=True)
class Scope:
    """What is known while a script is walked through.

    `names` holds what a name of the script stands for: a constant (`=3`) or an expression over answers (`?3`); no
    Python name looks like either. `aliases` are names of the program under test, whose own name is `entry`.
    """

    entry: str
    aliases: set[str] = field(default_factory=set)
    names: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    constants: dict[str, Any] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    # Calls of something else that the program defines.
    foreign: set[int] = field(default_factory=set)

    def lifted(self, node: ast.expr) -> ast.expr:
        """Return the expression with each call of the program replaced by the name of its answer."""
        lifted: ast.expr = _Lift(self).visit(deepcopy(node))
        return lifted

    def constant(self, value: Any) -> ast.Name:
        """Return a name of its own for a value known now."""
        name = f"={len(self.constants)}"
        self.constants[name] = value
        return ast.Name(name)

    def call(self, source: str, given: dict[str, Any]) -> ast.Name:
        """Have `source` evaluated inside, with these inputs, and return the name of its answer."""
        name = f"?{len(self.calls)}"
        self.calls.append({"expr": source, "env": {key: plain.encode(value) for key, value in given.items()}})
        return ast.Name(name)

    def value(self, name: str) -> Any:
        """Return what a name of the script stands for. Raises `UntranslatableError` while that rests on an answer."""
        known = self.names[name]
        if not (isinstance(known, ast.Name) and known.id in self.constants):
            raise UntranslatableError("an input that is not known yet")
        return self.constants[known.id]


def answers_in(lifted: ast.AST) -> tuple[int, ...]:
    """Return the numbers of the answers that an expression needs."""
    names = [node.id for node in ast.walk(lifted) if isinstance(node, ast.Name)]
    return tuple(int(name[1:]) for name in names if name.startswith("?"))


class _Lift(ast.NodeTransformer):
    """Takes the outermost calls first, in the order in which Python makes them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.inner: set[str] = set()

    def visit_Call(self, node: ast.Call) -> ast.AST:  # ast's name
        root = _root(node.func)
        if root is None or not self._of_program(root):
            return self._outside(node)
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        walrus = any(isinstance(each, ast.NamedExpr) for each in ast.walk(node))
        if walrus or used & (self.inner | self.scope.functions.keys()):
            raise UntranslatableError("a call that depends on the script")
        given = {name: self.scope.value(name) for name in sorted(used & self.scope.names.keys())}
        if root not in self.scope.aliases:
            if used & self.scope.aliases:
                raise UntranslatableError(f"an answer that the program's own {root} judges")
            self.scope.foreign.add(len(self.scope.calls))
        renamed = _Renamed(self.scope.aliases, self.scope.entry).visit(node)
        return self.scope.call(ast.unparse(renamed), given)

    def _of_program(self, root: str) -> bool:
        scope = self.scope
        if root in scope.aliases:
            return True
        if root in scope.names or root in self.inner or root in FUNCTIONS or root in _QUALIFIERS:
            return False
        if root in scope.functions or root in scope.imported or root in sys.stdlib_module_names or root == "self":
            raise UntranslatableError(f"a call of {root}")
        return True

    def _outside(self, node: ast.Call) -> ast.AST:
        """A call made outside: only of what the evaluator knows."""
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        if not known and not isinstance(node.func, ast.Attribute):
            raise UntranslatableError(f"a call of {ast.unparse(node.func)[:80]}")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:  # ast's name
        if node.id in self.inner or node.id in FUNCTIONS or node.id in _QUALIFIERS:
            return node
        if node.id not in self.scope.names:
            raise UntranslatableError(f"the name {node.id}")
        return self.scope.names[node.id]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:  # ast's name
        raise UntranslatableError(f"a function of {len(node.args.args)} arguments")

    def _comprehension(self, node: Any) -> ast.AST:
        before = set(self.inner)
        targets = [each for loop in node.generators for each in ast.walk(loop.target)]
        self.inner |= {each.id for each in targets if isinstance(each, ast.Name)}
        kept = self.generic_visit(node)
        self.inner = before
        return kept

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension  # noqa: N815  # ast's names


class _Renamed(ast.NodeTransformer):
    """Calls the program under test by its own name, whatever the script calls it."""

    def __init__(self, aliases: set[str], entry: str) -> None:
        self.aliases, self.entry = aliases, entry

    def visit_Name(self, node: ast.Name) -> ast.AST:  # ast's name
        return ast.Name(self.entry) if node.id in self.aliases else node


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes, calls and items begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
