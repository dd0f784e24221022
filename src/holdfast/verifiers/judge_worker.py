"""Worker process of the checks in `judging`: takes tasks, gives verdicts; the parent keeps the time.

Started as `python -m holdfast.verifiers.judge_worker`.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.core.verdict import Verdict
from holdfast.verifiers import regex, schema, sql
from holdfast.verifiers.workers import limit_memory, serve
from holdfast.verifiers.written import Unwritten

JUDGES: Mapping[str, Callable[[Mapping[str, Any]], Verdict]] = {
    "schema": schema.judged,
    "sql": sql.judged,
    "regex": regex.judged,
}
# Recursive schemas follow an answer down; an answer has at most a hundred levels, each a dozen calls.
_DEEPEST_CALLS = 4_000


def main() -> int:
    """Serve until the parent closes the pipe."""
    limit_memory()
    sys.setrecursionlimit(_DEEPEST_CALLS)
    return serve(_answer)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    try:
        verdict = JUDGES[task["check"]](task)
    except Unwritten as wrong:
        return {"ok": False, "reason": wrong.reason, "evidence": {"note": wrong.note}}
    return {"ok": verdict.ok, "reason": verdict.reason, "evidence": dict(verdict.evidence)}


if __name__ == "__main__":
    sys.exit(main())
