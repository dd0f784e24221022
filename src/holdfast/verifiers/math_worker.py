"""Worker process of the math verifier: math-verify behind a pipe, one JSON object per line.

Started as `python -m holdfast.verifiers.math_worker`. It says {"ready": true}, then answers each {"gold", "given"}
with {"stage": "given"} once the gold answer is parsed and {"equal": bool, ...} at the end. Time is the parent's
business (it kills); memory is limited here. math-verify refuses threads, which is why there is a process at all.
"""

import re
import resource
import sys
from typing import Any

import orjson

# Symbolic work on a hostile answer may ask for any amount; importing the library takes about 0.3 GiB of addresses.
MEMORY_LIMIT = 2 << 30

# Constants set upright, which the parser does not know.
_UPRIGHT = re.compile(r"\\(?:mathrm|rm|text)\{([ei])\}")


def main() -> int:
    """Serve until the parent closes the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    try:
        import math_verify  # noqa: PLC0415  # optional extra [verify]; this module is its only user
    except ImportError:
        return _say({"missing": "math-verify"})
    _say({"ready": True})
    for line in sys.stdin.buffer:
        task = orjson.loads(line)
        _say(_compare(math_verify, task["gold"], task["given"]))
    return 0


def _compare(math_verify: Any, gold: str, given: str) -> dict[str, Any]:
    try:
        # No alarms inside: the parent's limit is the only clock.
        golds = _parse(math_verify, gold)
        _say({"stage": "given"})
        givens = _parse(math_verify, given)
        equal = bool(math_verify.verify(golds, givens, timeout_seconds=None))
    except MemoryError:
        return {"equal": False, "fault": "memory"}
    except Exception as error:  # noqa: BLE001  # any failure of the library is reported, and decided by the parent
        return {"equal": False, "fault": f"{type(error).__name__}: {error}"[:200]}
    return {"equal": equal, "gold_parsed": len(golds) > 0, "given_parsed": len(givens) > 0}


def _parse(math_verify: Any, text: str) -> list[Any]:
    r"""Parse a text; nothing when the parser understood only a part of it.

    math-verify 0.9.0 reads `1 - \frac{1}{\mathrm{e}}` as 1 and then accepts `1 + ...` for it. What it took then
    ends inside a brace.
    """
    parsed: list[Any] = math_verify.parse(_UPRIGHT.sub(r"\1", text), parsing_timeout=None)
    strings = [part for part in parsed if isinstance(part, str)]
    return [] if any(part.count("{") != part.count("}") for part in strings) else parsed


def _say(answer: dict[str, Any]) -> int:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
