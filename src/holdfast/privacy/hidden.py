"""Hidden text: characters that people do not see and models read.

Zero-width characters, direction controls, tag characters, variation selectors and invisible separators, where no
script needs them. Legitimate use stays: joiners inside emoji and in Arabic, Indic and other joining scripts, flags
of regions, direction marks in text that has right-to-left letters, a byte order mark at the start, a break
opportunity beside a space, in Thai, Khmer or CJK. Look-alike letters and comments of markup: `disguised`.
"""

import re
import unicodedata
from collections.abc import Iterator

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.privacy.leaks import Leak, verdict

RULE = "hidden-text"

_BIDI = "\u202a-\u202e\u2066-\u2069"
_MARKS = "\u200e\u200f\u061c"
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINERS = "\u200c\u200d"
_SEPARATORS = "\u200b\u2060-\u2064\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0"
_FORBIDDEN = "\u206a-\u206f\ufff9-\ufffb"

# RE2 and Python both read it. Without one of these characters nothing is hidden.
PREFILTER = f"[{_BIDI}{_MARKS}{_TAGS}{_SELECTORS}{_JOINERS}{_SEPARATORS}{_FORBIDDEN}]"

_TWO_SELECTORS = re.compile(f"[{_SELECTORS}]{{2}}")
_RUN = re.compile(PREFILTER + "+")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Scripts whose spelling uses the joiners (Unicode Standard 16, section 23.2 and the script chapters).
_JOINING = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]")
# Scripts written without spaces, where a zero-width space marks where a line may break.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uff00-\uffef]")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f")
_TAG = re.compile(f"[{_TAGS}]")
_SELECTOR = re.compile(f"[{_SELECTORS}]")
_DIRECTION = re.compile(f"[{_BIDI}]")
_NEVER = re.compile(f"[{_FORBIDDEN}\u202d\u202e]")
_KINDS = (
    ("tag-characters", _TAG),
    ("bidi-control", re.compile(f"[{_BIDI}{_MARKS}]")),
    ("invisible-separator", re.compile(f"[{_FORBIDDEN}\u2061-\u2064\u180e\u034f\u115f\u1160\u3164\uffa0]")),
    ("variation-selectors", _SELECTOR),
)


def hidden_text(text: str) -> list[Leak]:
    """Return the runs of invisible characters that no legitimate use explains, by position."""
    return list(runs(text))


def runs(text: str) -> Iterator[Leak]:
    """Yield what `hidden_text` returns, one by one."""
    rtl: bool | None = None
    for run in _RUN.finditer(text):
        rtl = _RTL.search(text) is not None if rtl is None else rtl
        if not _legitimate(text, run.start(), run.end(), rtl):
            yield Leak(RULE, _kind(run.group()), run.start(), run.end())


def shown(run: str) -> str:
    """Return invisible characters as their code points, the first eight of them."""
    points = " ".join(f"U+{ord(char):04X}" for char in run[:8])
    return points if len(run) <= 8 else f"{points} and {len(run) - 8} more"


def check(record: Record) -> Verdict:
    """Refuse a record whose prompt or response holds characters that are not seen."""
    text = record.text
    return verdict(RULE, text, hidden_text(text))


def _kind(run: str) -> str:
    return next((name for name, pattern in _KINDS if pattern.search(run)), "zero-width")


def _legitimate(text: str, start: int, end: int, rtl: bool) -> bool:
    """One or two invisible characters with a reason to be there; longer runs carry a message."""
    run = text[start:end]
    if _TAG.search(run):
        return _FLAG.fullmatch(text, max(start - 1, 0), end) is not None
    if len(run) > 2 or _TWO_SELECTORS.search(run):
        return False
    before, after = text[start - 1 : start], text[end : end + 1]
    return all(_reason(char, before, after, rtl) for char in run)


def _reason(char: str, before: str, after: str, rtl: bool) -> bool:
    if _NEVER.match(char):
        return False
    if _DIRECTION.match(char):
        return rtl
    if _SELECTOR.match(char):
        return before != "" and not before.isspace() and (char <= "\ufe0f" or bool(_UNSPACED.match(before)))
    if char in _JOINERS:
        return _joins(before, after)
    return (rtl and char in _MARKS) or not _inside_word(before, after)


def _joins(before: str, after: str) -> bool:
    """Inside an emoji sequence, or beside a letter of a script that needs joiners."""
    emoji = _pictorial(before) and _pictorial(after)
    return emoji or bool(_JOINING.match(before) or _JOINING.match(after))


def _pictorial(char: str) -> bool:
    return char != "" and unicodedata.category(char) in ("So", "Sk", "Sm")


def _inside_word(before: str, after: str) -> bool:
    if _UNSPACED.match(before) or _UNSPACED.match(after):
        return False
    return before.isalnum() and after.isalnum()
