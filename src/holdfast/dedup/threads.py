"""Threads for work that spends its time in compiled code: numpy, Arrow and the kernels let others run meanwhile."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(task: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Yield task(job) for every job, in order; at most `workers` results are under way or wait to be taken."""
    if workers == 1:
        yield from map(task, jobs)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for job in jobs:
            if len(waiting) == workers:
                yield waiting.popleft().result()
            waiting.append(pool.submit(task, job))
        while waiting:
            yield waiting.popleft().result()
