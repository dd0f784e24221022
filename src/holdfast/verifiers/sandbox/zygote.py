"""The warm process: trusted, loaded once, forks once per program, and never reads a program or a test itself.

Orders come over the control socket as blocks of a fixed size, with the descriptors of the run; what became of a run
goes back as a line. The job itself is read by the fork, so that one program's text is never in another's memory.
Run as `python -m holdfast.verifiers.sandbox.zygote FD [unsafe]`.
"""

import fcntl
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from holdfast.verifiers.sandbox import candidate, floor, judge, landlock, limits, mutants, plain
from holdfast.verifiers.sandbox.nameless import nameless

# Loaded before privileges fall: a program's own `import` then costs nothing and needs no file.
_COMMON = (
    "abc array ast asyncio base64 binascii bisect calendar cmath collections collections.abc contextlib copy csv "
    "dataclasses datetime decimal difflib enum fractions functools hashlib heapq html inspect io itertools json "
    "keyword linecache math numbers operator os.path pprint queue random re secrets statistics string struct textwrap "
    "threading time traceback types typing unicodedata unittest.mock urllib.parse uuid warnings weakref zlib"
)
# How soon to look again at a child where the system cannot announce its end.
_LOOK = 0.005
_ROLES: dict[str, Callable[..., None]] = {
    "candidate": candidate.run,
    "judge": judge.run,
    "mutants": mutants.run,
}


@dataclass(slots=True)
class _Child:
    pid: int
    end: int
    deadline: float
    late: bool = False


class Zygote:
    """Forks, watches the clock, reaps."""

    def __init__(self, control: socket.socket, *, unsafe: bool) -> None:
        self.control = control
        self.unsafe = unsafe
        self.children: dict[int, _Child] = {}

    def loop(self) -> None:
        """Serve until the verifier closes the control socket; then nothing that was forked is left."""
        while True:
            ends = [child.end for child in self.children.values() if child.end >= 0]
            ready, _, _ = select.select([self.control.fileno(), *ends], [], [], self._patience())
            self._reap()
            if self.control.fileno() in ready and not self._obey():
                for child in self.children.values():
                    _kill(child.pid)
                return

    def _patience(self) -> float | None:
        if not self.children:
            return None
        left = max(0.0, min(child.deadline for child in self.children.values()) - monotonic())
        return min(left, _LOOK) if any(child.end < 0 for child in self.children.values()) else left

    def _obey(self) -> bool:
        block, fds, _, _ = socket.recv_fds(self.control, plain.ORDER, 8)
        while block and len(block) < plain.ORDER:
            more = self.control.recv(plain.ORDER - len(block))
            block = block + more if more else b""
        if not block:
            return False
        order = plain.loads(block)
        if "kill" in order:
            if child := self.children.get(order["kill"]):
                _kill(child.pid)
        else:
            self._start(order, fds)
        return True

    def _start(self, order: dict[str, Any], fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            _become(order, fds, unsafe=self.unsafe)
        for fd in fds:
            os.close(fd)
        end = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        self.children[order["start"]] = _Child(pid, end, monotonic() + order["wall"])

    def _reap(self) -> None:
        for number, child in list(self.children.items()):
            if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if monotonic() >= child.deadline:
                    child.late, child.deadline = True, monotonic() + 1
                    _kill(child.pid)
                continue
            # Its group first: the number is not used again before the child is reaped.
            _kill(child.pid)
            _, status, used = os.wait4(child.pid, 0)
            if child.end >= 0:
                os.close(child.end)
            del self.children[number]
            code = os.waitstatus_to_exitcode(status)
            self.say({"done": number, "code": code, "cpu": used.ru_utime + used.ru_stime, "late": child.late})

    def say(self, message: dict[str, Any]) -> None:
        """Tell the verifier."""
        self.control.sendall(plain.dumps(message) + b"\n")


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _become(order: dict[str, Any], fds: list[int], *, unsafe: bool) -> None:
    """In the fork: take the descriptors, read the job, enter the floor, run it, leave. Never returns."""
    try:
        os.setsid()
        job, given = _placed(fds)
        gc.enable()
        if unsafe:
            limits.apply(order["cpu"], order["memory"])
        else:
            floor.enter(order["cpu"], order["memory"])
        # What comes after this line is the program's; without it the fault is ours.
        os.write(given[0], plain.ENTERED + b"\n")
        _ROLES[order["role"]](job, *given)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
    finally:
        os._exit(0)


_FIRST, _ABOVE = 3, 64


def _placed(fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Return the job and the places of answers, calls and replies: 3, 4, 5. Everything else is closed."""
    job_fd, output, *others = [fcntl.fcntl(fd, fcntl.F_DUPFD, _ABOVE) for fd in fds]
    with open(job_fd, "rb") as file:  # noqa: PTH123  # a descriptor
        job: dict[str, Any] = plain.loads(file.read())
    stdin = nameless(job.pop("stdin").encode("utf-8", "surrogatepass")) if "stdin" in job else 0
    for place, fd in enumerate((stdin, output, output, *others)):
        os.dup2(fd, place)
    after = _FIRST + len(others)
    os.closerange(after, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return job, list(range(_FIRST, after))


def _layers(*, unsafe: bool) -> dict[str, Any]:
    """Lay the floor, try it in a fork, and return what holds; `missing` names what does not."""
    if unsafe:
        return {"missing": [], "landlock": 0, "seccomp": False}
    if lacks := floor.missing():
        return {"missing": lacks}
    with suppress(OSError):
        # Under memory pressure the kernel takes the programs first.
        Path("/proc/self/oom_score_adj").write_text("800", "ascii")
    try:
        floor.lay()
    except OSError as error:
        return {"missing": [f"Landlock ({error.strerror})"]}
    return {"missing": _tried(), "landlock": landlock.version(), "seccomp": True}


def _tried() -> list[str]:
    """Return what a fork under the whole floor could still do and must not."""
    source, sink = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            floor.enter(cpu_seconds=5, memory=1 << 30)
            os.write(sink, plain.dumps(list(floor.breaches())))
        except OSError as error:
            os.write(sink, plain.dumps([f"the system call filter ({error.strerror})"]))
        finally:
            os._exit(0)
    os.close(sink)
    os.waitpid(pid, 0)
    with open(source, "rb") as said:  # noqa: PTH123  # a descriptor
        found: list[str] = plain.loads(said.read() or b'["the system call filter (the trial died)"]')
    return found


def _forget() -> None:
    """Leave programs no way to the checkout, which they could not read anyway."""
    os.environ.pop("PYTHONPATH", None)
    known = tuple(floor.readable())
    sys.path[:] = [path for path in sys.path if path.startswith(known)]


def main() -> None:
    """Load what programs commonly import, lay the floor, say what holds, serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    unsafe = sys.argv[2:] == ["unsafe"]
    for name in _COMMON.split():
        with suppress(ImportError):
            importlib.import_module(name)
    _forget()
    layers = _layers(unsafe=unsafe)
    gc.collect()
    gc.disable()
    gc.freeze()
    zygote = Zygote(control, unsafe=unsafe)
    zygote.say({"ready": layers})
    if not layers["missing"]:
        zygote.loop()


if __name__ == "__main__":
    main()
