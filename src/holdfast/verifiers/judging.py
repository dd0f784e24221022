"""Checks whose judgement may be made endless: what is cheap is decided here, the rest in worker processes.

All such checks share one pool of workers (`judge_worker`), so that a machine runs as many as it has cores.
"""

import atexit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.workers import Outcome, Pool
from holdfast.verifiers.written import Unwritten

# Seconds for one answer; one that is not hostile takes a thousandth.
LIMIT = 5.0

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkerCheck:
    """A check as a callable, with its version and its form for many records at once.

    `prepare` returns a verdict where it costs little, else the task for a worker; `name` says which judge takes it.
    Where `blames` is true a task that does not end in its time, or takes all memory, is the candidate's fault, once its
    worker said that the candidate is running; otherwise it is undecided.
    """

    name: str
    prepare: Callable[[Record], Verdict | Task]
    version: str
    blames: bool = False

    def __call__(self, record: Record) -> Verdict:
        """Judge one record."""
        return self.batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many records, those that need it in parallel; verdicts in their order."""
        prepared = [self._prepared(record) for record in records]
        tasks = [{"check": self.name, **task} for task in prepared if not isinstance(task, Verdict)]
        judged = map(self._verdict, _pool().run(tasks) if tasks else [])
        return [each if isinstance(each, Verdict) else next(judged) for each in prepared]

    def _prepared(self, record: Record) -> Verdict | Task:
        try:
            return self.prepare(record)
        except Unwritten as wrong:
            return Verdict(False, wrong.reason, evidence={"note": wrong.note} if wrong.note else {})

    def _verdict(self, outcome: Outcome) -> Verdict:
        if outcome.fate != "answered":
            ok = False if self.blames and outcome.stage == "candidate" else None
            return Verdict(ok, "timeout" if outcome.fate == "timeout" else "memory", evidence={"limit_seconds": LIMIT})
        answer = outcome.answer
        if "fault" in answer:
            ok = False if self.blames and outcome.stage == "candidate" else None
            return Verdict(ok, "memory") if answer["fault"] == "memory" else Verdict(None, "fault", evidence=answer)
        return Verdict(answer["ok"], answer["reason"], evidence=answer["evidence"])


def close() -> None:
    """End the worker processes; the next task starts them again."""
    _pool().close()


@cache
def _pool() -> Pool:
    pool = Pool("holdfast.verifiers.judge_worker", LIMIT)
    atexit.register(pool.close)
    return pool
