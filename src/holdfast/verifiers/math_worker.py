"""Worker process of the math verifier: math-verify behind a pipe, one JSON object per line.

Started as `python -m holdfast.verifiers.math_worker`. It answers each {"gold", "given"} with {"stage": "given"} once
the gold answer is parsed and {"equal": bool, ...} at the end. math-verify refuses threads, which is why there is a
process at all.
"""

import re
import sys
from functools import cache, lru_cache
from typing import Any

from holdfast.verifiers.workers import limit_memory, say, serve

# Constants set upright, which the parser does not know.
_UPRIGHT = re.compile(r"\\(?:mathrm|rm|text)\{([ei])\}")
# Many answers come to one question: its gold answer is parsed once.
_KEPT = 512


def main() -> int:
    """Serve until the parent closes the pipe."""
    limit_memory()
    if _library() is None:
        say({"missing": "math-verify"})
        return 0
    return serve(_compare)


@cache
def _library() -> Any:
    try:
        import math_verify  # noqa: PLC0415  # optional extra [verify]; the parent raises MissingExtraError
    except ImportError:
        return None
    return math_verify


def _compare(task: dict[str, Any]) -> dict[str, Any]:
    try:
        # No alarms inside: the parent's limit is the only clock.
        golds = _parse_kept(task["gold"])
        say({"stage": "given"})
        givens = _parse(task["given"])
        equal = bool(_library().verify(golds, givens, timeout_seconds=None))
    except MemoryError:
        return {"equal": False, "fault": "memory"}
    except Exception as error:  # noqa: BLE001  # any failure of the library is reported, and decided by the parent
        return {"equal": False, "fault": f"{type(error).__name__}: {error}"[:200]}
    return {"equal": equal, "gold_parsed": len(golds) > 0, "given_parsed": len(givens) > 0}


def _parse(text: str) -> list[Any]:
    r"""Parse a text; nothing when the parser understood only a part of it.

    math-verify 0.9.0 reads `1 - \frac{1}{\mathrm{e}}` as 1 and then accepts `1 + ...` for it. What it took then
    ends inside a brace.
    """
    parsed: list[Any] = _library().parse(_UPRIGHT.sub(r"\1", text), parsing_timeout=None)
    strings = [part for part in parsed if isinstance(part, str)]
    return [] if any(part.count("{") != part.count("}") for part in strings) else parsed


_parse_kept = lru_cache(_KEPT)(_parse)


if __name__ == "__main__":
    sys.exit(main())
