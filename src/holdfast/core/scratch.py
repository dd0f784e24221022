"""Scratch: a folder for one command's shards, gone when it ends, and swept up later when it was killed."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from holdfast.core.errors import StoppedError, is_full

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
        except OSError as error:
            if not is_full(error):
                raise
            remedy = "Free space there, or set TMPDIR to a folder with more, and run the same command again."
            raise StoppedError(f"There is no space left for work in {parent}.", remedy, "disk") from error
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
