"""Threads: results come in the order of the jobs, and few of them exist at once."""

from threading import Lock
from time import sleep

import pytest

from holdfast.dedup.threads import in_order


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_results_come_in_order_and_few_wait(workers: int) -> None:
    """However long a job takes, its result keeps its place, and no more than `workers` jobs run ahead of the reader."""
    lock, started = Lock(), [0]

    def task(job: int) -> int:
        with lock:
            started[0] += 1
        sleep(0.002 if job % 3 else 0.01)
        return job * job

    for taken, result in enumerate(in_order(task, range(20), workers)):
        assert taken * taken == result
        assert started[0] <= taken + 1 + workers


def test_an_error_reaches_the_caller() -> None:
    """What a job raises is raised where its result would be taken."""
    results = in_order(lambda job: 1 // job, [1, 0, 1], 2)
    assert 1 == next(results)
    with pytest.raises(ZeroDivisionError):
        next(results)
