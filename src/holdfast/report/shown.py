"""Text from records, made safe to look at: invisible and steering characters are named instead of obeyed.

A record may hold terminal escapes, bidirectional overrides, zero-width or tag characters. Deleting them would hide
what the reader must see, so each is written as its code point, `<U+202E>`. Line breaks and tabs stay. This is not
HTML escaping: templates do that.
"""

import re

# C0 without tab and line feed, DEL and C1; soft hyphen; bidirectional marks, embeddings, overrides and isolates
# (Unicode UAX 9); zero-width and invisible operators; line and paragraph separators; interlinear annotation; the tags
# and variation-selector supplement used to smuggle text; lone surrogates. ZWJ and ZWNJ stay: scripts and emoji
# need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e01ef\ud800-\udfff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Return `text` with every invisible or steering character written as `<U+XXXX>`."""
    return _UNSEEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def one_line(text: str, width: int) -> str:
    """Return `text` visible, on one line, at most `width` characters long, with an ellipsis where it was cut."""
    line = " ".join(visible(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def sentence(text: str) -> str:
    """Return `text` visible, with a capital at its start and a full stop at its end."""
    whole = visible(text).strip()
    return whole[:1].upper() + whole[1:] + ("" if whole.endswith((".", "!", "?", ":", "…")) else ".")


def encodable(text: str) -> str:
    """Return `text` with lone surrogates, which no UTF-8 file can hold, as U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)
