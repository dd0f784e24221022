"""From what came out of the sandbox to a verdict: the reasons, and the comparison of answers with the tests.

Nothing a program says counts for it but the answers themselves: neither how it ended nor what it printed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.core.verdict import Verdict
from holdfast.verifiers.code_plan import Case, Plan
from holdfast.verifiers.code_stdio import Problem, same_output
from holdfast.verifiers.code_values import UnknownError
from holdfast.verifiers.sandbox import plain
from holdfast.verifiers.sandbox.pool import Ran

REASONS = (
    "correct", "wrong-answer", "raised", "did-not-run", "timeout", "memory", "output-limit", "crashed",  # decided
    "no-tests", "bad-tests", "flaky", "no-sandbox", "fault",  # undecided
)  # fmt: skip
_TEXT = 200
_NOT_A_PROGRAM = ("SyntaxError", "IndentationError", "TabError", "ImportError", "ModuleNotFoundError")


class _UndecidedError(Exception):
    """This way of judging cannot tell; the next one must."""


def by_values(plan: Plan, ran: Ran) -> Verdict | None:
    """Judge the answers of a program, outside; None when only the script itself can judge them."""
    said = _said(ran)
    if failed := _flooded(ran) or _not_loaded(said, ran, plan.entry):
        return failed
    answers = said[1:]
    if not plan.final and any("odd" in answer or answer.get("changed") for answer in answers):
        return None
    passed, first = 0, None
    try:
        for case in plan.cases:
            failed = _case(case, answers, ran)
            passed += failed is None
            first = first or failed
    except _UndecidedError:
        return None
    counts = {"mode": "values", "cases": len(plan.cases), "passed": passed}
    if first is not None:
        return Verdict(False, first.reason, evidence={**counts, **first.evidence})
    return Verdict(True, "correct", evidence={**counts, **_weakness(answers)})


def by_script(program: Ran, script: Ran) -> Verdict:
    """Judge by what a test script said, which ran in a sandbox of its own."""
    said = _said(script)
    outcome = said[0] if said and isinstance(said[0].get("outcome"), str) else {"outcome": "gone", "text": ""}
    verdict = _flooded(program) or _outcome(outcome, program, script)
    return Verdict(verdict.ok, verdict.reason, evidence={"mode": "judged", **verdict.evidence})


def by_output(problem: Problem, runs: Sequence[Ran]) -> Verdict:
    """Judge what a program printed for each input."""
    passed, first = 0, None
    for (given, wanted), ran in zip(problem.cases, runs, strict=True):
        failed = _printed(given, wanted, ran)
        passed += failed is None
        first = first or failed
    counts = {"mode": "output", "cases": len(runs), "passed": passed}
    if first is None:
        return Verdict(
            True, "correct", evidence={**counts, **_weakness([{"value": ran.output.split()} for ran in runs])}
        )
    return Verdict(first.ok, first.reason, evidence={**counts, **first.evidence})


def _said(ran: Ran) -> list[dict[str, Any]]:
    """The lines that are what they should be, up to the first that is not."""
    found: list[dict[str, Any]] = []
    for line in ran.lines():
        try:
            form = plain.loads(line)
        except plain.NotPlainError:
            break
        if not isinstance(form, dict):
            break
        found.append(form)
    return found


def _not_loaded(said: Sequence[Mapping[str, Any]], ran: Ran, entry: str) -> Verdict | None:
    if not said or "load" not in said[0]:
        return _ended(ran, "did-not-run", "it left while it was being loaded")
    if said[0]["load"] is not None:
        return _raised(said[0]["load"], "did-not-run")
    names = said[0].get("names")
    if entry and not (isinstance(names, dict) and entry in names):
        return Verdict(False, "did-not-run", evidence={"error": f"it does not define {entry}"})
    return None


def _case(case: Case, answers: Sequence[Mapping[str, Any]], ran: Ran) -> Verdict | None:
    """None when the case holds. Raises `_UndecidedError` for a comparison that is not known here."""
    values: dict[str, Any] = {}
    at = {"case": case.text}
    for number in case.calls:
        answer = answers[number] if number < len(answers) else None
        if answer is None:
            return _with(_ended(ran, "crashed", "it left before it answered"), at)
        if "raised" in answer:
            known = answer["raised"] if isinstance(answer["raised"], list) else []
            return None if set(case.raises) & set(map(str, known)) else _with(_raised(answer, "raised"), at)
        try:
            values[f"?{number}"] = plain.decode(answer["value"])
        except (plain.NotPlainError, LookupError):
            return Verdict(
                False, "wrong-answer", evidence={**at, "answer": str(answer.get("odd", "no plain data"))[:_TEXT]}
            )
    return None if _holds(case, values) else Verdict(False, "wrong-answer", evidence={**at, "answer": _shown(values)})


def _holds(case: Case, values: Mapping[str, Any]) -> bool:
    try:
        return case.holds(values)
    except UnknownError as error:
        raise _UndecidedError from error
    except Exception:  # noqa: BLE001  # an assertion that raises on an answer does not hold of it
        return False


def _outcome(said: Mapping[str, Any], program: Ran, script: Ran) -> Verdict:
    """The verdict of a test script, or what kept it from giving one."""
    outcome, text = said["outcome"], str(said.get("text", ""))
    if outcome == "passed" and not said.get("used"):
        return Verdict(None, "no-tests", evidence={"error": "the test script never uses the program"})
    if outcome == "passed":
        return Verdict(True, "correct")
    evidence = {"error": text[:_TEXT]}
    if outcome in ("failed", "raised"):
        memory = outcome == "raised" and text.startswith("MemoryError")
        return Verdict(
            False, "memory" if memory else "raised" if outcome == "raised" else "wrong-answer", evidence=evidence
        )
    if outcome == "unloaded":
        return Verdict(False, "memory" if text.startswith("MemoryError") else "did-not-run", evidence=evidence)
    if outcome == "broken":
        return _broken(text)
    if program.fate == "ended" and script.fate not in ("ended", "crashed"):
        return Verdict(None, "fault", evidence={"error": f"the test script: {script.fate}"})
    return _ended(program, "crashed", "it left before it answered")


def _broken(text: str) -> Verdict:
    """A script that stumbles: over a name or module that nobody has, or over an answer it did not foresee."""
    evidence = {"error": text[:_TEXT]}
    if text.startswith(("ImportError", "ModuleNotFoundError")):
        return Verdict(None, "bad-tests", evidence=evidence)
    if text.startswith("LookupError: no test ran"):
        return Verdict(None, "no-tests", evidence=evidence)
    return Verdict(False, "did-not-run" if text.startswith("NameError") else "raised", evidence=evidence)


def _printed(given: str, wanted: str, ran: Ran) -> Verdict | None:
    said = _said(ran)
    at = {"case": f"input {given!r}"[:_TEXT]}
    if ran.fate != "ended":
        return _with(_ended(ran, "crashed", ""), at)
    if said and said[0].get("load") is not None:
        kinds = said[0]["load"].get("raised") if isinstance(said[0]["load"], dict) else None
        unread = isinstance(kinds, list) and kinds[:1] and kinds[0] in _NOT_A_PROGRAM
        return _with(_raised(said[0]["load"], "did-not-run" if unread else "raised"), at)
    if same_output(wanted, ran.output):
        return None
    return Verdict(False, "wrong-answer", evidence={**at, "answer": ran.output[:_TEXT].decode("utf-8", "replace")})


def _flooded(ran: Ran) -> Verdict | None:
    """What overran its limit is not looked at any further."""
    return Verdict(False, "output-limit") if ran.fate == "output-limit" else None


def _ended(ran: Ran, reason: str, note: str) -> Verdict:
    """The verdict on a program that ended too soon: by the limit it met, else by `reason`."""
    if ran.fate == "fault":
        return Verdict(None, "fault", evidence={"error": "the sandbox's process died twice"})
    if ran.fate == "crashed":
        return Verdict(False, "crashed", evidence={"error": f"signal {-ran.code}"})
    return Verdict(False, reason, evidence={"error": note}) if ran.fate == "ended" else Verdict(False, ran.fate)


def _raised(answer: Any, reason: str) -> Verdict:
    kinds = answer.get("raised") if isinstance(answer, dict) else None
    kind = str(kinds[0]) if isinstance(kinds, list) and kinds else "an exception"
    text = answer.get("text", "") if isinstance(answer, dict) else ""
    return Verdict(False, "memory" if kind == "MemoryError" else reason, evidence={"error": f"{kind}: {text}"[:_TEXT]})


def _with(verdict: Verdict, more: Mapping[str, Any]) -> Verdict:
    return Verdict(verdict.ok, verdict.reason, evidence={**more, **verdict.evidence})


def _shown(values: Mapping[str, Any]) -> str:
    try:
        return ", ".join(repr(value)[:_TEXT] for value in values.values())[:_TEXT].encode("utf-8", "replace").decode()
    except ValueError:
        return "a number of more digits than Python prints"


def _weakness(answers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What can be said of the tests without running anything more: whether a constant would pass them."""
    different = {repr(answer.get("value"))[:10_000] for answer in answers}
    return {"weak": "every case has the same answer: a constant passes"} if len(different) == 1 else {}
