"""Tests as data sets ship them, and their translation into calls to make inside and comparisons to make outside.

A test script is interpreted, not run: calls of the program under test are cut out of each assertion and numbered; what
is left of it is evaluated on the answers (`code_values`). Scripts that do more (keep objects, patch, use chance) are
not translated and are judged in a process of their own.
"""

import ast
import sys
from copy import deepcopy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from holdfast.verifiers.code_values import FUNCTIONS, QUALIFIED, UnknownError, bound, evaluate
from holdfast.verifiers.sandbox import plain

# Where data sets keep their tests, in the order they are believed.
TEST_FIELDS = ("tests", "test", "test_list", "unit_tests")
SETUP_FIELDS = ("setup", "test_setup_code")
LONGEST = 1 << 20
_ITERATIONS = 1_000
_TEXT = 300


class UntranslatableError(ValueError):
    """A test that does more than call and compare."""


@dataclass(frozen=True, slots=True)
class Tests:
    """A test script with the code that prepares its inputs, parsed; `entry` is the name given for what it tests."""

    script: str
    setup: str
    tree: ast.Module
    entry: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One assertion: its text, whether it holds of the answers, or the exceptions one of which its call must raise."""

    text: str
    calls: tuple[int, ...]
    holds: Callable[[Mapping[str, Any]], bool]
    raises: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """What to run inside (`setup`, `calls`) and what to compare outside (`cases`, over `constants` and answers).

    The answer to call 3 is called `?3`. `entry` must be among the program's names, if it is given.
    """

    entry: str = ""
    setup: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)


def read_tests(fields: Mapping[str, Any]) -> Tests | None:
    """Return the tests among a record's own columns, or None. Raises `SyntaxError` when they are no Python."""
    script = next((text for name in TEST_FIELDS if (text := _text(fields.get(name)))), None)
    if script is None:
        return None
    setup = next((text for name in SETUP_FIELDS if (text := _text(fields.get(name)))), "")
    entry = fields.get("entry_point")
    return Tests(script, setup, parsed(script), entry if isinstance(entry, str) and entry.isidentifier() else None)


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
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    checks = [node.args[0].id for node in calls if node.func.id == "check" and node.args and isinstance(node.args[0], ast.Name)]  # type: ignore[attr-defined]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return checks or [node.func.id for node in calls if node.func.id not in own]  # type: ignore[attr-defined]


def unchecked(tree: ast.Module) -> bool:
    """True when a script defines a `check(candidate)` that it does not call itself."""
    defines = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    top = [node.value.func for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    return defines and not any(isinstance(function, ast.Name) and function.id == "check" for function in top)


def given_results(called: str, cases: Sequence[tuple[Any, Any]], same: Callable[[Any, Any], bool]) -> Plan:
    """Return the plan of a problem that gives arguments and results."""
    plan = Plan()
    for number, (given, wanted) in enumerate(cases):
        arguments = given if isinstance(given, list) else [given]
        plan.calls.append({"expr": called, "env": {"given": plain.encode(arguments)}})
        holds = partial(_same_answer, same, wanted, f"?{number}")
        plan.cases.append(Case(f"{called} with {arguments!r}"[:_TEXT], (number,), holds))
    return plan


def _same_answer(same: Callable[[Any, Any], bool], wanted: Any, name: str, answers: Mapping[str, Any]) -> bool:
    return same(wanted, answers[name])


def _never(_: Mapping[str, Any]) -> bool:
    """An exception was asked for, and a value came."""
    return False


def asserts(tree: ast.Module) -> bool:
    """True when a script can fail: it asserts, raises or calls an assertion method."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Attribute) and node.attr.startswith(("assert", "fail", "raises")))
        for node in ast.walk(tree)
    )


def translate(tests: Tests, entry: str) -> Plan:
    """Return what to run and what to compare. Raises `UntranslatableError` for tests that do more than that."""
    try:
        interpreter = _Interpreter(tests, entry)
        interpreter.run()
    except (UnknownError, plain.NotPlainError, RecursionError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise UntranslatableError(str(error)[:200]) from error
    if not interpreter.plan.cases:
        raise UntranslatableError("no assertion found")
    return interpreter.plan


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


class _Interpreter:
    """Walks through a script statement by statement, with what it knows of each name."""

    def __init__(self, tests: Tests, entry: str) -> None:
        self.tests, self.entry = tests, entry
        self.plan = Plan(entry, [tests.setup] if tests.setup else [])
        self.names: dict[str, ast.expr] = {}
        self.aliases = {entry}
        self.functions: dict[str, ast.FunctionDef] = {}
        self.imported: set[str] = set()
        self.checked = False

    def run(self) -> None:
        for statement in self.tests.tree.body:
            if isinstance(statement, ast.ClassDef):
                self._class(statement)
            else:
                self.statement(statement)
        for name, function in self.functions.items():
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
        module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        root = (module or "").partition(".")[0]
        given = {each.asname or each.name.partition(".")[0] for each in node.names}
        if root in sys.stdlib_module_names:
            self.plan.setup.append(ast.unparse(node))
        elif root != "pytest" and not (isinstance(node, ast.ImportFrom) and self.entry in given):
            raise UntranslatableError(f"an import of {module}")
        if root in sys.stdlib_module_names or root == "pytest":
            self.imported |= given

    _importfrom = _import

    def _functiondef(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise UntranslatableError("a decorated function")
        self.functions[node.name] = node

    def _class(self, node: ast.ClassDef) -> None:
        """The tests of a unittest class that prepares nothing."""
        methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
        if len(methods) != len(node.body) or not all(each.name.startswith("test") for each in methods):
            raise UntranslatableError("a class that prepares something")
        for each in methods:
            self._function(each)

    def _function(self, node: ast.FunctionDef, argument: ast.expr | None = None) -> None:
        """Interpret a body; its one parameter, if it has one, is the program under test."""
        before, aliases = dict(self.names), set(self.aliases)
        for parameter in node.args.args:
            if parameter.arg != "self":
                if len(node.args.args) != 1 or not (isinstance(argument, ast.Name) and argument.id in self.aliases):
                    raise UntranslatableError("a function with parameters")
                self.aliases.add(parameter.arg)
        for statement in node.body:
            self.statement(statement)
        self.names, self.aliases = before, aliases

    def _assert(self, node: ast.Assert) -> None:
        self._case(node.test, ast.unparse(node.test))

    def _case(self, test: ast.expr, text: str) -> None:
        expected = self._lifted(test)
        calls = tuple(int(each.id[1:]) for each in ast.walk(expected) if isinstance(each, ast.Name) and each.id[0] == "?")
        if calls:
            constants = self.plan.constants
            holds = lambda answers: bool(evaluate(expected, {**constants, **answers}))  # noqa: E731  # bound to this case
            self.plan.cases.append(Case(text[:_TEXT], calls, holds))

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Constant):
            return
        if not isinstance(call, ast.Call):
            raise UntranslatableError("an expression")
        if isinstance(call.func, ast.Name) and call.func.id in self.functions:
            self.checked |= call.func.id == "check"
            self._function(self.functions[call.func.id], *call.args[:1])
        elif isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
            self._case(_standing_for(call), ast.unparse(call))
        elif not (isinstance(call.func, ast.Name) and call.func.id == "print"):
            raise UntranslatableError("a call for its effect")

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise UntranslatableError("an assignment to several names")
        lifted = self._lifted(node.value)
        if isinstance(node.targets[0], ast.Name) and _asks(lifted):
            self.names[node.targets[0].id] = lifted
        else:
            self._bind(node.targets[0], self._now(node.value))

    def _if(self, node: ast.If) -> None:
        main = ast.unparse(node.test) == "__name__ == '__main__'"
        for statement in [] if main else node.body if self._now(node.test) else node.orelse:
            self.statement(statement)

    def _for(self, node: ast.For) -> None:
        items = list(self._now(node.iter))
        if len(items) > _ITERATIONS or node.orelse:
            raise UntranslatableError("a long loop")
        for item in items:
            self._bind(node.target, item)
            for statement in node.body:
                self.statement(statement)

    def _with(self, node: ast.With) -> None:
        """`with pytest.raises(E): f(x)`."""
        call, body = node.items[0].context_expr, node.body[0]
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and len(call.args) == 1
        if not (named and call.func.attr in ("raises", "assertRaises") and isinstance(body, ast.Expr | ast.Assign)):
            raise UntranslatableError("a with statement")
        if len(node.items) + len(node.body) != 2 or call.keywords:
            raise UntranslatableError("a with statement of several parts")
        kinds = call.args[0].elts if isinstance(call.args[0], ast.Tuple) else [call.args[0]]
        first = len(self.plan.calls)
        self._lifted(body.value)
        calls = tuple(range(first, len(self.plan.calls)))
        if not calls or not all(isinstance(kind, ast.Name) for kind in kinds):
            raise UntranslatableError("an exception that is no name")
        self.plan.cases.append(Case(ast.unparse(node)[:_TEXT], calls, _never, tuple(kind.id for kind in kinds)))

    def _bind(self, target: ast.expr, value: Any) -> None:
        for name, item in bound(target, value).items():
            self.names[name] = self.constant(item)

    def constant(self, value: Any) -> ast.Name:
        """A name of its own for a value known now; no Python name looks like it."""
        name = f"={len(self.plan.constants)}"
        self.plan.constants[name] = value
        return ast.Name(name)

    def _now(self, node: ast.expr) -> Any:
        """The value of an expression in which the program has no part."""
        if _asks(lifted := self._lifted(node)):
            raise UntranslatableError("a step that depends on an answer")
        return evaluate(lifted, self.plan.constants)

    def _lifted(self, node: ast.expr) -> ast.expr:
        """The expression with each call of the program replaced by the number of its answer."""
        lifted: ast.expr = _Lift(self).visit(deepcopy(node))
        return lifted


def _asks(lifted: ast.AST) -> bool:
    """True when an expression needs an answer of the program."""
    return any(isinstance(each, ast.Name) and each.id.startswith("?") for each in ast.walk(lifted))


def _standing_for(call: ast.Call) -> ast.expr:
    form = ast.parse(_METHODS[call.func.attr], mode="eval").body  # type: ignore[attr-defined]
    values = dict(zip("ab", call.args, strict=False))
    if call.keywords or len(values) < len({each.id for each in ast.walk(form) if isinstance(each, ast.Name)} & {*"ab"}):
        raise UntranslatableError("an assertion with options")

    class Filled(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802  # ast's name
            return values.get(node.id, node)

    filled: ast.expr = Filled().visit(form)
    return filled


class _Lift(ast.NodeTransformer):
    """Cuts out the calls of the program under test, outermost first, in the order Python makes them."""

    def __init__(self, interpreter: _Interpreter) -> None:
        self.at = interpreter
        self.inner: set[str] = set()

    def visit_Call(self, node: ast.Call) -> ast.expr:  # noqa: N802  # ast's name
        root = _root(node.func)
        if root is None or not self._of_program(root):
            return self._kept(node)
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        if used & self.inner or used & self.at.functions.keys() or any(isinstance(each, ast.NamedExpr) for each in ast.walk(node)):
            raise UntranslatableError("a call that depends on the script")
        given = {name: plain.encode(self._value(name)) for name in sorted(used & self.at.names.keys())}
        number = len(self.at.plan.calls)
        renamed = _Renamed(self.at.aliases, self.at.entry).visit(node)
        self.at.plan.calls.append({"expr": ast.unparse(renamed), "env": given})
        return ast.Name(f"?{number}")

    def _of_program(self, root: str) -> bool:
        if root in self.at.aliases:
            return True
        if root in self.at.names or root in self.inner or root in FUNCTIONS or f"{root}.approx" in QUALIFIED:
            return False
        if root in self.at.functions or root in self.at.imported or root in sys.stdlib_module_names or root == "self":
            return root not in ("math", "pytest") and self._refuse(root)
        return True

    def _refuse(self, root: str) -> bool:
        raise UntranslatableError(f"a call of {root}")

    def _value(self, name: str) -> Any:
        known = self.at.names[name]
        if not (isinstance(known, ast.Name) and known.id in self.at.plan.constants):
            raise UntranslatableError("an input that is not known yet")
        return self.at.plan.constants[known.id]

    def _kept(self, node: ast.Call) -> ast.expr:
        """A call made outside: only of what the evaluator knows."""
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        if not known and not isinstance(node.func, ast.Attribute):
            raise UntranslatableError(f"a call of {ast.unparse(node.func)[:80]}")
        kept: ast.expr = self.generic_visit(node)
        return kept

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802  # ast's name
        if node.id in self.inner or node.id in FUNCTIONS or node.id in ("math", "pytest"):
            return node
        if node.id not in self.at.names:
            raise UntranslatableError(f"the name {node.id}")
        return self.at.names[node.id]

    def _comprehension(self, node: Any) -> ast.expr:
        before = set(self.inner)
        self.inner |= {each.id for loop in node.generators for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
        kept: ast.expr = self.generic_visit(node)
        self.inner = before
        return kept

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension  # noqa: N815  # ast's names

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:  # noqa: N802  # ast's name
        raise UntranslatableError("a lambda outside a call")


class _Renamed(ast.NodeTransformer):
    """Calls the program under test by its own name, whatever the script calls it."""

    def __init__(self, aliases: set[str], entry: str) -> None:
        self.aliases, self.entry = aliases, entry

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802  # ast's name
        return ast.Name(self.entry) if node.id in self.aliases else node


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes, calls and items begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
