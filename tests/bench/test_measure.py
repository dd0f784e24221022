"""The meter of the benchmarks: it counts children, and its cap holds."""

import sys
from pathlib import Path

from bench.measure import measure

MIB = 1 << 20
# Two children hold 100 MiB each, longer than a sample apart.
FAMILY = """
import subprocess, sys
hold = "import time; held = b'1' * (100 << 20); time.sleep(1)"
children = [subprocess.Popen([sys.executable, "-c", hold]) for _ in range(2)]
[child.wait() for child in children]
"""
WORK = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'])"


def test_memory_is_that_of_the_whole_tree(tmp_path: Path) -> None:
    """Two children with 100 MiB each count together, though neither is the command itself."""
    cost = measure([sys.executable, "-c", FAMILY], 1024 * MIB, tmp_path)
    assert "exit 0" == cost.ended
    assert 200 * MIB <= cost.peak_bytes <= 300 * MIB
    assert 3 == cost.processes


def test_a_tree_over_the_cap_is_ended(tmp_path: Path) -> None:
    """Each child is below the cap, the tree is not: it is stopped and said to be over."""
    cost = measure([sys.executable, "-c", FAMILY], 150 * MIB, tmp_path)
    assert "over the cap" == cost.ended


def test_a_process_cannot_pass_the_cap_between_samples(tmp_path: Path) -> None:
    """A sudden large allocation fails in the process itself."""
    cost = measure([sys.executable, "-c", "import time; time.sleep(.2); b'1' * (400 << 20)"], 200 * MIB, tmp_path)
    assert "exit 1" == cost.ended
    assert "MemoryError" in cost.messages


def test_cpu_seconds_include_children(tmp_path: Path) -> None:
    """Work done by a child is counted."""
    idle = measure([sys.executable, "-c", "pass"], 1024 * MIB, tmp_path).cpu_seconds
    assert measure([sys.executable, "-c", WORK], 1024 * MIB, tmp_path).cpu_seconds > idle + 0.1
