"""What a test asks of an answer, computed here on plain data: no part of the program under test takes part in it.

A small evaluator over Python expressions with a fixed list of functions. What is not on the list is not evaluated.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_NUMBERS = (int, float, complex)
# Bounds on what a test's own arithmetic may build.
_BITS, _ITEMS, _STEPS = 1_000_000, 1_000_000, 200_000


class UnknownError(ValueError):
    """An expression that this evaluator does not know."""


class _Approximately:
    """Equal within a tolerance, number by number; the defaults are pytest's (`pytest.approx`)."""

    def __init__(self, expected: Any, rel: float = 1e-6, abs: float = 1e-12) -> None:  # noqa: A002  # pytest's names
        self.expected, self.rel, self.abs = expected, rel or 0.0, abs or 0.0

    def __eq__(self, other: object) -> bool:
        return self._close(self.expected, other)

    def __hash__(self) -> int:
        return hash(self.rel)

    def _close(self, expected: Any, given: Any) -> bool:
        if isinstance(expected, list | tuple) and isinstance(given, list | tuple):
            return len(expected) == len(given) and all(map(self._close, expected, given))
        if isinstance(expected, dict) and isinstance(given, dict):
            return expected.keys() == given.keys() and all(self._close(expected[key], given[key]) for key in expected)
        if isinstance(expected, int | float) and isinstance(given, int | float):
            return math.isclose(expected, given, rel_tol=self.rel, abs_tol=self.abs)
        return bool(expected == given)


_TYPES = (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, range)


def _bytes(*given: Any) -> bytes:
    """`bytes`, but for a number of zeros that would fill the memory."""
    if given and isinstance(given[0], int) and given[0] > _ITEMS:
        raise UnknownError("a sequence too long")
    return bytes(*given)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{kind.__name__: kind for kind in _TYPES},
    "bytes": _bytes,
    **{function.__name__: function for function in (
        abs, len, sorted, round, sum, min, max, all, any, zip, enumerate, reversed, isinstance, repr, ord, chr, divmod,
        type, iter, next,
    )},
}  # fmt: skip
_MATH = (
    "isclose", "sqrt", "floor", "ceil", "fabs", "isnan", "isinf", "isfinite", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "log", "log2", "log10", "exp", "gcd", "hypot", "trunc", "radians", "degrees",
)  # fmt: skip
QUALIFIED: Mapping[str, Any] = {
    **{f"math.{name}": getattr(math, name) for name in (*_MATH, "pi", "e", "inf", "nan", "tau")},
    "pytest.approx": _Approximately,
}
_METHODS = {
    "strip", "lstrip", "rstrip", "lower", "upper", "title", "split", "splitlines", "join", "startswith", "endswith",
    "count", "index", "find", "isdigit", "isalpha", "isalnum", "isupper", "islower", "keys", "values", "items", "get",
    "issubset", "issuperset", "union", "intersection", "difference", "is_integer", "copy",
}  # fmt: skip
_KEYWORDS = {"reverse", "rel_tol", "abs_tol", "rel", "abs", "default", "start", "strict", "ndigits", "sep"}
_PLAIN_TYPES = (str, bytes, list, tuple, set, frozenset, dict, float)


def _product(left: Any, right: Any) -> Any:
    for sequence, times in ((left, right), (right, left)):
        if (
            isinstance(sequence, str | bytes | list | tuple)
            and isinstance(times, int)
            and len(sequence) * times > _ITEMS
        ):
            raise UnknownError("a sequence too long")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _BITS:
        raise UnknownError("a number too large")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > _BITS:
        raise UnknownError("a number too large")
    return left**right


def _shifted(left: Any, right: Any) -> Any:
    if isinstance(right, int) and right > _BITS:
        raise UnknownError("a number too large")
    return left << right


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _product, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: _power, ast.LShift: _shifted,
    ast.RShift: operator.rshift, ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda item, group: item in group, ast.NotIn: lambda item, group: item not in group,
    # Identity does not cross a process: it is kept for what Python has only one of.
    ast.Is: lambda left, right: left is right if _single(left, right) else _refuse("is"),
    ast.IsNot: lambda left, right: left is not right if _single(left, right) else _refuse("is not"),
}  # fmt: skip


def _single(left: object, right: object) -> bool:
    return any(value is None or value is True or value is False or isinstance(value, type) for value in (left, right))


def _refuse(what: str) -> Any:
    raise UnknownError(what)


def evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression over plain data.

    Raises `UnknownError` for what is not known here; whatever else it raises, the expression itself raises.
    """
    return _Evaluator(names).value(node)


class _Evaluator:
    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = dict(names)
        self.steps = 0

    def value(self, node: ast.expr) -> Any:
        self.steps += 1
        if self.steps > _STEPS:
            raise UnknownError("too long a computation")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UnknownError(type(node).__name__)
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in FUNCTIONS:
            return FUNCTIONS[node.id]
        raise UnknownError(node.id)

    def _list(self, node: ast.List) -> Any:
        return self._items(node.elts)

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self._items(node.elts))

    def _set(self, node: ast.Set) -> Any:
        return set(self._items(node.elts))

    def _items(self, nodes: Sequence[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += self.value(node.value)
            else:
                found.append(self.value(node))
        return found

    def _dict(self, node: ast.Dict) -> Any:
        if any(key is None for key in node.keys):
            raise UnknownError("**")
        return {self.value(key): self.value(item) for key, item in zip(node.keys, node.values, strict=True) if key}

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return _UNARY[type(node.op)](self.value(node.operand))

    def _binop(self, node: ast.BinOp) -> Any:
        if type(node.op) not in _BINARY:
            raise UnknownError(type(node.op).__name__)
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str | bytes):
            raise UnknownError("%")
        return _BINARY[type(node.op)](left, right)

    def _boolop(self, node: ast.BoolOp) -> Any:
        found: Any = None
        for part in node.values:
            found = self.value(part)
            if bool(found) is isinstance(node.op, ast.Or):
                return found
        return found

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for kind, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not _COMPARE[type(kind)](left, right):
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.value(node.value)[self.value(node.slice)]

    def _slice(self, node: ast.Slice) -> Any:
        return slice(*(part and self.value(part) for part in (node.lower, node.upper, node.step)))

    def _attribute(self, node: ast.Attribute) -> Any:
        name = ast.unparse(node)
        if name not in QUALIFIED:
            raise UnknownError(name[:80])
        return QUALIFIED[name]

    def _call(self, node: ast.Call) -> Any:
        if any(keyword.arg not in _KEYWORDS for keyword in node.keywords):
            raise UnknownError("a keyword argument")
        function = self._function(node.func)
        arguments = self._items(node.args)
        if function is range and len(range(*arguments)) > _ITEMS:
            raise UnknownError("a range too long")
        return function(*arguments, **{each.arg: self.value(each.value) for each in node.keywords if each.arg})

    def _function(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in FUNCTIONS and node.id not in self.names:
            return FUNCTIONS[node.id]
        if isinstance(node, ast.Attribute):
            if ast.unparse(node) in QUALIFIED:
                return QUALIFIED[ast.unparse(node)]
            if node.attr in _METHODS and type(owner := self.value(node.value)) in _PLAIN_TYPES:
                return getattr(owner, node.attr)
        raise UnknownError(ast.unparse(node)[:80])

    def _listcomp(self, node: ast.ListComp) -> Any:
        return list(self._each(node))

    def _setcomp(self, node: ast.SetComp) -> Any:
        return set(self._each(node))

    def _generatorexp(self, node: ast.GeneratorExp) -> Any:
        return self._each(node)

    def _each(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Iterator[Any]:
        if len(node.generators) != 1:
            raise UnknownError("a comprehension over several things")
        loop = node.generators[0]
        for item in self.value(loop.iter):
            inner = _Evaluator({**self.names, **bound(loop.target, item)})
            inner.steps = self.steps
            if all(inner.value(condition) for condition in loop.ifs):
                yield inner.value(node.elt)
            self.steps = inner.steps


def bound(target: ast.expr, value: Any) -> dict[str, Any]:
    """Return what an assignment to `target` binds. Raises `UnknownError` for anything but names and tuples of them."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, ast.Tuple | ast.List):
        raise UnknownError("an assignment to " + type(target).__name__)
    items = list(value)
    if len(items) != len(target.elts):
        raise UnknownError("an assignment of the wrong length")
    found: dict[str, Any] = {}
    for part, item in zip(target.elts, items, strict=True):
        found |= bound(part, item)
    return found
