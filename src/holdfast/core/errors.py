"""The errors Holdfast raises on purpose, named after the boundary that was crossed.

Every error says what happened, with which value, where, and what to do. The command line prints it as one
message and ends with the exit code beside the class; anything else that escapes is a bug (exit code 4).

    HoldfastError
    |-- UsageError          wrong arguments, settings or columns            exit 2
    |-- InputError          an input that cannot be read at all             exit 2
    |-- MissingExtraError   an optional part is not installed               exit 2
    |-- MachineError    the machine lacks what is needed                exit 2
    |-- StoppedError        stopped in good order, can be resumed           exit 3
    `-- ConservationError   records were lost or invented: a bug of ours    exit 4
"""

import errno
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class HoldfastError(Exception):
    """Base of all errors raised on purpose. `exit_code` is what the command line ends with."""

    exit_code = 2

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # A subclass takes other arguments than those that Exception would hand it when it comes from a worker process.
        return _restored, (type(self), str(self), self.__dict__)


def _restored(kind: type[HoldfastError], text: str, values: dict[str, Any]) -> HoldfastError:
    error = kind.__new__(kind, text)
    error.args = (text,)
    error.__dict__.update(values)
    return error


class UsageError(HoldfastError):
    """Arguments, settings or column names that cannot be meant."""


class InputError(HoldfastError):
    """An input that cannot be opened or has no readable structure. Single bad rows are quarantined instead."""


class MissingExtraError(HoldfastError):
    """An optional dependency is absent; the remedy is the install command."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed.", f"Install it with: pip install 'holdfast[{extra}]'")


class MachineError(HoldfastError):
    """The machine lacks something that no extra installs, such as disk space or a sandbox."""


class StoppedError(HoldfastError):
    """A run ended early in good order. Running the same command again resumes it.

    `why` says in one word what stopped it: budget, provider or disk.
    """

    exit_code = 3

    def __init__(self, what: str, remedy: str = "", why: str = "provider") -> None:
        super().__init__(what, remedy)
        self.why = why


class ConservationError(HoldfastError):
    """in = kept + rejected + undecided + failed + pending does not hold, or a stage lost or doubled a row."""

    exit_code = 4


def is_full(error: OSError) -> bool:
    """Tell whether the disk, or one's share of it, has no room left: nothing is wrong with data or program."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return 'Did you mean X? Known: ...', or only the known names when nothing is close to `wrong`."""
    names = sorted(known)
    close = get_close_matches(wrong, names, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(names)}."
