"""What a response writes down: the one block of JSON, XML, YAML, CSV, SQL or the one pattern it answers with.

A response is the answer itself, or holds it in one fenced block with words around it. Two blocks are two answers, and
an answer in the middle of prose without a fence is not looked for: what is read later by a program must be found by it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict

# Longer than any answer a model gives at once (about 250,000 tokens); reading no more bounds time and memory.
LONGEST = 1_000_000

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})[ \t]*([A-Za-z0-9+#_-]*)")


class Unwritten(Exception):  # noqa: N818  # a verdict on its way, not a failure of ours
    """What a response writes is no right answer; `reason` is the verdict's, `note` its evidence."""

    def __init__(self, reason: str, note: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.note = note


@dataclass(frozen=True, slots=True)
class TextCheck:
    """A check of what a response writes down, as a callable with its version.

    `judge` returns evidence or raises `Unwritten` with the reason why the answer is wrong.
    """

    judge: Callable[[Record], Verdict]
    version: str

    def __call__(self, record: Record) -> Verdict:
        """Judge one record."""
        try:
            return self.judge(record)
        except Unwritten as wrong:
            return Verdict(False, wrong.reason, evidence={"note": wrong.note} if wrong.note else {})


def written(response: str, languages: tuple[str, ...]) -> str:
    """Return the answer of a response: its one fenced block in one of `languages` or in none, else the whole text.

    Raises `Unwritten` for an empty response, for more than one such block, for more than `LONGEST` characters, and for
    text that no encoding carries.
    """
    if len(response) > LONGEST:
        raise Unwritten("too-large", f"{len(response):,} characters, at most {LONGEST:,} are read")
    try:
        response.encode()
    except UnicodeEncodeError as error:
        raise Unwritten("not-unicode", f"half a character (a lone surrogate) at {error.start + 1}") from None
    text = _THOUGHT.sub("", response, count=1) if "<think>" in response else response
    if not text.strip():
        raise Unwritten("no-answer")
    blocks = list(_blocks(text)) if "```" in text or "~~~" in text else []
    for wanted in (languages, ("",)):
        found = [body for language, body in blocks if language in wanted]
        if len(found) > 1:
            raise Unwritten("several-answers", f"{len(found)} fenced blocks")
        if found:
            return found[0]
    return text


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield (language, body) of each fenced block; one that never closes ends with the text."""
    fence, language = "", ""
    body: list[str] = []
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        if not fence and match:
            fence, language, body = match[1], match[2].lower(), []
        elif fence and match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
            yield language, "".join(body)
            fence = ""
        else:
            body.append(line)
    if fence:
        yield language, "".join(body)


def wanted_format(fields: Mapping[str, Any]) -> str:
    """Return the format a record asks for by name ("xml", "yaml", ...), or ''."""
    for name in ("output_format", "response_format"):
        value = fields.get(name)
        value = value.get("type") if isinstance(value, dict) else value
        if isinstance(value, str):
            return value.strip().lower()
    return ""


def listed(fields: Mapping[str, Any], *names: str) -> list[str] | None:
    """Return the first of the named columns that holds a list of strings, or None."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
    return None
