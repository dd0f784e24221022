"""The engine: pure kernels over shards, mapped by a runner. Arrow in, Arrow out.

`map_shards` is the seam. A kernel is a module-level function `kernel(table, **params) -> table` without side
effects, so that running it twice is harmless: a lost worker costs a retry and not the run. Each result is
committed by rename and a later call with the same stage key skips what is committed. The runner decides where
kernels run: `LocalRunner` uses the processes of this machine; a cluster runner needs only `run`.
Model calls never run inside the engine (`models`, with a ledger).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Shard
from holdfast.core.errors import ConservationError, MachineError
from holdfast.core.files import whole_file

Kernel = Callable[..., pa.Table]
# progress(what, done, total), in records or bytes; a total of 0 is not known.
Progress = Callable[[str, int, int], None]

# A task is pure and its part is committed whole, so that running it again after a lost worker is harmless.
ATTEMPTS = 3
# What a worker is given: twice the 370 to 390 MiB at which one peaks that does every stage of an audit over shards of
# 25,000 records or 32 MiB (docs/scaling.md).
TASK_MEMORY = 768 << 20


class Runner(Protocol):
    """The only part that knows an engine: run `task` for every argument tuple and yield results in order."""

    def run(self, task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield `task(*a)` for each `a` in order; a lost worker is retried."""


@dataclass(frozen=True, slots=True)
class LocalRunner:
    """Runs tasks in up to `workers` processes of this machine; a single task runs in this process.

    Workers are spawned, not forked: a fork would copy the locks of numba's and Arrow's threads in whatever state
    they are.
    """

    workers: int = field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))))

    @property
    def name(self) -> str:
        """How a manifest names it."""
        return "local"

    def run(self, task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield results in the order of `arguments`."""
        if self.workers == 1 or len(arguments) <= 1:
            yield from (task(*argument) for argument in arguments)
            return
        done = 0
        for attempt in range(ATTEMPTS):
            try:
                for result in self._pool(task, arguments[done:]):
                    done += 1
                    yield result
            except BrokenProcessPool:
                if attempt == ATTEMPTS - 1:
                    raise MachineError(
                        f"A worker process died {ATTEMPTS} times near task {done} of {len(arguments)}.",
                        "It is most often killed for memory: run with fewer workers, or free some.",
                    ) from None
            else:
                return

    def _pool(self, task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        with ProcessPoolExecutor(min(self.workers, len(arguments)), mp_context=get_context("spawn")) as pool:
            yield from pool.map(task, *zip(*arguments, strict=True))


def name_of(runner: Runner) -> str:
    """Return how a manifest names a runner: 'local', 'ray', or the class of your own."""
    return str(getattr(runner, "name", type(runner).__name__))


@dataclass(frozen=True, slots=True)
class Stage:
    """One map over shards. `folder` holds the committed parts; `key` names kernel, version and parameters."""

    key: str
    folder: Path
    kernel: Kernel
    params: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    keeps_rows: bool = False


def map_shards(
    stage: Stage, shards: Sequence[Shard], runner: Runner, progress: Progress | None = None
) -> Iterator[pa.Table]:
    """Yield the kernel's table for each shard, in order. Committed parts are read and not computed again.

    With `keeps_rows` a part must have as many rows as its shard, or the stage ends with `ConservationError`.
    """
    folder = stage.folder / stage.key
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [(stage, shard, folder / f"part-{number:06d}.arrow") for number, shard in enumerate(shards)]
    total = shards[-1].first + shards[-1].rows if shards else 0
    for shard, path in zip(shards, runner.run(_task, arguments), strict=True):
        if progress is not None:
            progress(stage.key, shard.first + shard.rows, total)
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            yield reader.read_all()


def map_located(stage: Stage, shards: Sequence[Shard], runner: Runner, progress: Progress | None = None) -> pa.Table:
    """Map a kernel whose column `index` counts from 0 in each shard; return it as the global `record`, last."""
    parts = []
    for shard, part in zip(shards, map_shards(stage, shards, runner, progress), strict=True):
        moved = pc.add(part.column("index"), shard.first)
        parts.append(part.drop_columns("index").append_column("record", moved))
    return pa.concat_tables(parts) if parts else pa.table({"record": pa.array([], pa.int64())})


def _task(stage: Stage, shard: Shard, part: Path) -> Path:
    if part.exists():
        return part
    table = stage.kernel(shard.table(stage.columns), **stage.params)
    if stage.keeps_rows and table.num_rows != shard.rows:
        became = f"{shard.rows} rows of {shard.path.name} became {table.num_rows}"
        raise ConservationError(f"Stage {stage.key}: {became}.")
    commit(part, table)
    return part


def commit(path: Path, table: pa.Table) -> None:
    """Write a part whole or not at all. Readers are given exact names, so that a half-written one is never read."""
    with whole_file(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
