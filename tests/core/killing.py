"""Kernels whose process is killed at a chosen moment."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from holdfast.core import durable


def dies_half_written(table: pa.Table, *, flag: str, kernel: Callable[..., pa.Table], **params: object) -> pa.Table:
    """A kernel whose process is killed once, when its part is written and has not got its name."""

    def kill(step: str, path: Path) -> None:
        if step == "rename":
            half = next(path.parent.glob(f".{path.name}.*"))
            os.truncate(half, half.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    if not Path(flag).exists():
        Path(flag).touch()
        durable.watch = kill
    return kernel(table, **params)
