"""Which program a response holds, and which of its names the tests mean.

Nothing here parses the response: whether a text is a program is found out in the sandbox.
"""

import builtins
import re
from collections.abc import Sequence

# A program longer than this is not one that a test can judge; it bounds what is copied and compiled.
LONGEST = 1 << 20

_THOUGHT = re.compile(r"\A.*</think>", re.DOTALL)
_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_PYTHON = ("python", "py", "python3", "")
_DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+([^\W\d]\w*)", re.MULTILINE)


def defined(program: str) -> list[str]:
    """Return the functions and classes that a program defines at its left margin, in order."""
    return _DEFINED.findall(program)


def sources(prompt: str, response: str, entry: str) -> list[str]:
    """Return the programs that a response may mean, most likely first; the first that compiles is meant.

    A response is fenced or bare. One that is only the body of a function, or leaves out what its prompt imports and
    defines, is read after its prompt (HumanEval's convention).
    """
    program = _unfenced(response[-LONGEST - 1 :], entry).replace("\r\n", "\n")
    header = _unfenced(prompt, entry).replace("\r\n", "\n") if prompt else ""
    if entry and entry in defined(header):
        if entry not in defined(program):
            return [f"{header.rstrip()}\n{_body(program)}\n", program]
        return [f"{header.rstrip()}\n    pass\n\n\n{program}", program]
    return [program]


def _unfenced(text: str, entry: str) -> str:
    """Return the last Python block that defines the entry point, else the longest, else the text itself."""
    text = _THOUGHT.sub("", text)
    blocks = [body for language, body in _FENCE.findall(text) if language.lower() in _PYTHON]
    if not blocks:
        return text
    right = [body for body in blocks if entry and entry in defined(body)]
    return str(right[-1] if right else max(blocks, key=len))


def _body(program: str) -> str:
    """Return the lines of a body, set in if they stand at the margin."""
    lines = program.strip("\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    return "\n".join(lines) if first[:1] in (" ", "\t") else "\n".join(f"    {line}" for line in lines)


def entry_point(named: str | None, called: Sequence[str], program: str) -> str:
    """Return the name under test: the one given, else the first that the tests call and the program defines.

    The name of a built-in counts only where no other comes into question; without calls it is the last definition.
    """
    if named:
        return named
    own = defined(program)
    choices = [name for name in called if not hasattr(builtins, name)] or list(called)
    return next((name for name in choices if name in own), (choices or own[-1:] or [""])[0])
