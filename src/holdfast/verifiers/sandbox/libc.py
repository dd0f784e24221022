"""The few calls into the C library and the kernel that Python does not offer."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

# prctl(2).
SET_DEATH_SIGNAL, SET_DUMPABLE, SET_SECCOMP, SET_NO_NEW_PRIVILEGES = 1, 4, 22, 38
# capabilities(7): the third version of the header carries two words per set.
_CAPABILITY_VERSION = 0x20080522


def syscall(number: int, *arguments: "int | ctypes.Array[ctypes.c_char] | ctypes.c_void_p | None") -> int:
    """Return what the system call returns. Raises `OSError` with the kernel's reason."""
    found: int = _LIBC.syscall(ctypes.c_long(number), *(_wide(each) for each in arguments))
    if found < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return found


def prctl(option: int, *arguments: "int | ctypes.c_void_p") -> None:
    """Change an attribute of this process. Raises `OSError`."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    if _LIBC.prctl(ctypes.c_int(option), *(_wide(each) for each in padded)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def drop_capabilities() -> None:
    """Give up every capability for good: with no_new_privs and no execve nothing brings one back."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _LIBC.capset(header, nothing) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _wide(value: object) -> object:
    """Pass integers at full width: a variadic C call would cut them to 32 bits."""
    return ctypes.c_ulong(value) if isinstance(value, int) else value
