"""Comparison of mathematical expressions by math-verify, each under a hard time limit in a worker process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.verifiers.workers import Outcome, Pool

Fate = Literal["equal", "different", "unreadable-gold", "timeout", "memory", "fault"]

# Ten seconds are a thousand times what a comparison takes in the middle (bench/results/verifiers.json).
LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one comparison. `by_gold` says that the reference answer was at fault, not the given one."""

    fate: Fate
    by_gold: bool = False
    detail: str = ""


def math_pool() -> Pool:
    """Return a pool of workers that compare expressions; none is started yet."""
    return Pool("holdfast.verifiers.math_worker", LIMIT, extra=("math-verify", "verify"))


def compare(pool: Pool, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
    """Compare each (gold, given) pair; results in the same order. A pair that repeats is compared once.

    Raises `MissingExtraError` without math-verify and `MachineError` when no worker starts.
    """
    distinct = list(dict.fromkeys(pairs))
    outcomes = pool.run([{"gold": gold, "given": given} for gold, given in distinct])
    found = {pair: _compared(outcome) for pair, outcome in zip(distinct, outcomes, strict=True)}
    return [found[pair] for pair in pairs]


def _compared(outcome: Outcome) -> Compared:
    by_gold = outcome.stage == ""
    if outcome.fate != "answered":
        return Compared("timeout" if outcome.fate == "timeout" else "memory", by_gold)
    answer = outcome.answer
    if "fault" in answer:
        return Compared("memory" if answer["fault"] == "memory" else "fault", by_gold, answer["fault"])
    if not answer["gold_parsed"]:
        return Compared("unreadable-gold", by_gold=True)
    return Compared("equal" if answer["equal"] else "different", detail="" if answer["given_parsed"] else "unread")
