"""Leak: a stretch of text that must not be in training data, and what is done with it.

Shared by the three finders (`personal`, `secrets`, `hidden`). Masking and redacting live here; finding does not.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from holdfast.core.verdict import Verdict

# How many leaks are listed as evidence of one verdict; the counts by kind are always complete.
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Leak:
    """`text[start:end]` (in characters) is a leak of this kind under this rule."""

    rule: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One kind of leak: a pattern in the syntax that RE2 and Python share, and a check of what it matched.

    `core` has no look-around, so that it can run over whole Arrow columns as a prefilter; `hint` is a cheaper
    prefilter that holds wherever `core` does. `before` and `after` are look-around for Python only. The match is
    group 1 where the pattern has one, else all of it. `accept` gets the matched value and returns how many of its
    characters are the leak; 0 refuses it. One of the `signs` stands in the outline of every text that holds the leak
    (`privacy.outline`).
    """

    kind: str
    core: str
    accept: Callable[[str], int] = len
    before: str = ""
    after: str = ""
    hint: str = ""
    signs: tuple[bytes, ...] = (b"",)

    @property
    def prefilter(self) -> str:
        """RE2 pattern without which no leak of this kind can be there."""
        return self.hint or self.core

    def compiled(self) -> re.Pattern[str]:
        """The whole pattern for Python; word boundaries and classes are ASCII, as they are in RE2."""
        return re.compile(f"{self.before}(?:{self.core}){self.after}", re.ASCII)


Compiled = tuple[tuple[Recogniser, re.Pattern[str]], ...]


def compiled(recognisers: Iterable[Recogniser]) -> Compiled:
    """Return each recogniser with its compiled pattern."""
    return tuple((recogniser, recogniser.compiled()) for recogniser in recognisers)


def spans(recogniser: Recogniser, pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each accepted match, left to right, without overlaps."""
    for match in pattern.finditer(text):
        group = match.lastindex or 0
        length = recogniser.accept(match.group(group))
        if length:
            yield match.start(group), match.start(group) + length


def find(rule: str, recognisers: Compiled, text: str) -> list[Leak]:
    """Return the leaks of `text` by position. Where two kinds overlap, the one listed first in the table wins."""
    found: list[Leak] = []
    for recogniser, pattern in recognisers:
        found.extend(Leak(rule, recogniser.kind, start, end) for start, end in spans(recogniser, pattern, text))
    return without_overlaps(found)


def without_overlaps(leaks: Iterable[Leak]) -> list[Leak]:
    """Return the leaks by position; of two that overlap, the one that came first in `leaks` stays."""
    ranked = sorted(enumerate(leaks), key=lambda pair: (pair[1].start, pair[0]))
    kept: list[tuple[int, Leak]] = []
    for rank, leak in ranked:
        while kept and kept[-1][1].end > leak.start and kept[-1][0] > rank:
            kept.pop()
        if not kept or kept[-1][1].end <= leak.start:
            kept.append((rank, leak))
    return [leak for _, leak in kept]


def masked(value: str) -> str:
    """Return what may be shown of a leak: its first two characters, then ***."""
    return f"{value[:2]}***"


def redact(text: str, leaks: Iterable[Leak]) -> str:
    """Return `text` with each leak replaced by its kind in angle brackets; hidden text is taken out."""
    parts: list[str] = []
    at = 0
    for leak in without_overlaps(leaks):
        parts.append(text[at : leak.start])
        parts.append("" if leak.rule == "hidden-text" else f"<{leak.kind}>")
        at = leak.end
    return "".join([*parts, text[at:]])


def verdict(rule: str, text: str, leaks: list[Leak]) -> Verdict:
    """Return False with counts by kind and masked examples when there are leaks, else True."""
    if not leaks:
        return Verdict(True)
    kinds = dict(sorted(Counter(leak.kind for leak in leaks).items()))
    shown = [
        {"kind": leak.kind, "start": leak.start, "end": leak.end, "excerpt": masked(text[leak.start : leak.end])}
        for leak in leaks[:MOST_SHOWN]
    ]
    return Verdict(False, rule, evidence={"kinds": kinds, "leaks": shown})
