"""Deaths at will: a run in a process of its own that ends, without a word, before a chosen durable step."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from holdfast.core import durable

DEAD = 137


def died_at(point: int, run: Callable[[], object], *, torn: bool = False) -> bool:
    """Run in a child that dies before its step number `point`; False where it came to its end with fewer steps.

    `torn` also takes back what a power cut may: half of a file that was written and not synced.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads: the child only writes files
        child = os.fork()
    if child == 0:
        _die_at(point, run, torn=torn)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DEAD), f"the child ended with {code}"
    return code == DEAD


def _die_at(point: int, run: Callable[[], object], *, torn: bool) -> None:
    left = [point]

    def watch(step: str, path: Path) -> None:
        if left[0] == 0:
            if torn and step == "sync":
                written = next(path.parent.glob(f".{path.name}.{os.getpid()}-*"))
                os.truncate(written, written.stat().st_size // 2)
            os._exit(DEAD)
        left[0] -= 1

    durable.watch = watch
    try:
        run()
    except BaseException:  # noqa: BLE001  # whatever it is, the parent must hear of it
        os._exit(1)
    os._exit(0)
