"""The steps by which something becomes durable, each through one place: written, synced, renamed, committed.

A program that dies between two of these steps must leave a run that can be resumed. The tests count the steps of a
run and end it at every one of them (as SQLite tests itself, sqlite.org/testing.html); nothing else may do so.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Watch = Callable[[str, Path], None]


def _nobody(step: str, path: Path) -> None:
    """Watch nothing, as always outside the tests."""


# Called with (step, path) before each step is taken.
watch: Watch = _nobody


def about_to(step: str, path: Path) -> None:
    """Say that `step` is taken next, on `path`."""
    watch(step, path)


def sync(file: BinaryIO, path: Path) -> None:
    """Return when what was written to `file` is on the disk itself, not only with the system."""
    about_to("sync", path)
    file.flush()
    os.fsync(file.fileno())


def rename(old: Path, new: Path) -> None:
    """Give `old` the name `new`, in one step, and return when the disk knows it."""
    about_to("rename", new)
    old.replace(new)
    about_to("sync-folder", new)
    handle = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file that may not be there."""
    about_to("remove", path)
    path.unlink(missing_ok=True)
