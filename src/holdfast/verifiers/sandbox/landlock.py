"""Landlock: which files a process may still open, decided without privilege and for good.

Everything the running kernel can refuse is refused; reading is given back beneath the interpreter's own folders. An
older kernel knows fewer rights; what it cannot refuse, the system call filter does (`seccomp`).
Source: the kernel's userspace-api/landlock.rst.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from holdfast.verifiers.sandbox.libc import syscall

# The same numbers on every architecture.
_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _BENEATH_PATH = 1, 1

_READ_FILE, _READ_FOLDER, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
# The number of rights on files that each version knows: the oldest 13, then moving between folders (2), cutting a file
# short (3), and device controls (5).
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
# Version 4 refuses to bind and connect TCP, version 6 abstract Unix sockets and signals to processes outside.
_NETWORK_SINCE, _SCOPE_SINCE, _BOTH = 4, 6, 0b11

# Version from which a file cannot be emptied behind the rule's back.
TRUNCATE_SINCE = 3


def version() -> int:
    """Return the version of Landlock in the running kernel, 0 when there is none or it is switched off."""
    try:
        return syscall(_CREATE, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str] = ()) -> None:
    """Leave this process and its children nothing but reading beneath `readable` and writing the files `writable`.

    Paths that do not exist are skipped. Raises `OSError` when the kernel has no Landlock. Needs no_new_privs.
    """
    known = version()
    handled = (1 << _FILE_RIGHTS[min(known, max(_FILE_RIGHTS))]) - 1 if known else 0
    words = [handled]
    if known >= _NETWORK_SINCE:
        words.append(_BOTH)
    if known >= _SCOPE_SINCE:
        words.append(_BOTH)
    ruleset = syscall(_CREATE, _buffer(struct.pack(f"={len(words)}Q", *words)), 8 * len(words), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0))  # noqa: PTH112  # no pathlib here
        for path in writable:
            _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        syscall(_ADD_RULE, ruleset, _BENEATH_PATH, _buffer(struct.pack("=Qi", rights, place)), 0)
    finally:
        os.close(place)


def _buffer(data: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(data, len(data))
