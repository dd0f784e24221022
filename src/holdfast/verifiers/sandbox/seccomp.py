"""The system call filter: a list of what a Python program needs to compute; everything else is refused.

Classic BPF, put together by hand. A refused call returns "not permitted" to the program, so that it fails like any
other program without rights. Not on the list, among others: execve, fork, socket, connect, kill, ptrace, mount,
unshare, memfd_create, io_uring, bpf, keyctl, userfaultfd, perf_event_open, process_vm_*, pidfd_*, and everything that
changes a file. Numbers: the kernel's unistd.h per architecture. Other architectures have no filter, so no floor.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.verifiers.sandbox.libc import SET_SECCOMP, prctl

# name: (x86-64, aarch64); 0 marks a call that the architecture does not have, save for read on x86-64.
_NONE = -1
_ALLOWED = {
    "read": (0, 63), "write": (1, 64), "open": (2, _NONE), "close": (3, 57), "stat": (4, _NONE), "fstat": (5, 80),
    "lstat": (6, _NONE), "poll": (7, _NONE), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66),
    "access": (21, _NONE), "pipe": (22, _NONE), "select": (23, _NONE), "sched_yield": (24, 124), "mremap": (25, 216),
    "msync": (26, 227), "mincore": (27, 232), "madvise": (28, 233), "dup": (32, 23), "dup2": (33, _NONE),
    "pause": (34, _NONE), "nanosleep": (35, 101), "getitimer": (36, 102), "alarm": (37, _NONE), "setitimer": (38, 103),
    "getpid": (39, 172), "sendto": (44, 206), "recvfrom": (45, 207), "shutdown": (48, 210), "getsockname": (51, 204),
    "getpeername": (52, 205), "setsockopt": (54, 208), "getsockopt": (55, 209), "exit": (60, 93), "uname": (63, 160),
    "getdents": (78, _NONE), "getcwd": (79, 17), "readlink": (89, _NONE), "gettimeofday": (96, 169),
    "getrlimit": (97, 163), "getrusage": (98, 165), "sysinfo": (99, 179), "times": (100, 153), "getuid": (102, 174),
    "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177), "getppid": (110, 173), "getpgrp": (111, _NONE),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155),
    "getsid": (124, 156), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "gettid": (186, 178), "time": (201, _NONE), "futex": (202, 98),
    "sched_getaffinity": (204, 123), "getdents64": (217, 61), "set_tid_address": (218, 96),
    "restart_syscall": (219, 128), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "exit_group": (231, 94), "epoll_wait": (232, _NONE), "epoll_ctl": (233, 21),
    "openat": (257, 56), "newfstatat": (262, 79), "readlinkat": (267, 78), "faccessat": (269, 48),
    "pselect6": (270, 72), "ppoll": (271, 73), "set_robust_list": (273, 99), "get_robust_list": (274, 100),
    "epoll_pwait": (281, 22), "eventfd2": (290, 19), "epoll_create1": (291, 20), "dup3": (292, 24), "pipe2": (293, 59),
    "preadv": (295, 69), "getcpu": (309, 168), "getrandom": (318, 278), "membarrier": (324, 283), "statx": (332, 291),
    "rseq": (334, 293), "close_range": (436, 436), "faccessat2": (439, 439), "epoll_pwait2": (441, 441),
    "futex_waitv": (449, 449),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Guarded:
    """A call allowed only when `argument & mask` is one of `values`, for each test; else it returns `error`."""

    numbers: tuple[int, int]
    tests: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    error: int = errno.EPERM


_ALL = 0xFFFF_FFFF
_THREAD = 0x0001_0000
# CLONE_NEW*: mount, cgroup, uts, ipc, user, pid and network namespaces.
_NAMESPACES = 0x7E02_0000
_UNIX, _STREAM, _TYPE = 1, 1, 0xF
_TRUNCATE = os.O_TRUNC
# fcntl: duplicates, flags, locks, pipe sizes; not the owner of a descriptor, through which signals can be sent.
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1031, 1032)
# ioctl: what the C library asks of a terminal, bytes waiting, blocking and closing on exec.
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# prctl: a thread's name.
_PRCTL = (15, 16)


def _guards(pid: int, *, may_truncate: bool) -> dict[str, _Guarded]:
    guards = {
        # A thread, never a process, never a namespace.
        "clone": _Guarded((56, 220), ((0, _NAMESPACES | _THREAD, (_THREAD,)),)),
        # Its flags lie in memory, where no filter can look; told that it is unknown, the C library uses clone.
        "clone3": _Guarded((435, 435), error=errno.ENOSYS),
        "fcntl": _Guarded((72, 25), ((1, _ALL, _FCNTL),)),
        "ioctl": _Guarded((16, 29), ((1, _ALL, _IOCTL),), errno.ENOTTY),
        "prctl": _Guarded((157, 167), ((0, _ALL, _PRCTL),)),
        # Limits of the process itself, which without privilege only go down.
        "prlimit64": _Guarded((302, 261), ((0, _ALL, (0,)),)),
        # The pair that an event loop wakes itself with; a stream, because a datagram could be addressed elsewhere.
        "socketpair": _Guarded((53, 199), ((0, _ALL, (_UNIX,)), (1, _TYPE, (_STREAM,)))),
        # A signal to the process itself, as abort sends.
        "tgkill": _Guarded((234, 131), ((0, _ALL, (pid,)),)),
    }
    if not may_truncate:
        guards["open"] = _Guarded((2, _NONE), ((1, _TRUNCATE, (0,)),), errno.EACCES)
        guards["openat"] = _Guarded((257, 56), ((2, _TRUNCATE, (0,)),), errno.EACCES)
    return guards


# BPF operations (linux/bpf_common.h) and answers (linux/seccomp.h).
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_FILTER_MODE = 2
# Offsets into struct seccomp_data; of each 64-bit argument the low half, which is where these flags lie.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# machine: (column of the tables, AUDIT_ARCH_*).
_MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}

Instruction = tuple[int, int, int, int]


def known() -> bool:
    """True when there is a table for this machine's architecture."""
    return platform.machine() in _MACHINES


def program(pid: int, machine: str | None = None, *, may_truncate: bool = True) -> list[Instruction]:
    """Return the filter for process `pid`, as (operation, jump if true, jump if false, operand)."""
    column, architecture = _MACHINES[machine or platform.machine()]
    guards = _guards(pid, may_truncate=may_truncate)
    plain = [pair[column] for name, pair in _ALLOWED.items() if name not in guards and pair[column] != _NONE]
    found: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number in plain:
        found += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for guard in guards.values():
        if guard.numbers[column] != _NONE:
            block = list(_guarded(guard))
            found += [(_EQUAL, 0, len(block), guard.numbers[column]), *block]
    return [*found, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _guarded(guard: _Guarded) -> Iterator[Instruction]:
    """Yield what follows when the number is this call's; every way through it returns."""
    refuse = (_RETURN, 0, 0, _ERRNO | guard.error)
    for argument, mask, values in guard.tests:
        yield (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
        yield (_AND, 0, 0, mask)
        # One of the values jumps over the rest of the values and the refusal.
        for left, value in zip(range(len(values), 0, -1), values, strict=True):
            yield (_EQUAL, left, 0, value)
        yield refuse
    yield (_RETURN, 0, 0, _ALLOW) if guard.tests else refuse


def apply(instructions: list[Instruction]) -> None:
    """Put the filter on this process, for good. Raises `OSError`. Needs no_new_privs."""
    code = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    lines = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a count, padding, a pointer.
    head = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(lines)))
    prctl(SET_SECCOMP, _FILTER_MODE, ctypes.cast(head, ctypes.c_void_p))
