"""The reasoning of a model, kept apart from its answer, in the three ways that endpoints send it.

A field beside the content (`reasoning_content`, `reasoning`), parts of the content, or a leading <think> part of the
text. Chat templates that open the part themselves leave only its end in the text.
"""

from typing import Any

_OPEN = "<think>"
_CLOSE = "</think>"


def content_of(message: dict[str, Any]) -> tuple[str, str]:
    """Return the text of a message and the reasoning beside it; what is no text counts as empty."""
    content = message.get("content")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    thought = reasoning if type(reasoning) is str else ""
    if type(content) is str:
        return content, thought
    if type(content) is not list:
        return "", thought
    parts = [part for part in content if type(part) is dict]
    thoughts = "".join(_texts(part.get("thinking")) for part in parts)
    return "".join(_texts(part.get("text")) for part in parts), thought or thoughts


def _texts(part: Any) -> str:
    if type(part) is list:
        return "".join(_texts(each.get("text")) for each in part if type(each) is dict)
    return part if type(part) is str else ""


def split(text: str) -> tuple[str, str, bool]:
    """Return the answer, the reasoning before it, and whether the reasoning ends."""
    start = text.find(_OPEN, 0, 200)
    if start >= 0 and not text[:start].strip():
        end = text.find(_CLOSE, start)
        if end < 0:
            return "", text[start + len(_OPEN) :].strip(), False
        return text[end + len(_CLOSE) :].lstrip(), text[start + len(_OPEN) : end].strip(), True
    end = text.find(_CLOSE)
    if end < 0 or _OPEN in text[:end]:
        return text, "", True
    return text[end + len(_CLOSE) :].lstrip(), text[:end].strip(), True
