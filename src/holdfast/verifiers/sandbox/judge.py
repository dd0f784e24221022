"""Inside a sandbox of its own: run a test script whose calls go to the program under test in another process.

The script's expected values stay here; the program sees arguments and answers with plain data. What is no plain data
comes as a `Remote`, which relays each operation. The verdict still rests on what the script does with the answers, so
that it is marked `judged`. The job is `{"script": ..., "entry": ...}`.
"""

import ast
import builtins
import importlib
import os
import sys
import traceback
import types
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from holdfast.verifiers.sandbox import plain
from holdfast.verifiers.sandbox.candidate import MODULE

# The longest answer read from the program.
_LONGEST = 8 << 20
_NAME = "<tests>"


class GoneError(BaseException):
    """The program under test ended before it answered; no test may catch that."""


class RaisedError(Exception):
    """Marks an exception that the program raised, not the script."""


class Wire:
    """One question to the program at a time."""

    def __init__(self, calls: int, replies: int) -> None:
        self.calls = calls
        self.used = 0
        self.buffer = b""
        self.replies = replies

    def ask(self, question: Mapping[str, Any]) -> Any:
        """Return the program's answer. Raises `GoneError` when there is none, or none that is plain."""
        data = memoryview(plain.dumps(question) + b"\n")
        try:
            while data:
                data = data[os.write(self.calls, data) :]
            return plain.loads(self.line())
        except (OSError, plain.NotPlainError) as error:
            raise GoneError from error

    def line(self) -> bytes:
        """Return the next line."""
        while b"\n" not in self.buffer:
            data = os.read(self.replies, 1 << 16)
            if not data or len(self.buffer) > _LONGEST:
                raise GoneError
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def do(self, operation: str, *args: Any, **named: Any) -> Any:
        """Let the program perform an operation; what it changed in lists, dictionaries and sets is changed here."""
        self.used += 1
        sent = {"do": operation, "args": [_form(item) for item in args]}
        answer = self.ask({**sent, "named": {name: _form(item) for name, item in named.items()}})
        try:
            raised = _exception(answer) if "raised" in answer else None
            value = None if raised else self._read(answer, args)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise GoneError from error
        if raised:
            raise raised
        return value

    def named(self, name: str) -> Any:
        """Return what the program calls `name`."""
        try:
            answer = self.ask({"name": name})
            return Remote(self, answer["kept"]) if "kept" in answer else plain.decode(answer["value"])
        except (LookupError, TypeError, ValueError) as error:
            raise GoneError from error

    def _read(self, answer: Mapping[str, Any], args: tuple[Any, ...]) -> Any:
        for given, form in zip(args, answer["args"], strict=True):
            if form is not None and isinstance(given, list | dict | set | bytearray):
                _write_back(given, plain.decode(form))
        return Remote(self, answer["kept"]) if "kept" in answer else plain.decode(answer["value"])


def _form(value: Any) -> Any:
    return {"kept": value._number} if isinstance(value, Remote) else plain.encode(value)  # noqa: SLF001  # ours


def _write_back(given: Any, now: Any) -> None:
    if now == given:
        return
    if isinstance(given, list | bytearray):
        given[:] = now
    else:
        given.clear()
        given.update(now)


def _exception(answer: Mapping[str, Any]) -> BaseException:
    """The nearest built-in exception of what was raised, marked as the program's."""
    known = [kind for name in answer["raised"] if isinstance(kind := getattr(builtins, name, None), type)]
    nearest = next((kind for kind in known if issubclass(kind, Exception)), Exception)
    try:
        marked: BaseException = type(answer["raised"][0], (RaisedError, nearest), {})(answer["text"])
    except TypeError:
        return RaisedError(answer["text"])
    return marked


def _relayed(operation: str) -> Callable[..., Any]:
    def relay(self: "Remote", *args: Any, **named: Any) -> Any:
        return self._wire.do(operation, self, *args, **named)

    return relay


def _ordered(operation: str) -> Callable[..., Any]:
    """Order is asked for between two objects of the program's; against plain data it would be its own judge."""

    def relay(self: "Remote", other: object) -> Any:
        return self._wire.do(operation, self, other) if isinstance(other, Remote) else NotImplemented

    return relay


class Remote:
    """An object of the program's. Never equal to plain data, whatever it says of itself."""

    def __init__(self, wire: Wire, number: int) -> None:
        self.__dict__.update(_wire=wire, _number=number)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._wire.do("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._wire.do("setattr", self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and self._wire.do("eq", self, other) is True

    def __hash__(self) -> int:
        return int(self._wire.do("hash", self))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._wire.do("list", self))

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Remote) and self._wire.do("isinstance", instance, self) is True

    def __contains__(self, item: object) -> bool:
        return self._wire.do("contains", self, item) is True

    def __exit__(self, *_: object) -> None:
        self._wire.do("leave", self)

    __call__ = _relayed("call")
    __getitem__, __setitem__ = _relayed("getitem"), _relayed("setitem")
    __len__, __bool__, __int__, __float__ = _relayed("len"), _relayed("bool"), _relayed("int"), _relayed("float")
    __str__, __repr__, __next__, __enter__ = _relayed("str"), _relayed("repr"), _relayed("next"), _relayed("enter")
    __lt__, __le__, __gt__, __ge__ = _ordered("lt"), _ordered("le"), _ordered("gt"), _ordered("ge")
    __add__, __sub__, __mul__, __truediv__ = _relayed("add"), _relayed("sub"), _relayed("mul"), _relayed("truediv")
    __neg__ = _relayed("neg")


def run(job: Mapping[str, Any], answers: int, calls: int, replies: int) -> None:
    """Run the script against the program and write one line: what came of it, and why."""
    wire = Wire(calls, replies)
    outcome, text = _judged(job, wire)
    said = {"outcome": outcome, "used": wire.used, "text": text[:300].encode(errors="replace").decode()}
    os.write(answers, plain.dumps(said) + b"\n")


def _judged(job: Mapping[str, Any], wire: Wire) -> tuple[str, str]:
    try:
        names = _loaded(wire)
        if "raised" in names:
            return "unloaded", f"{names['raised'][0]}: {names['text']}"
        _script(job, wire, names)
    except GoneError:
        return "gone", ""
    except AssertionError as error:
        return "failed", f"{_line(error, job['script'])} {error}".strip()
    except BaseException as error:  # noqa: BLE001  # whatever a script raises is its outcome
        kind = next(each.__name__ for each in type(error).__mro__ if each is not RaisedError)
        return ("raised" if isinstance(error, RaisedError) else "broken"), f"{kind}: {error}"
    return "passed", ""


def _line(error: BaseException, script: str) -> str:
    """The line of the script at which it failed."""
    numbers = [number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == _NAME]
    return script.splitlines()[numbers[-1] - 1].strip() if numbers else ""


def _loaded(wire: Wire) -> Mapping[str, Any]:
    """Return the program's names, once it is loaded, or what it raised instead."""
    try:
        wire.line()
        said = plain.loads(wire.line())
        found: dict[str, Any] = said["load"] or said["names"]
    except (OSError, plain.NotPlainError, LookupError, TypeError) as error:
        raise GoneError from error
    return found


def _script(job: Mapping[str, Any], wire: Wire, names: Mapping[str, str | None]) -> None:
    under_test = types.ModuleType(MODULE)
    for name, imported in names.items():
        # A program that calls its own function `len` or `math` does not thereby judge itself.
        if name == job["entry"] or not hasattr(builtins, name):
            standard = name if name in sys.stdlib_module_names and name != job["entry"] else imported
            under_test.__dict__[name] = _bound(wire, name, standard)
    sys.modules[MODULE] = under_test
    script = types.ModuleType("tests")
    script.__dict__.update({name: value for name, value in under_test.__dict__.items() if name[:2] != "__"})
    sys.modules["tests"] = script
    for module in _imported_from(job["script"], names):
        sys.modules[module] = under_test
    nodes = ast.walk(ast.parse(job["script"]))
    wire.used += sum(isinstance(node, ast.Name) and node.id in under_test.__dict__ for node in nodes)
    before = dict(script.__dict__)
    exec(compile(job["script"], _NAME, "exec"), script.__dict__)  # noqa: S102  # the data set's own test
    defined = {name: value for name, value in script.__dict__.items() if before.get(name) is not value}
    _start(defined, script, job)


def _imported_from(script: str, names: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the modules unknown here from which the script takes names of the program: they are the program."""
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.ImportFrom) and node.module and all(each.name in names for each in node.names):
            root = node.module.partition(".")[0]
            if root not in sys.modules and root not in sys.stdlib_module_names:
                yield node.module


def _bound(wire: Wire, name: str, imported: str | None) -> Any:
    """A name of the program: a module it imported is imported here, everything else is reached over the wire."""
    if imported is not None:
        try:
            return importlib.import_module(imported)
        except ImportError:
            pass
    return wire.named(name)


def _start(defined: Mapping[str, Any], script: types.ModuleType, job: Mapping[str, Any]) -> None:
    """Run what the script only defines: `check(candidate)` unless it called it, test functions, unittest classes."""
    if job["check"]:
        if job["entry"] not in script.__dict__:
            raise NameError(f"the program does not define {job['entry']}")
        script.__dict__["check"](script.__dict__[job["entry"]])
    for name, value in defined.items():
        if isinstance(value, types.FunctionType) and name.startswith("test") and not value.__code__.co_argcount:
            value()
        elif isinstance(value, type) and issubclass(value, unittest.TestCase):
            _unittest(value)


def _unittest(case: type[unittest.TestCase]) -> None:
    result = _Result()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    if not result.testsRun:
        raise LookupError("no test ran")


class _Result(unittest.TestResult):
    """Lets the first failure through as the exception it is."""

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ARG002, N802  # unittest's name
        raise err[1]

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ARG002, N802  # unittest's name
        raise err[1]
