"""A test script translated: what to run inside the sandbox, and what must hold of the answers outside.

The script is walked through, not run. Scripts that do more than prepare inputs, call and compare (that keep objects,
patch, use chance) are not translated and are judged in a process of their own.
"""

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from holdfast.verifiers.code_lift import Scope, UntranslatableError, answers_in
from holdfast.verifiers.code_tests import Script
from holdfast.verifiers.code_values import UnknownError, bound, evaluate
from holdfast.verifiers.sandbox.plain import NotPlainError

_ITERATIONS = 1_000
_TEXT = 300
Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One assertion: its text, the calls it needs, whether it holds of their answers (`?0` is that of call 0).

    Where `raises` names exceptions, its call must raise one of them.
    """

    text: str
    calls: tuple[int, ...]
    holds: Callable[[Answers], bool]
    raises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run inside and what to compare outside. `entry` must be among the program's names, if it is given.

    A plan that is not `final` leaves to the script itself what it cannot tell: odd objects, inputs changed in place.
    """

    calls: Sequence[Mapping[str, Any]]
    cases: Sequence[Case]
    entry: str = ""
    setup: Sequence[str] = ()
    final: bool = False


def translate(tests: Script, entry: str) -> Plan:
    """Return what to run and what to compare. Raises `UntranslatableError` for tests that do more than that."""
    walk = _Walk(tests, entry)
    try:
        walk.through(tests.tree)
    except (UnknownError, NotPlainError, RecursionError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise UntranslatableError(str(error)[:_TEXT]) from error
    if not walk.cases:
        raise UntranslatableError("no assertion found")
    return Plan(walk.scope.calls, walk.cases, entry, walk.setup)


def given_results(called: str, pairs: Sequence[tuple[Any, Any]], same: Callable[[Any, Any], bool]) -> Plan:
    """Return the plan of a problem that gives arguments (as `given`) and results."""
    scope, cases = Scope(""), []
    for given, wanted in pairs:
        arguments = given if isinstance(given, list) else [given]
        answer = scope.call(called, {"given": arguments})
        holds = partial(_same_answer, same, wanted, answer.id)
        cases.append(Case(f"arguments {arguments!r}"[:_TEXT], answers_in(answer), holds))
    return Plan(scope.calls, cases, final=True)


def _same_answer(same: Callable[[Any, Any], bool], wanted: Any, name: str, answers: Answers) -> bool:
    return same(wanted, answers[name])


def _true(expected: ast.expr, constants: Mapping[str, Any], answers: Answers) -> bool:
    return bool(evaluate(expected, {**constants, **answers}))


def _never(_: Answers) -> bool:
    """An exception was asked for, and a value came."""
    return False


@dataclass(slots=True)
class _Walk:
    """Goes through a script statement by statement."""

    tests: Script
    entry: str
    scope: Scope = field(init=False)
    cases: list[Case] = field(default_factory=list)
    setup: list[str] = field(init=False)
    checked: bool = False

    def __post_init__(self) -> None:
        self.scope = Scope(self.entry, {self.entry})
        self.setup = [self.tests.setup] if self.tests.setup else []

    def through(self, tree: ast.Module) -> None:
        for node in tree.body:
            self.statement(node)
        for name, function in self.scope.functions.items():
            if name.startswith("test") or (name == "check" and not self.checked):
                self._function(function, ast.Name(self.entry))

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UntranslatableError(f"a statement {type(node).__name__}")
        method(node)

    def _pass(self, node: ast.Pass) -> None:
        """Nothing."""

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import of the standard library is also made inside, for inputs; one of the program is left out."""
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        root = module.partition(".")[0]
        given = {each.asname or each.name.partition(".")[0] for each in node.names}
        if root in sys.stdlib_module_names or root == "pytest":
            self.scope.imported |= given
            self.setup += [ast.unparse(node)] if root != "pytest" else []
        elif not (isinstance(node, ast.ImportFrom) and self.entry in given):
            raise UntranslatableError(f"an import of {module}")

    _importfrom = _import

    def _functiondef(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise UntranslatableError("a decorated function")
        self.scope.functions[node.name] = node

    def _classdef(self, node: ast.ClassDef) -> None:
        """The tests of a unittest class that prepares nothing."""
        methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
        if len(methods) != len(node.body) or not all(each.name.startswith("test") for each in methods):
            raise UntranslatableError("a class that prepares something")
        for each in methods:
            self._function(each)

    def _function(self, node: ast.FunctionDef, argument: ast.expr | None = None) -> None:
        """Walk through a body; its one parameter, if it has one, is the program under test."""
        scope = self.scope
        names, aliases = dict(scope.names), set(scope.aliases)
        parameters = [each.arg for each in node.args.args if each.arg != "self"]
        if parameters and not (len(parameters) == 1 and isinstance(argument, ast.Name) and argument.id in aliases):
            raise UntranslatableError("a function with parameters")
        scope.aliases.update(parameters)
        for statement in node.body:
            self.statement(statement)
        scope.names, scope.aliases = names, aliases

    def _assert(self, node: ast.Assert) -> None:
        self._case(node.test, ast.unparse(node.test))

    def _case(self, test: ast.expr, text: str) -> None:
        expected = self.scope.lifted(test)
        calls = answers_in(expected)
        if 0 < len(self.scope.foreign.intersection(calls)) < len(calls):
            raise UntranslatableError("an answer compared with what the program says it should be")
        if calls:
            self.cases.append(Case(text[:_TEXT], calls, partial(_true, expected, self.scope.constants)))

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Constant):
            return
        if not isinstance(call, ast.Call):
            raise UntranslatableError("an expression")
        if isinstance(call.func, ast.Name) and call.func.id in self.scope.functions:
            self.checked |= call.func.id == "check"
            self._function(self.scope.functions[call.func.id], *call.args[:1])
        elif isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
            self._case(_standing_for(call, _METHODS[call.func.attr]), ast.unparse(call))
        elif not (isinstance(call.func, ast.Name) and call.func.id == "print"):
            raise UntranslatableError("a call for its effect")

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise UntranslatableError("an assignment to several names")
        lifted = self.scope.lifted(node.value)
        if isinstance(node.targets[0], ast.Name) and answers_in(lifted):
            self.scope.names[node.targets[0].id] = lifted
        else:
            self._bind(node.targets[0], self._now(lifted))

    def _if(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "__name__ == '__main__'":
            for statement in node.body if self._now(self.scope.lifted(node.test)) else node.orelse:
                self.statement(statement)

    def _for(self, node: ast.For) -> None:
        items = list(self._now(self.scope.lifted(node.iter)))
        if len(items) > _ITERATIONS or node.orelse:
            raise UntranslatableError("a long loop")
        for item in items:
            self._bind(node.target, item)
            for statement in node.body:
                self.statement(statement)

    def _with(self, node: ast.With) -> None:
        """`with pytest.raises(E): f(x)`."""
        call, body = node.items[0].context_expr, node.body[0]
        if len(node.items) + len(node.body) != 2 or not isinstance(body, ast.Expr) or not isinstance(call, ast.Call):
            raise UntranslatableError("a with statement of several parts")
        if ast.unparse(call.func) not in ("pytest.raises", "self.assertRaises") or len(call.args) != 1 or call.keywords:
            raise UntranslatableError("a with statement")
        kinds = call.args[0].elts if isinstance(call.args[0], ast.Tuple) else call.args
        names = tuple(kind.id for kind in kinds if isinstance(kind, ast.Name))
        calls = answers_in(self.scope.lifted(body.value))
        if not calls or len(names) != len(kinds):
            raise UntranslatableError("an exception that is no name")
        self.cases.append(Case(ast.unparse(node)[:_TEXT], calls, _never, names))

    def _bind(self, target: ast.expr, value: Any) -> None:
        for name, item in bound(target, value).items():
            self.scope.names[name] = self.scope.constant(item)

    def _now(self, lifted: ast.expr) -> Any:
        """The value of an expression in which the program has no part."""
        if answers_in(lifted):
            raise UntranslatableError("a step that depends on an answer")
        return evaluate(lifted, self.scope.constants)


# unittest's methods as the assertions they stand for.
_METHODS = {
    "assertEqual": "a == b", "assertEquals": "a == b", "assertNotEqual": "a != b", "assertTrue": "a",
    "assertFalse": "not a", "assertIs": "a is b", "assertIsNot": "a is not b", "assertIsNone": "a is None",
    "assertIsNotNone": "a is not None", "assertIn": "a in b", "assertNotIn": "a not in b", "assertGreater": "a > b",
    "assertGreaterEqual": "a >= b", "assertLess": "a < b", "assertLessEqual": "a <= b", "assertListEqual": "a == b",
    "assertTupleEqual": "a == b", "assertDictEqual": "a == b", "assertSetEqual": "a == b",
    "assertMultiLineEqual": "a == b", "assertSequenceEqual": "list(a) == list(b)",
    "assertCountEqual": "sorted(a) == sorted(b)", "assertIsInstance": "isinstance(a, b)",
    "assertAlmostEqual": "round(abs(a - b), 7) == 0",
}  # fmt: skip


def _standing_for(call: ast.Call, form: str) -> ast.expr:
    wanted = ast.parse(form, mode="eval").body
    needed = {node.id for node in ast.walk(wanted) if isinstance(node, ast.Name)} & {"a", "b"}
    # A third argument is a message, save where it is the number of places.
    if call.keywords or len(call.args) < len(needed) or (len(call.args) > len(needed) and "round" in form):
        raise UntranslatableError("an assertion with options")
    filled: ast.expr = _Filled(dict(zip("ab", call.args, strict=False))).visit(wanted)
    return filled


class _Filled(ast.NodeTransformer):
    """Puts expressions in the places of names."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:  # ast's name
        return self.values.get(node.id, node)
