"""Worker processes for work that an answer could make endless: each task under a hard time limit.

A worker is a module of ours, started as `python -m module`, that says {"ready": true} and then answers each task line
with one line, in order. The time of one task is the parent's business: a worker that is late is killed and replaced,
and the tasks it had not begun go to another. Memory is limited in the worker (`limit_memory`).
"""

import os
import re
import resource
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import IO, Any, Literal

import orjson

from holdfast.core.errors import MachineError, MissingExtraError

Fate = Literal["answered", "timeout", "died"]

_SURROGATE = re.compile("[\ud800-\udfff]")
# Loading a symbolic library takes 1-3 s on a busy machine; ten times that is a machine that cannot do it.
_START_LIMIT = 60.0
# What is sent ahead must fit into a pipe that nobody reads (64 KiB on Linux), or a slow task would hold up the parent
# before it can count its time. A longer task is sent alone, to a worker that is waiting for it.
_AHEAD_BYTES = 48 << 10
_AHEAD_TASKS = 32
# Work on a hostile answer may ask for any amount; importing a symbolic library takes about 0.3 GiB of addresses.
MEMORY_LIMIT = 2 << 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one task: its answer, or the stage it was in when its time was over or its worker died."""

    fate: Fate
    answer: Mapping[str, Any] = field(default_factory=dict)
    stage: str = ""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    tasks: IO[bytes]
    answers: IO[bytes]
    buffer: bytes = b""
    begun: deque[int] = field(default_factory=deque)
    deadline: float = 0.0
    stage: str = ""

    @classmethod
    def start(cls, module: str) -> "_Worker":
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        if process.stdin is None or process.stdout is None:
            raise MachineError(f"The worker process {module} has no pipes.", "Run holdfast doctor for details.")
        return cls(process, process.stdin, process.stdout, deadline=monotonic() + _START_LIMIT)

    def send(self, numbers: Sequence[int], lines: Sequence[bytes], limit: float) -> None:
        self.tasks.write(b"".join(lines[number] for number in numbers))
        self.tasks.flush()
        self.begun.extend(numbers)
        self.stage, self.deadline = "", monotonic() + limit

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the complete messages that arrived; None when the worker is gone."""
        data = os.read(self.answers.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [orjson.loads(line) for line in lines]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        # Closing flushes what a dead worker never read.
        with suppress(BrokenPipeError):
            self.tasks.close()
        self.answers.close()


@dataclass(slots=True)
class Pool:
    """Up to `size` workers of one module; `limit` is the time of one task in seconds.

    Started with the first task, ended by `close` or with the program. `extra` names the package and the extra that the
    module needs.
    """

    module: str
    limit: float = 10.0
    size: int = field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))))
    extra: tuple[str, str] = ("", "")
    workers: list[_Worker] = field(default_factory=list)

    def run(self, tasks: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Return the outcome of each task, in their order.

        Raises `MissingExtraError` where the module misses its package and `MachineError` when no worker starts.
        """
        lines = [_line(task) for task in tasks]
        results: dict[int, Outcome] = {}
        waiting = deque(range(len(lines)))
        try:
            while len(results) < len(lines):
                self._hand_out(waiting, lines)
                if any(worker.begun for worker in self.workers):
                    self._collect(results, waiting)
        except BaseException:
            self.close()
            raise
        return [results[number] for number in range(len(lines))]

    def close(self) -> None:
        """End all workers. The pool may be used again; it then starts new ones."""
        while self.workers:
            self.workers.pop().end()

    def _hand_out(self, waiting: deque[int], lines: Sequence[bytes]) -> None:
        """Give every idle worker its next tasks, starting workers while there is work for them."""
        while len(self.workers) < min(self.size, len(waiting)):
            self.workers.append(self._begin())
        for worker in list(self.workers):
            if waiting and not worker.begun:
                ahead = _ahead(waiting, lines, max(1, len(waiting) // (2 * len(self.workers))))
                try:
                    worker.send(ahead, lines, self.limit)
                except BrokenPipeError:
                    # It died while idle, as under memory pressure of other programs; the tasks go to a fresh one.
                    self._drop(worker)
                    continue
                for _ in ahead:
                    waiting.popleft()

    def _collect(self, results: dict[int, Outcome], waiting: deque[int]) -> None:
        """Wait for one message or deadline; a worker that is late or gone is replaced."""
        busy = [worker for worker in self.workers if worker.begun]
        with DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.answers, EVENT_READ, worker)
            wait = max(0.0, min(worker.deadline for worker in busy) - monotonic())
            ready = [key.data for key, _ in selector.select(wait)]
        for worker in busy:
            messages = worker.receive() if worker in ready else []
            for message in messages or ():
                self._note(worker, message, results)
            late = worker not in ready and monotonic() >= worker.deadline
            if messages is None or late:
                if worker.begun:
                    results[worker.begun.popleft()] = Outcome("timeout" if late else "died", stage=worker.stage)
                waiting.extendleft(reversed(worker.begun))
                self._drop(worker)

    def _note(self, worker: _Worker, message: dict[str, Any], results: dict[int, Outcome]) -> None:
        if "stage" in message:
            worker.stage = message["stage"]
            return
        results[worker.begun.popleft()] = Outcome("answered", message, worker.stage)
        worker.stage, worker.deadline = "", monotonic() + self.limit

    def _drop(self, worker: _Worker) -> None:
        worker.end()
        self.workers.remove(worker)

    def _begin(self) -> _Worker:
        """Start a worker and wait until it is ready."""
        worker = _Worker.start(self.module)
        messages: list[dict[str, Any]] | None = []
        with DefaultSelector() as selector:
            selector.register(worker.answers, EVENT_READ)
            while messages == [] and monotonic() < worker.deadline:
                messages = worker.receive() if selector.select(1.0) else []
        if messages and messages[0].get("ready"):
            return worker
        worker.end()
        if messages and "missing" in messages[0]:
            raise MissingExtraError(*self.extra)
        raise MachineError(f"The worker process {self.module} does not start.", "Run holdfast doctor for details.")


def _line(message: Mapping[str, Any]) -> bytes:
    """Write a message as one line; what no pipe carries (lone surrogates, whole numbers of 65 bits) is replaced."""
    try:
        return orjson.dumps(message) + b"\n"
    except TypeError:
        return orjson.dumps(_carried(message)) + b"\n"


def _carried(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _carried(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_carried(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return str(value)
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _ahead(waiting: deque[int], lines: Sequence[bytes], most: int) -> list[int]:
    """Return the next tasks that may be sent at once: one at least, more while they fit into the pipe."""
    chosen: list[int] = []
    room = _AHEAD_BYTES
    for number in waiting:
        room -= len(lines[number])
        if chosen and (room < 0 or len(chosen) >= min(most, _AHEAD_TASKS)):
            break
        chosen.append(number)
    return chosen


def limit_memory() -> None:
    """Hold this worker process to `MEMORY_LIMIT` of addresses."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def say(message: Mapping[str, Any]) -> None:
    """Write one message to the parent."""
    sys.stdout.buffer.write(_line(message))
    sys.stdout.buffer.flush()


def serve(answer: Callable[[dict[str, Any]], Mapping[str, Any]]) -> int:
    """Answer each task until the parent closes the pipe. A task without memory or stack is answered as such."""
    say({"ready": True})
    for line in sys.stdin.buffer:
        try:
            said = answer(orjson.loads(line))
        except (MemoryError, RecursionError) as error:
            said = {"fault": "memory" if isinstance(error, MemoryError) else "depth"}
        except Exception as error:  # noqa: BLE001  # a fault of ours; the parent says so beside the record
            said = {"fault": f"{type(error).__name__}: {error}"[:200]}
        say(said)
    return 0
