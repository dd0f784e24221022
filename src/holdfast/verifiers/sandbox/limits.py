"""What one program may use, and the resource limits of the kernel that hold it to that."""

import resource
import sys
from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one program.

    The time that decides is the program's own processor time, so that a busy machine makes no program wrong; the wall
    clock is a wide net for a program that waits. `answers` bounds the plain data it returns, `output` what it prints.
    """

    cpu_seconds: int = 5
    wall_seconds: float = 60.0
    memory: int = 1024 * MEGABYTE
    output: int = MEGABYTE
    answers: int = 2 * MEGABYTE


DEFAULT = Limits()

# Open files: the pipes of the run, modules while they load, a pair or two for an event loop.
_OPEN_FILES = 64


def apply(cpu_seconds: int, memory: int) -> None:
    """Set hard limits on this process: processor time, address space, and nothing written to any file.

    The number of processes is left to the system call filter, because its limit does not bind the superuser.
    """
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    if sys.platform == "linux":
        wanted |= {resource.RLIMIT_MEMLOCK: 0, resource.RLIMIT_MSGQUEUE: 0}
    for which, limit in wanted.items():
        _lower(which, limit, limit)
    # A signal that says why first; a second later, for a program that ignores it, the one that cannot be ignored.
    _lower(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)


def _lower(which: int, soft: int, hard: int) -> None:
    """Set a limit, or the one already there where that is lower."""
    now = resource.getrlimit(which)[1]
    most = hard if now == resource.RLIM_INFINITY else min(hard, now)
    resource.setrlimit(which, (min(soft, most), most))
