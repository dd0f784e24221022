"""Measure a whole command: wall time, CPU seconds with all children, peak memory of the process tree, under a cap.

Memory is the sum of the proportional set sizes of the tree (shared pages count once), sampled; a tree above the cap
is ended and said to be over it. Every process also gets the cap as RLIMIT_DATA, so that none can pass it between two
samples. The page cache does not count. Linux only.

That limit counts address space that a process has only set aside. Arrow's allocator sets aside a gigabyte at its start,
which nobody uses and which would halve a cap of two: it is told to do with less.
"""

import os
import re
import resource
import signal
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

# What mimalloc sets aside at once (its documentation, arena_reserve); 1 GiB unless told.
RESERVE = {"MIMALLOC_ARENA_RESERVE": "64M"}
# Reading a process's sizes holds it up for a moment; four times a second costs it about 1 %.
SAMPLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost. `ended` is 'exit N', or 'over the cap' where it was stopped."""

    ended: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    processes: int
    output: str
    messages: str


def measure(command: list[str], cap: int, folder: Path) -> Cost:
    """Run `command` to its end with at most `cap` bytes of memory; its output is kept in `folder` meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True, env={**os.environ, **RESERVE})
        resource.prlimit(child.pid, resource.RLIMIT_DATA, (cap, cap))
        peak, processes = watch(child, cap)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        ended="over the cap" if peak > cap else f"exit {child.returncode}",
        wall_seconds=round(wall, 2),
        cpu_seconds=round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        peak_bytes=peak,
        processes=processes,
        output=(folder / "stdout").read_text(),
        messages=(folder / "stderr").read_text(),
    )


def watch(child: subprocess.Popen[bytes], cap: int) -> tuple[int, int]:
    """Sample the tree until it ends; return its peak memory and its largest number of processes."""
    peak = most = 0
    while child.poll() is None:
        members = tree(child.pid)
        peak = max(peak, sum(proportional_bytes(pid) for pid in members))
        most = max(most, len(members))
        if peak > cap:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            break
        time.sleep(SAMPLE_SECONDS)
    return peak, most


def tree(root: int) -> list[int]:
    """Return the process ids of `root` and all that descend from it."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children[parent(entry)].append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children[pid])
    return found


def parent(process: Path) -> int:
    """Return the parent's id, 0 where the process is already gone."""
    try:
        # The second field, the name, may hold spaces and brackets: count from its last bracket.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def proportional_bytes(pid: int) -> int:
    """Return the proportional set size of a process in bytes, 0 where it is already gone."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
