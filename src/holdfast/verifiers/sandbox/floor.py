"""The floor: what must hold before a program of others runs, in two steps, and the proof that it holds.

The warm process takes the first step once (no new privileges, no capabilities, Landlock); each fork takes the second
(own session, limits, system call filter). There is no root and no package in it, only Linux >= 5.13.
"""

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator

from holdfast.verifiers.sandbox import landlock, limits, seccomp
from holdfast.verifiers.sandbox.libc import (
    SET_DEATH_SIGNAL,
    SET_DUMPABLE,
    SET_NO_NEW_PRIVILEGES,
    drop_capabilities,
    prctl,
)

_KILL = 9
# Where shared libraries, time zones and the interpreter's randomness lie; nothing of the user's does.
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/localtime",
    "/etc/ld.so.cache", "/dev/urandom", "/dev/zero",
)  # fmt: skip
_SINK, _TRIAL = "/dev/null", "holdfast-trial"


def readable() -> list[str]:
    """Return what a program may read: the interpreter, its packages, and the system's libraries.

    Not the rest of the module search path, which names the working folder and the user's own checkouts.
    """
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return sorted({*_SYSTEM, *paths, os.path.join(sys.base_prefix, "lib")})  # noqa: PTH118  # no pathlib here


def missing() -> list[str]:
    """Return what this machine lacks of the floor, in words; empty when nothing."""
    if sys.platform != "linux":
        return [f"Linux (this is {sys.platform})"]
    lacks = [] if landlock.version() else ["Landlock (Linux >= 5.13, switched on)"]
    return lacks if seccomp.known() else [*lacks, "a system call table for this architecture (x86-64, aarch64)"]


def lay() -> None:
    """Take the first step, once, in the warm process. Raises `OSError` when the kernel refuses."""
    prctl(SET_NO_NEW_PRIVILEGES, 1)
    drop_capabilities()
    landlock.restrict(readable(), [_SINK])


def enter(cpu_seconds: int, memory: int) -> None:
    """Take the second step, in a fork, right before the program. Raises `OSError` when the kernel refuses."""
    prctl(SET_DEATH_SIGNAL, _KILL)
    prctl(SET_DUMPABLE, 0)
    limits.apply(cpu_seconds, memory)
    emptied_by_rule = landlock.version() >= landlock.TRUNCATE_SINCE
    seccomp.apply(seccomp.program(os.getpid(), may_truncate=emptied_by_rule))


def breaches() -> Iterator[str]:
    """Try what must fail, from inside; yield what did not. Run in a fork that has taken both steps."""
    attempts: dict[str, Callable[[], object]] = {
        "a file outside can be read": lambda: os.open(sys.executable, os.O_RDONLY),
        "a file can be written": lambda: os.open(f"/dev/{_TRIAL}", os.O_CREAT | os.O_WRONLY),
        "a process can be started": _fork,
        "another process can be signalled": lambda: os.kill(os.getppid(), 0),
        "a name can be removed": lambda: os.unlink(f"/dev/{_TRIAL}"),  # noqa: PTH108  # no pathlib here
    }
    for breach, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        yield breach


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
