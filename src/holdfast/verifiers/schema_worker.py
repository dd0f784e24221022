"""Worker process of the schema check: judges texts by schemas that an answer could make expensive.

Started as `python -m holdfast.verifiers.schema_worker`; the parent keeps the time.
"""

import sys
from typing import Any

from holdfast.verifiers.schema import Task, judged
from holdfast.verifiers.workers import limit_memory, serve

# Recursive schemas follow an answer down; an answer has at most a hundred levels, each a dozen calls.
_DEEPEST_CALLS = 4_000


def main() -> int:
    """Serve until the parent closes the pipe."""
    limit_memory()
    sys.setrecursionlimit(_DEEPEST_CALLS)
    return serve(_answer)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    verdict = judged(Task(**task))
    return {"ok": verdict.ok, "reason": verdict.reason, "evidence": dict(verdict.evidence)}


if __name__ == "__main__":
    sys.exit(main())
