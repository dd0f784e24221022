"""What every script that runs inside a peer's environment shares: the meter, the reader, the definition of a word.

Only the standard library, and pyarrow where texts are read: an environment holds its peer and little else.
"""

import json
import re
import resource
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The words that all who are fed from Python are given: runs of letters and digits of any script, folded.
WORD = re.compile(r"[^\W_]+")


class Meter:
    """Wall and CPU seconds of the operation alone: imports and reading of the input stand outside."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.steps: dict[str, float] = {}

    @contextmanager
    def running(self, step: str = "") -> Iterator[None]:
        """Count what happens inside, children that ended included; several times adds up."""
        start, before = time.monotonic(), cpu_seconds()
        yield
        spent = cpu_seconds() - before
        self.wall += time.monotonic() - start
        self.cpu += spent
        if step:
            self.steps[step] = round(self.steps.get(step, 0.0) + spent, 3)

    def tell(self, **answer: Any) -> None:
        """Print the figures as the last line of the output."""
        operation = {"wall_seconds": round(self.wall, 4), "cpu_seconds": round(self.cpu, 4), "steps": self.steps}
        print("\n" + json.dumps({"operation": operation, "answer": answer}))


def cpu_seconds() -> float:
    """Return user and system seconds of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def arguments() -> tuple[Path, Path, list[str]]:
    """Return the input, the folder for files of the answer, and whatever else was given."""
    return Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]


def texts(path: Path) -> list[str]:
    """Return the texts of a Parquet file as Python strings."""
    from pyarrow import parquet  # noqa: PLC0415 - some environments have no pyarrow and read the file themselves

    found: list[str] = parquet.read_table(path, columns=["text"])["text"].to_pylist()
    return found


def questions(path: Path) -> list[str]:
    """Return the held-out questions beside a corpus."""
    found: list[str] = json.loads(path.with_name("questions.json").read_text("utf-8"))
    return found


def words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return WORD.findall(text.lower())


def shingles(text: str, size: int) -> list[str]:
    """Return the runs of `size` words; the whole of a shorter text."""
    found = words(text)
    return [" ".join(found[start : start + size]) for start in range(max(1, len(found) - size + 1))]


def components(groups: Iterator[list[int]], size: int) -> "array[int]":
    """Return for each document the smallest number of its cluster, from groups of documents that belong together."""
    parent = array("q", range(size))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for group in groups:
        first = root(group[0])
        for other in group[1:]:
            second = root(other)
            low, high = min(first, second), max(first, second)
            parent[high] = first = low
    return array("q", map(root, range(size)))


def keep(labels: "array[int]", folder: Path) -> int:
    """Write the cluster of each document for the judge; return how many documents a cluster has beyond its first."""
    with (folder / "labels.bin").open("wb") as file:
        labels.tofile(file)
    return sum(label != number for number, label in enumerate(labels))


def flag(numbers: list[int], folder: Path) -> int:
    """Write the numbers of the flagged documents for the judge; return how many."""
    with (folder / "flagged.bin").open("wb") as file:
        array("q", numbers).tofile(file)
    return len(numbers)
