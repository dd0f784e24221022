"""Templates of prompts: Jinja2 in its sandbox, bounded in steps and length, split into the messages of a conversation.

A template sees plain values only. It cannot reach attributes of Python, files or the clock; what is undefined is an
error; chance comes from the record alone (filter `random`). It ends: loops and calls share one budget of steps, and
operations that make long texts out of short ones are left out. Lines `--- system`, `--- user` and `--- assistant`
split it before anything is filled in, so that no text of a seed can open a message of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from holdfast.core.errors import UsageError, nearest
from holdfast.core.reading.turns import json_of
from holdfast.core.record import Message

# About 250,000 tokens, more than most models read at once.
LONGEST = 1_000_000
# A prompt loops over few-shot records and columns: tens of steps. A thousand times that takes some 10 ms.
MOST_STEPS = 100_000
# Deeper indents are not for reading.
WIDEST_INDENT = 80
_MARK = re.compile(r"^---[ \t]*(system|user|assistant)[ \t]*$", re.MULTILINE)
_METHODS: Mapping[type, set[str]] = {
    str: {"upper", "lower", "strip", "lstrip", "rstrip", "split", "splitlines", "startswith", "endswith", "title"},
    dict: {"items", "keys", "values", "get"},
}
_FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr",
    "slice", "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
# Operators that make much out of little; numbers are multiplied as usual.
_GROWING = ("*", "**", "%")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with a budget of steps, few methods and filters, and no chance but that of the record.

    One record is rendered at a time: `steps` and `random` belong to it.
    """

    intercepted_binops = frozenset(_GROWING)

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self.steps = 0
        self.random = Random(0)
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.filters |= {"join": self._join, "indent": _indent, "replace": _replace, "tojson": json_of}
        self.filters |= {"random": self._random, "counted": self.counted, "short": _short}
        self.globals = {"range": self._range, "namespace": self.globals["namespace"]}

    def begin(self, random: Random) -> None:
        """Give a new record its budget and its chance."""
        self.steps, self.random = MOST_STEPS, random

    def spend(self, steps: int) -> None:
        """Take steps from the budget. Raises `SecurityError` when it is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise SecurityError(f"it takes more than {MOST_STEPS:,} steps")

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield the values of a loop, each for one step."""
        for value in values:
            self.spend(1)
            yield value

    def _range(self, *bounds: int) -> range:
        values = range(*bounds)
        self.spend(len(values))
        return values

    def _join(self, values: Iterable[Any], by: str = "") -> str:
        return "".join(_within(_between(self.counted(values), by)))

    # With the context, a filter of constants is not computed when the template is read.
    @pass_context
    def _random(self, _context: Any, values: Iterable[Any]) -> Any:
        return self.random.choice(list(values))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow the few methods of texts and mappings that a prompt needs, and what Jinja2 makes itself."""
        allowed = next((names for kind, names in _METHODS.items() if isinstance(obj, kind)), None)
        if allowed is not None:
            return attr in allowed
        return type(obj).__module__.startswith("jinja2.") and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:  # Jinja2's signature
        """Leave `format` of texts to the list of allowed methods: a format can ask for a field of any width."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a member of a mapping before a method of the same name: `cell.items` may be a cell's own."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call(self, context: Any, obj: Any, /, *given: Any, **named: Any) -> Any:
        """Call a macro or method for one step."""
        self.spend(1)
        return _short(super().call(context, obj, *given, **named))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers of ordinary size only: texts and lists are not repeated or formatted."""
        plain = all(isinstance(value, int | float) and abs(value) < 2**53 for value in (left, right))
        if not plain or (operator == "**" and abs(right) > 64):
            raise SecurityError(f"{operator} is for numbers here")
        return super().call_binop(context, operator, left, right)


class _Bounds(NodeTransformer):
    """Puts a count on what loops run over, and a limit on what is put together."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # the visitor's own naming
        """Count the steps of a loop."""
        if node.recursive:
            raise TemplateSyntaxError("a recursive loop is not allowed", node.lineno)
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "counted")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # as above
        """Limit the length of a ~ b."""
        return _filtered(self.generic_visit(node), "short")

    def visit_Add(self, node: nodes.Add) -> nodes.Node:  # noqa: N802  # as above
        """Limit the length of a + b."""
        return _filtered(self.generic_visit(node), "short")


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Prompt:
    """A template read and checked once. `names` are the variables it uses."""

    def __init__(self, source: str, place: str, known: Sequence[str]) -> None:
        """Read a template. Raises `UsageError` with its place for what is not a template or uses an unknown name."""
        self.place = place
        self._sandbox = _Sandbox()
        self._parts: list[tuple[str, int, Template]] = []
        self.names: set[str] = set()
        for role, line, text in _parts(source):
            self._parts.append((role, line, self._compiled(text, line, known)))
        if not self._parts or self._parts[-1][0] != "user":
            raise UsageError(f"{place}: the template does not end with a user message.", "End it with a --- user part.")

    def render(self, values: Mapping[str, Any], random: Random) -> tuple[Message, ...]:
        """Return the messages filled with values, empty ones left out.

        Raises `UsageError` for what is undefined, too long or takes too many steps, with the template's place.
        """
        self._sandbox.begin(random)
        messages = tuple(Message(role, self._filled(line, part, values)) for role, line, part in self._parts)
        if not messages[-1].content:
            raise UsageError(f"{self.place}: the user message is empty.", "Write what the model is to do.")
        return tuple(message for message in messages if message.content)

    def _compiled(self, text: str, line: int, known: Sequence[str]) -> Template:
        try:
            tree = self._sandbox.parse(text)
            names = find_undeclared_variables(tree) - set(self._sandbox.globals)
            tree = _Bounds().visit(tree)
            code = self._sandbox.compile(tree)
        except TemplateSyntaxError as error:
            what, at = str(error.message).rstrip("."), line + error.lineno - 1
            raise UsageError(f"{self.place}:{at}: {what}.", "Mend the template.") from None
        if strange := sorted(names - set(known)):
            raise UsageError(f"{self.place}: the template uses {strange[0]!r}.", nearest(strange[0], known))
        self.names |= names
        return Template.from_code(self._sandbox, code, self._sandbox.globals)

    def _filled(self, line: int, part: Template, values: Mapping[str, Any]) -> str:
        try:
            return "".join(_within(part.generate(values))).strip()
        except Exception as error:  # noqa: BLE001  # whatever a template's expressions raise is the template's mistake
            what = "it calls itself without end" if isinstance(error, RecursionError) else str(error).rstrip(".")
            place = f"{self.place}, in the part from line {line}"
            raise UsageError(f"{place}: the template cannot be filled: {what}.", "Mend the template.") from None


def _parts(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield (role, first line, text) of each part; text before the first mark, if any, is a user message."""
    marks = list(_MARK.finditer(source))
    before = source[: marks[0].start()] if marks else source
    if before.strip():
        yield "user", 1, before
    for mark, after in zip(marks, [*marks[1:], None], strict=False):
        text = source[mark.end() : after.start() if after else len(source)]
        yield mark[1], source.count("\n", 0, mark.end()) + 1, text


def _within(pieces: Iterable[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST:
            raise SecurityError(f"it gives more than {LONGEST:,} characters")
        yield piece


def _short(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and len(value) > LONGEST:
        raise SecurityError(f"it gives more than {LONGEST:,} characters")
    return value


def _between(values: Iterable[Any], by: str) -> Iterator[str]:
    for number, value in enumerate(values):
        if number:
            yield by
        yield str(value)


def _indent(text: str, width: int = 4) -> str:
    """Indent all lines but the first, as Jinja2 does."""
    if width > WIDEST_INDENT:
        raise SecurityError(f"an indent of {width} is wider than {WIDEST_INDENT}")
    return text.replace("\n", "\n" + " " * width)


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > LONGEST:
        raise SecurityError(f"it gives more than {LONGEST:,} characters")
    return text.replace(old, new)
