"""How much a pass is worth: the code check once more, with the strength of the tests measured.

Of a program that passes, one-point mutants are run against the same tests; those that fail are killed. Then the tests
run again in another order and under other hash seeds. Some mutants compute the same as the program, so that even
perfect tests need not kill all: a low score is a sign of weak tests, a high one of strong ones.
"""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers import code, code_examples
from holdfast.verifiers.code import CodeCheck
from holdfast.verifiers.code_tests import TEST_FIELDS
from holdfast.verifiers.sandbox import plain
from holdfast.verifiers.sandbox.limits import Limits
from holdfast.verifiers.sandbox.pool import Job, Pool

REASONS = code.REASONS
# It accepts and refuses what the code check does; a few of those show it.
ACCEPTS = code_examples.ACCEPTS[:3]
REFUSES = {name: code_examples.REFUSES[name] for name in ("wrong", "right for one case", "raises")}

# Of a handful of mutants, tests that let half of them pass are called weak: our choice, there is no standard.
WEAK = 0.5
_SEEDS = (1, 2)
# A mutant that never ends is killed all the same; it need not be given as long as the program.
_MUTANT_LIMITS = Limits(cpu_seconds=2, wall_seconds=30.0)


@dataclass(slots=True)
class StrengthCheck:
    """The code check with mutation score and repetition; about `mutants` + 2 further runs per passing record."""

    mutants: int = 8
    version: str = code.VERSION
    unsafe: bool = False
    checks: list[CodeCheck] = field(default_factory=list)

    def __call__(self, record: Record) -> Verdict:
        """Judge one record and its tests."""
        return self.batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many records and their tests; verdicts in their order."""
        first, *again, quick = self._checks()
        verdicts = first.batch(records)
        passed = [number for number, verdict in enumerate(verdicts) if verdict.ok]
        repeats = [check.batch([_reordered(records[number]) for number in passed]) for check in again]
        scores = self._scores([records[number] for number in passed], first, quick)
        for at, number in enumerate(passed):
            verdicts[number] = _judged(verdicts[number], [each[at] for each in repeats], *scores[at])
        return verdicts

    def close(self) -> None:
        """End the warm processes; the next record starts them again."""
        for check in self.checks:
            check.close()

    def _checks(self) -> list[CodeCheck]:
        """One as usual, one per further hash seed, one for mutants."""
        if not self.checks:
            pools = [{self.unsafe: Pool(unsafe=self.unsafe, hash_seed=seed)} for seed in (0, *_SEEDS)]
            self.checks = [CodeCheck(unsafe=self.unsafe, pools=pool) for pool in pools]
            self.checks.append(CodeCheck(_MUTANT_LIMITS, self.unsafe, pools=pools[0]))
        return self.checks

    def _scores(self, records: Sequence[Record], check: CodeCheck, quick: CodeCheck) -> list[tuple[int, list[str]]]:
        """Return for each record how many mutants were made, and what was changed in those that still pass."""
        jobs = [Job({"sources": code.sources_of(record), "most": self.mutants}, role="mutants") for record in records]
        made = [[plain.loads(line) for line in ran[0].lines()] for ran in check.pool().run(jobs)]
        changed = [
            replace(record, prompt="", response=each["mutant"])
            for record, group in zip(records, made, strict=True)
            for each in group
        ]
        verdicts = iter(quick.batch(changed))
        return [(len(group), [each["what"] for each in group if next(verdicts).ok]) for group in made]


check = StrengthCheck()
atexit.register(check.close)


def batch(records: Sequence[Record]) -> list[Verdict]:
    """Judge many records and their tests; verdicts in their order."""
    return check.batch(records)


def close() -> None:
    """End the warm processes; the next record starts them again."""
    check.close()


def _reordered(record: Record) -> Record:
    """The same record with its assertions the other way round, where they stand in a list."""
    lists = {name: value[::-1] for name in TEST_FIELDS if isinstance(value := record.fields.get(name), list)}
    alone = all(
        line.lstrip().startswith("assert") for lines in lists.values() for line in lines if isinstance(line, str)
    )
    return replace(record, fields={**record.fields, **lists}) if alone else record


def _judged(verdict: Verdict, repeats: Sequence[Verdict], made: int, survived: Sequence[str]) -> Verdict:
    """The verdict with what was found out about its tests; one that does not come out again is none."""
    killed = made - len(survived)
    evidence: dict[str, Any] = {**verdict.evidence, "mutants": made, "killed": killed, "repeats": len(repeats)}
    if different := next((each for each in repeats if each.ok is not True), None):
        return Verdict(None, "flaky", evidence={**evidence, "again": different.reason})
    if made and killed / made < WEAK:
        evidence["weak"] = f"{len(survived)} of {made} mutants pass, as {survived[0]}"
    return Verdict(True, verdict.reason, score=killed / made if made else None, evidence=evidence)
