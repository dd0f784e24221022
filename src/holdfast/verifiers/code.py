"""Code check: does the program in a response pass the tests that the record carries?

The program runs in the sandbox on the inputs alone and returns plain data; whether the data is right is decided here,
outside. Tests that cannot be taken apart like that run in a sandbox of their own and call the program there; their
verdicts say `judged`. A verdict says which layers of the sandbox held and how many cases it rests on; it does not say
that the tests are good (`code_strength`).
"""

import atexit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers import code_outcome, code_plan, code_program, code_stdio, code_tests
from holdfast.verifiers.code_lift import UntranslatableError
from holdfast.verifiers.code_outcome import by_output, by_script, by_values
from holdfast.verifiers.sandbox.limits import DEFAULT, Limits
from holdfast.verifiers.sandbox.pool import Job, Pool, Ran
from holdfast.verifiers.sandbox.worker import NoSandboxError

VERSION = "1"
_TALK = 1 << 16
REASONS = code_outcome.REASONS

Judge = Callable[[list[list[Ran]]], Verdict | None]


@dataclass(frozen=True, slots=True)
class _Work:
    """What to run for one record, and how to read what came of it; None means that the next work must decide."""

    jobs: list[Job]
    judge: Judge


@dataclass(slots=True)
class CodeCheck:
    """The check as a callable, with its version and its form for many records at once.

    `unsafe` runs programs also where the sandbox is missing; every verdict then says `sandbox: none`.
    """

    limits: Limits = DEFAULT
    unsafe: bool = False
    version: str = VERSION
    pools: dict[bool, Pool] = field(default_factory=dict)

    def __call__(self, record: Record) -> Verdict:
        """Judge one record: right or wrong by its tests, undecided without any."""
        return self.batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many records, two ways at most each; verdicts in their order."""
        verdicts: dict[int, Verdict] = {}
        plans: dict[int, list[_Work]] = {}
        for number, record in enumerate(records):
            planned = _plan(record, self.limits)
            if isinstance(planned, Verdict):
                verdicts[number] = planned
            else:
                plans[number] = planned
        while waiting := [number for number in plans if number not in verdicts]:
            verdicts |= self._round({number: plans[number].pop(0) for number in waiting})
        return [verdicts[number] for number in range(len(records))]

    def _round(self, works: Mapping[int, _Work]) -> dict[int, Verdict]:
        """Run one work of each record; verdicts of those that it decides."""
        jobs = [(number, job) for number, work in works.items() for job in work.jobs]
        try:
            layers = _named(self.pool().layers())
        except NoSandboxError as error:
            nowhere = Verdict(None, "no-sandbox", evidence={"missing": list(error.missing), "supply": error.remedy})
            return dict.fromkeys(works, nowhere)
        decided: dict[int, Verdict] = {}
        parts: dict[int, dict[int, list[Ran]]] = {number: {} for number in works}
        for at, ran in self.pool().stream([job for _, job in jobs]):
            number = jobs[at][0]
            parts[number][at] = ran
            if len(parts[number]) == len(works[number].jobs):
                # Judged as soon as it is complete, so that what programs return is not kept for the whole batch.
                verdict = works[number].judge([each for _, each in sorted(parts.pop(number).items())])
                if verdict is not None:
                    evidence = {**verdict.evidence, "sandbox": layers}
                    decided[number] = Verdict(verdict.ok, verdict.reason, evidence=evidence)
        return decided

    def pool(self) -> Pool:
        """The warm processes, started on first use."""
        if self.unsafe not in self.pools:
            self.pools[self.unsafe] = Pool(unsafe=self.unsafe)
        return self.pools[self.unsafe]

    def close(self) -> None:
        """End the warm processes; the next record starts them again."""
        for pool in self.pools.values():
            pool.close()


check = CodeCheck()
atexit.register(check.close)


def applies(record: Record) -> bool:
    """True when a record is code by its data: it carries tests, or inputs and outputs of a program."""
    try:
        tests = code_tests.read_tests(record.fields)
    except SyntaxError:
        # Broken tests are told as such, and not as if there were none; prose in a column of that name is no test.
        return "entry_point" in record.fields or "assert" in str(
            [record.fields.get(name) for name in code_tests.TEST_FIELDS]
        )
    return (tests is not None and code_tests.asserts(tests.tree)) or code_stdio.read_problem(record.fields) is not None


def batch(records: Sequence[Record]) -> list[Verdict]:
    """Judge many records; verdicts in their order."""
    return check.batch(records)


def close() -> None:
    """End the warm processes; the next record starts them again."""
    check.close()


def _named(layers: Mapping[str, Any]) -> str:
    names = {
        "limits": True,
        f"landlock-{layers['landlock']}": layers["landlock"],
        "seccomp": layers["seccomp"],
        "namespaces": layers["namespaces"],
    }
    return "+".join(name for name, holds in names.items() if holds) if layers["seccomp"] else "none"


def _plan(record: Record, limits: Limits) -> Verdict | list[_Work]:
    """Return the works that decide a record, each used where the one before it could not, or the verdict."""
    try:
        tests = code_tests.read_tests(record.fields)
    except SyntaxError as error:
        return Verdict(None, "bad-tests", evidence={"error": str(error)[:300]})
    if len(record.response) > code_program.LONGEST:
        return Verdict(
            False, "did-not-run", evidence={"error": f"a program of more than {code_program.LONGEST} characters"}
        )
    if tests is not None:
        return _by_tests(record, tests, limits) if code_tests.asserts(tests.tree) else Verdict(None, "no-tests")
    problem = code_stdio.read_problem(record.fields)
    return Verdict(None, "no-tests") if problem is None else [_by_problem(record, problem, limits)]


def _by_tests(record: Record, tests: code_tests.Script, limits: Limits) -> list[_Work]:
    entry, sources = _program(record, tests)
    script = {"script": f"{tests.setup}\n{tests.script}", "entry": entry, "check": code_tests.unchecked(tests.tree)}
    judged = _Work([Job({"sources": sources}, script, limits)], lambda ran: by_script(*ran[0]))
    try:
        plan = code_plan.translate(tests, entry)
    except UntranslatableError:
        return [judged]
    program = {"sources": sources, "setup": plan.setup, "calls": plan.calls}
    return [_Work([Job(program, limits=limits)], lambda ran: by_values(plan, ran[0][0])), judged]


def sources_of(record: Record) -> list[str]:
    """Return the programs that a record's response may mean; the first that compiles is meant."""
    tests = code_tests.read_tests(record.fields)
    return _program(record, tests)[1] if tests else code_program.sources("", record.response, "")


def _program(record: Record, tests: code_tests.Script) -> tuple[str, list[str]]:
    bare = code_program.sources("", record.response, "")[0]
    entry = code_program.entry_point(tests.entry, code_tests.called(tests.tree), bare)
    return entry, code_program.sources(record.prompt, record.response, entry)


def _by_problem(record: Record, problem: code_stdio.Problem, limits: Limits) -> _Work:
    sources = code_program.sources("", record.response, problem.function)
    if problem.function:
        called = f"({problem.function} if {problem.function!r} in globals() else Solution().{problem.function})(*given)"
        plan = code_plan.given_results(called, problem.cases, code_stdio.same_result)
        return _Work(
            [Job({"sources": sources, "calls": plan.calls}, limits=limits)], lambda ran: by_values(plan, ran[0][0])
        )
    # Of what it prints no more is kept than could be right, with room for talk; there may be hundreds of cases.
    roomy = replace(limits, output=_TALK + 4 * max(len(output) for _, output in problem.cases))
    jobs = [Job({"sources": sources, "main": True, "stdin": given}, limits=roomy) for given, _ in problem.cases]
    return _Work(jobs, lambda ran: by_output(problem, [each[0] for each in ran]))
