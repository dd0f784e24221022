"""Scratch: a folder for one command's shards, gone when it ends, and swept up later when it was killed."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

PREFIX = "holdfast-scratch-"
LOCK = ".lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder under the system's temporary folder ($TMPDIR moves it); remove it at the end.

    What killed commands of this user left behind is removed first: a folder in use is locked, and a lock falls with
    its process however that ends.
    """
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    # The folder takes its name only when it is locked: another command that sweeps just then must not see it free.
    made = Path(tempfile.mkdtemp(prefix="holdfast-new-"))
    with (made / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = made.rename(parent / made.name.replace("holdfast-new-", PREFIX))
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        try:
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # in use, or somebody else's
