"""Processes that compare mathematical expressions, each comparison under a hard time limit.

Started on the first comparison that needs one, ended by `close` or with the program. A worker that exceeds its time
is killed and replaced, so that no answer can stop the run.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import IO, Any, Literal

import orjson

from holdfast.core.errors import MachineError, MissingExtraError

Fate = Literal["equal", "different", "unreadable-gold", "timeout", "memory", "fault"]

# Loading the symbolic library takes 1-3 s on a busy machine; ten times that is a machine that cannot do it.
_START_LIMIT = 60.0
_IDLE = -1


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one comparison. `by_gold` says that the reference answer was at fault, not the given one."""

    fate: Fate
    by_gold: bool = False
    detail: str = ""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    tasks: IO[bytes]
    answers: IO[bytes]
    buffer: bytes = b""
    task: int = _IDLE
    deadline: float = 0.0
    gold_done: bool = False

    @classmethod
    def start(cls) -> "_Worker":
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", "holdfast.verifiers.math_worker"]
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        if process.stdin is None or process.stdout is None:
            raise MachineError("The math verifier's worker process has no pipes.", "Run holdfast doctor for details.")
        return cls(process, process.stdin, process.stdout, deadline=monotonic() + _START_LIMIT)

    def send(self, task: int, pair: tuple[str, str], limit: float) -> None:
        self.task, self.deadline, self.gold_done = task, monotonic() + limit, False
        line = orjson.dumps({"gold": _clean(pair[0]), "given": _clean(pair[1])})
        self.tasks.write(line + b"\n")
        self.tasks.flush()

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


def _clean(text: str) -> str:
    """Drop lone surrogates, which no pipe carries."""
    return text.encode("utf-8", "replace").decode()


@dataclass(slots=True)
class Pool:
    """Up to `size` workers; `limit` is the time of one comparison in seconds."""

    size: int = field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))))
    limit: float = 10.0
    workers: list[_Worker] = field(default_factory=list)

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
        """Compare each (gold, given) pair; results in the same order.

        Raises `MissingExtraError` without math-verify and `MachineError` when no worker starts.
        """
        results: dict[int, Compared] = {}
        waiting = deque(range(len(pairs)))
        try:
            while len(results) < len(pairs):
                self._hand_out(waiting, pairs)
                if any(worker.task != _IDLE for worker in self.workers):
                    self._collect(results)
        except BaseException:
            self.close()
            raise
        return [results[number] for number in range(len(pairs))]

    def _hand_out(self, waiting: deque[int], pairs: Sequence[tuple[str, str]]) -> None:
        """Give every ready worker its next pair, starting workers while there is work for them."""
        while len(self.workers) < min(self.size, len(waiting)):
            self.workers.append(_begin())
        for worker in list(self.workers):
            if waiting and worker.task == _IDLE:
                try:
                    worker.send(waiting[0], pairs[waiting[0]], self.limit)
                    waiting.popleft()
                except BrokenPipeError:
                    # It died while idle, as under memory pressure of other programs; the pair goes to a fresh one.
                    self._drop(worker)

    def _collect(self, results: dict[int, Compared]) -> None:
        """Wait for one message or deadline; a worker that is late or gone is replaced."""
        busy = [worker for worker in self.workers if worker.task != _IDLE]
        with DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.answers, EVENT_READ, worker)
            wait = max(0.0, min(worker.deadline for worker in busy) - monotonic())
            ready = [key.data for key, _ in selector.select(wait)]
        for worker in busy:
            late = monotonic() >= worker.deadline and worker not in ready
            messages = worker.receive() if worker in ready else []
            if messages is None or late:
                results[worker.task] = Compared("timeout" if late else "memory", by_gold=not worker.gold_done)
                self._drop(worker)
            for message in messages or ():
                self._note(worker, message, results)

    def _note(self, worker: _Worker, message: dict[str, Any], results: dict[int, Compared]) -> None:
        if "stage" in message:
            worker.gold_done = True
        else:
            results[worker.task] = _compared(message, worker.gold_done)
            worker.task = _IDLE

    def _drop(self, worker: _Worker) -> None:
        worker.end()
        self.workers.remove(worker)

    def close(self) -> None:
        """End all workers. The pool may be used again; it then starts new ones."""
        while self.workers:
            self.workers.pop().end()


def _begin() -> _Worker:
    """Start a worker and wait until it is ready."""
    worker = _Worker.start()
    messages: list[dict[str, Any]] | None = []
    with DefaultSelector() as selector:
        selector.register(worker.answers, EVENT_READ)
        while messages == [] and monotonic() < worker.deadline:
            messages = worker.receive() if selector.select(1.0) else []
    if messages and messages[0].get("ready"):
        return worker
    worker.end()
    if messages and "missing" in messages[0]:
        raise MissingExtraError("math-verify", "verify")
    raise MachineError("The math verifier's worker process does not start.", "Run holdfast doctor for details.")


def _compared(message: dict[str, Any], gold_done: bool) -> Compared:
    if "fault" in message:
        memory = message["fault"] == "memory"
        return Compared("memory" if memory else "fault", by_gold=not gold_done, detail=message["fault"])
    if not message["gold_parsed"]:
        return Compared("unreadable-gold", by_gold=True)
    return Compared("equal" if message["equal"] else "different", detail="" if message["given_parsed"] else "unread")
