"""The verifier's side: warm processes, runs in them, hard deadlines, bounded memory.

The verifier never waits on a pipe that a program holds: a run is over when the warm process has reaped it. What a run
sends is read as it comes and cut at its limit. A warm process that dies is replaced, and its runs are started again
once.
"""

import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from signal import SIGKILL, SIGXCPU
from threading import Lock
from time import monotonic
from typing import Any, Literal

from holdfast.verifiers.sandbox import plain
from holdfast.verifiers.sandbox.limits import DEFAULT, Limits
from holdfast.verifiers.sandbox.nameless import nameless
from holdfast.verifiers.sandbox.worker import Worker, start

Fate = Literal["ended", "timeout", "output-limit", "memory", "crashed", "fault"]

# Runs handed to one warm process at a time: while one is being reaped, the next is already running.
_AHEAD = 2
_CHUNK = 1 << 16
# A warm process answers at once; this long after a run's own deadline it is taken for dead.
_GRACE = 15.0
# A run whose warm process died twice is not tried a third time.
_TRIES = 2
# They start one after the other, a third of a second each; more are no help before there are thousands of programs.
_MOST = 16


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run, and the test script that calls it where it is judged inside; neither sees the other's."""

    program: Mapping[str, Any]
    script: Mapping[str, Any] | None = None
    limits: Limits = DEFAULT
    role: str = "candidate"


@dataclass(slots=True)
class Ran:
    """What became of one process: how it ended, its lines of answers, what it printed, its processor seconds."""

    fate: Fate = "ended"
    answers: bytes = b""
    output: bytes = b""
    cpu: float = 0.0
    code: int = 0

    def lines(self) -> list[bytes]:
        """Return the complete lines of its answers, without the one that says that it began."""
        return self.answers.split(b"\n")[1:-1]


@dataclass(slots=True, eq=False)
class _Stream:
    """One pipe of one process, read up to a limit."""

    fd: int
    limit: int
    data: bytearray = field(default_factory=bytearray)
    full: bool = False

    def read(self) -> bool:
        """Take what is there; False when there will be no more, or no more is wanted."""
        while len(self.data) < self.limit:
            try:
                data = os.read(self.fd, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.data += data[: self.limit - len(self.data)]
        self.full = True
        return False

    def kept(self) -> bytes:
        """Return what was read; of a flood only its beginning."""
        return bytes(self.data[:_CHUNK] if self.full else self.data)

    def close(self) -> None:
        """Let go of the pipe; its number may be given out again and is forgotten."""
        os.close(self.fd)
        self.fd = -1


@dataclass(slots=True, eq=False)
class _Process:
    """One forked process: its pipes while it runs, how it ended once it has."""

    number: int
    limits: Limits
    # Its printed output, and its answers unless these go to a judging process.
    streams: list[_Stream]
    done: Mapping[str, Any] | None = None

    def ran(self) -> Ran:
        """Return what became of it; the kernel's own word first."""
        done = self.done or {"code": -1, "cpu": 0.0, "late": False}
        # The limit of processor time first asks, then kills; it counts in ticks, so that some may be missing.
        spent = done["code"] == -SIGXCPU or (done["code"] == -SIGKILL and done["cpu"] >= self.limits.cpu_seconds)
        output, *more = [stream.kept() for stream in self.streams]
        answers = more[0] if more else plain.ENTERED
        fate: Fate = "ended"
        if any(stream.full for stream in self.streams):
            fate = "output-limit"
        elif done["late"] or spent:
            fate = "timeout"
        elif not answers.startswith(plain.ENTERED):
            fate = "fault"
        elif done["code"] < 0:
            fate = "memory" if done["code"] == -SIGKILL else "crashed"
        return Ran(fate, answers, output, done["cpu"], done["code"])


@dataclass(slots=True, eq=False)
class _Flight:
    """A job under way in one warm process."""

    job: int
    worker: Worker
    processes: list[_Process]
    deadline: float


@dataclass
class Pool:
    """Up to `size` warm processes. Without `unsafe` nothing runs where the floor is missing.

    Threads take turns; a fork of the verifier's own process starts warm processes of its own.
    """

    size: int = field(default_factory=lambda: min(os.cpu_count() or 1, _MOST))
    unsafe: bool = False
    hash_seed: int = 0
    workers: list[Worker] = field(default_factory=list)
    flights: list[_Flight] = field(default_factory=list)
    selector: DefaultSelector = field(default_factory=DefaultSelector)
    count: int = 0
    owner: int = field(default_factory=os.getpid)
    turn: Lock = field(default_factory=Lock)

    def layers(self) -> Mapping[str, Any]:
        """Return what of the sandbox holds. Raises `NoSandboxError`."""
        self._own()
        if not self.workers:
            self._begin()
        return self.workers[0].layers

    def run(self, jobs: Sequence[Job]) -> list[list[Ran]]:
        """Run the jobs; for each, in order, what became of its program and, where it has one, of its script.

        Raises `NoSandboxError` when the floor is missing and `MachineError` when no warm process starts.
        """
        results = dict(self.stream(jobs))
        return [results[number] for number in range(len(jobs))]

    def stream(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[Ran]]]:
        """Yield the same with each job's number as soon as it is over, so that nothing has to be kept."""
        with self.turn:
            self._own()
            try:
                yield from self._streamed(jobs)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """End all warm processes. The pool may be used again; it then starts new ones."""
        self._own()
        for worker in list(self.workers):
            self._drop(worker)
        self._forget_flights()

    def _own(self) -> None:
        """After a fork, leave the warm processes to the process that started them."""
        if self.owner != os.getpid():
            self.workers, self.flights, self.selector, self.owner = [], [], DefaultSelector(), os.getpid()

    def _streamed(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[Ran]]]:
        tries: Counter[int] = Counter()
        waiting = deque(range(len(jobs)))
        left = len(jobs)
        while left:
            lost = list(self._hand_out(waiting, jobs))
            for key, _ in self.selector.select(self._patience()):
                self._hear(key.data)
            for landed in self._landed():
                left -= 1
                yield landed
            for number in (*lost, *self._lost()):
                tries[number] += 1
                if tries[number] < _TRIES:
                    waiting.appendleft(number)
                else:
                    left -= 1
                    yield number, [Ran("fault")] * (2 if jobs[number].script else 1)

    def _hand_out(self, waiting: deque[int], jobs: Sequence[Job]) -> Iterator[int]:
        """Give every warm process work, starting processes while there is work; yield jobs that could not be given."""
        while waiting and len(self.workers) < min(self.size, len(waiting) + len(self.flights)):
            self._begin()
        for worker in list(self.workers):
            while waiting and sum(flight.worker is worker for flight in self.flights) < _AHEAD:
                number = waiting.popleft()
                try:
                    self.flights.append(self._launch(worker, number, jobs[number]))
                except OSError:
                    self._drop(worker)
                    yield number
                    break

    def _begin(self) -> None:
        worker = start(unsafe=self.unsafe, hash_seed=self.hash_seed)
        self.workers.append(worker)
        self.selector.register(worker.control, EVENT_READ, worker)

    def _launch(self, worker: Worker, number: int, job: Job) -> _Flight:
        flight = _Flight(number, worker, [], monotonic() + job.limits.wall_seconds + _GRACE)
        if job.script is None:
            flight.processes.append(self._fork(worker, job.role, job.program, job.limits))
            return flight
        # The script asks on one pipe and hears on the other; the verifier holds neither afterwards.
        calls, asks = os.pipe()
        hears, replies = os.pipe()
        try:
            flight.processes.append(self._fork(worker, "candidate", job.program, job.limits, [replies, calls]))
            flight.processes.append(self._fork(worker, "judge", job.script, job.limits, [asks, hears]))
        finally:
            _close(calls, asks, hears, replies)
        return flight

    def _fork(
        self, worker: Worker, role: str, job: Mapping[str, Any], limits: Limits, wires: Sequence[int] = ()
    ) -> _Process:
        """Let the warm process fork for one job. Its answers come here, unless wires take a program's to its script."""
        self.count += 1
        bounds = [limits.output] if wires and role == "candidate" else [limits.output, limits.answers]
        pipes = [os.pipe() for _ in bounds]
        given = [nameless(plain.dumps(job)), *(write for _, write in pipes), *wires]
        order = {"start": self.count, "role": role, "cpu": limits.cpu_seconds, "memory": limits.memory}
        try:
            worker.order({**order, "wall": limits.wall_seconds}, given)
        except OSError:
            _close(*(read for read, _ in pipes))
            raise
        finally:
            _close(given[0], *(write for _, write in pipes))
        streams = [_Stream(read, bound) for (read, _), bound in zip(pipes, bounds, strict=True)]
        for stream in streams:
            os.set_blocking(stream.fd, False)
            self.selector.register(stream.fd, EVENT_READ, stream)
        return _Process(self.count, limits, streams)

    def _patience(self) -> float:
        return max(0.0, min(flight.deadline for flight in self.flights) - monotonic()) if self.flights else 0.0

    def _hear(self, source: Worker | _Stream) -> None:
        if isinstance(source, _Stream):
            self._read(source)
            return
        messages = source.receive() if source in self.workers else []
        if messages is None:
            self._drop(source)
        for message in messages or ():
            process = next(each for _, each in self._processes() if each.number == message["done"])
            process.done = message
            # What it wrote before it ended lies in the pipes; nobody else's end is waited for.
            for stream in process.streams:
                self._read(stream, last=True)

    def _read(self, stream: _Stream, *, last: bool = False) -> None:
        if stream.fd < 0 or (stream.read() and not last):
            return
        self.selector.unregister(stream.fd)
        stream.close()
        if stream.full:
            worker, process = next((worker, each) for worker, each in self._processes() if stream in each.streams)
            if process.done is None:
                # Where the warm process is gone, so is what it forked.
                with suppress(OSError):
                    worker.order({"kill": process.number})

    def _processes(self) -> Iterator[tuple[Worker, _Process]]:
        return ((flight.worker, process) for flight in self.flights for process in flight.processes)

    def _landed(self) -> Iterator[tuple[int, list[Ran]]]:
        for flight in [flight for flight in self.flights if all(process.done for process in flight.processes)]:
            self._land(flight)
            yield flight.job, [process.ran() for process in flight.processes]

    def _land(self, flight: _Flight) -> None:
        self.flights.remove(flight)
        for process in flight.processes:
            for stream in process.streams:
                self._read(stream, last=True)

    def _lost(self) -> Iterator[int]:
        """Yield the jobs whose warm process is gone, or answers no more and is therefore killed."""
        for flight in [flight for flight in self.flights if monotonic() >= flight.deadline]:
            if flight.worker in self.workers:
                self._drop(flight.worker)
        for flight in [flight for flight in self.flights if flight.worker not in self.workers]:
            for process in flight.processes:
                process.done = {"code": -1, "cpu": 0.0, "late": False}
            self._land(flight)
            yield flight.job

    def _forget_flights(self) -> None:
        for flight in list(self.flights):
            self._land(flight)

    def _drop(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.selector.unregister(worker.control)
        worker.end()


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)
