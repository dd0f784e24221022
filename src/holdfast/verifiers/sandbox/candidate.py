"""Inside the sandbox: load one program, evaluate expressions in it, answer each with one line of plain data.

This is the one place where text becomes code on purpose. Nothing here decides anything: no expected value is known on
this side, so a program that forges its answers can only forge wrong ones. The job is
`{"sources": [...], "setup": [...], "calls": [{"expr": ..., "env": {...}}], "main": false}`; of the
sources the first that compiles is run.
"""

import operator
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from holdfast.verifiers.sandbox import plain

MODULE = "solution"
_TEXT = 300

# What a judging process may ask of an object that is no plain data and therefore stays here.
OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "call": lambda function, *args, **named: function(*args, **named),
    "getattr": getattr, "setattr": setattr, "getitem": operator.getitem, "setitem": operator.setitem,
    "len": len, "list": list, "str": str, "repr": repr, "bool": bool, "int": int, "float": float, "hash": hash,
    "contains": operator.contains, "isinstance": isinstance, "next": next,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "neg": operator.neg,
    "enter": lambda manager: manager.__enter__(), "leave": lambda manager: manager.__exit__(None, None, None),
}  # fmt: skip


def run(job: Mapping[str, Any], answers: int, calls: int = -1) -> None:
    """Run the job; `answers` is written, `calls` is read where a judging process asks."""
    say = _writer(answers)
    module = types.ModuleType("__main__" if job.get("main") else MODULE)
    sys.modules[module.__name__] = module
    try:
        _load(module, job)
        if job.get("main"):
            _join()
    except BaseException as error:  # noqa: BLE001  # whatever a program raises is an answer about it
        if not (job.get("main") and isinstance(error, SystemExit) and error.code in (None, 0)):
            say({"load": _raised(error)})
            return
    say({"load": None, "names": _names(module)})
    for call in job.get("calls", ()):
        say(_evaluated(module, call))
    if calls >= 0:
        Server(module, say).serve(calls)


def _writer(answers: int) -> Callable[[Any], None]:
    """Return how to say one line; bound early, because a program may replace what it finds in modules."""
    write, dumps = os.write, plain.dumps

    def say(form: Any) -> None:
        data = memoryview(dumps(form) + b"\n")
        while data:
            data = data[write(answers, data) :]

    return say


def _load(module: types.ModuleType, job: Mapping[str, Any]) -> None:
    code = _compiled(job["sources"])
    exec(code, module.__dict__)  # noqa: S102  # what the sandbox is for
    for setup in job.get("setup", ()):
        exec(compile(setup, "<setup>", "exec"), module.__dict__)  # noqa: S102  # as above


def _join() -> None:
    """Wait for the program's threads, as the interpreter does before it ends."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _compiled(sources: list[str]) -> types.CodeType:
    for source in sources[:-1]:
        try:
            return compile(source, f"<{MODULE}>", "exec")
        except (SyntaxError, ValueError):
            continue
    return compile(sources[-1], f"<{MODULE}>", "exec")


def _names(module: types.ModuleType) -> dict[str, str | None]:
    """Return the program's names; for a module that it imported, that module's name."""
    found = {str(name): value for name, value in module.__dict__.items() if str(name)[:2] != "__"}
    return {name: value.__name__ if type(value) is types.ModuleType else None for name, value in found.items()}


def _raised(error: BaseException) -> dict[str, Any]:
    """Return the names of the exception's classes, the nearest first, and its text."""
    try:
        text = str(error)[:_TEXT]
    except BaseException:  # noqa: BLE001  # an exception may fail to describe itself
        text = ""
    return {
        "raised": [kind.__name__ for kind in type(error).__mro__[:-1]],
        "text": text.encode(errors="replace").decode(),
    }


def _evaluated(module: types.ModuleType, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of one expression, or what it raised; `changed` says that it altered what it was given."""
    try:
        given = {name: plain.decode(form) for name, form in call["env"].items()}
        code = compile(call["expr"], "<call>", "eval")
        value = eval(code, {**module.__dict__, **given})  # noqa: S307  # what the sandbox is for
    except BaseException as error:  # noqa: BLE001  # whatever a call raises is its answer
        return _raised(error)
    try:
        answer = {"value": plain.encode(value)}
        kept = {name: plain.encode(item) for name, item in given.items()}
    except BaseException as error:  # noqa: BLE001  # an object may fail at being read
        return {"odd": f"{type(value).__name__}: {error}"[:_TEXT].encode(errors="replace").decode()}
    return answer if kept == call["env"] else {**answer, "changed": True}


class Server:
    """Answers a judging process call by call; objects that are no plain data stay here, known by a number."""

    def __init__(self, module: types.ModuleType, say: Callable[[Any], None]) -> None:
        self.say = say
        self.module = module
        self.kept: list[Any] = []

    def serve(self, calls: int) -> None:
        """Answer until the other side closes."""
        for line in _lines(calls):
            asked = plain.loads(line)
            try:
                self.say(self._answer(asked))
            except BaseException as error:  # noqa: BLE001  # as above
                self.say(_raised(error))

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "name" in asked:
            return self._out(self.module.__dict__[asked["name"]])
        given = [self._in(form) for form in asked["args"]]
        value = OPERATIONS[asked["do"]](*given, **{name: self._in(form) for name, form in asked["named"].items()})
        return {**self._out(value), "args": [self._changed(item) for item in given]}

    def _in(self, form: Any) -> Any:
        return self.kept[form["kept"]] if isinstance(form, dict) and "kept" in form else plain.decode(form)

    def _out(self, value: object) -> dict[str, Any]:
        # An iterator stays, so that asking for one item does not use up all of them.
        try:
            return {"kept": self._keep(value)} if isinstance(value, Iterator) else {"value": plain.encode(value)}
        except plain.NotPlainError:
            return {"kept": self._keep(value)}

    def _changed(self, value: object) -> Any:
        """A container that a call may have altered in place."""
        try:
            return plain.encode(value) if isinstance(value, list | dict | set | bytearray) else None
        except plain.NotPlainError:
            return None

    def _keep(self, value: object) -> int:
        self.kept.append(value)
        return len(self.kept) - 1


def _lines(source: int) -> Iterator[bytes]:
    buffer = b""
    while data := os.read(source, 1 << 16):
        *lines, buffer = (buffer + data).split(b"\n")
        yield from lines
