"""Conversations: turns as different tools write them, read into (role, content) and split at the last answer.

Understands OpenAI messages, ShareGPT turns, content-part lists and tool calls. Contents stay text: a part that is
not text is named in square brackets, a tool call is kept with its name and arguments.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from holdfast.core.record import Message

ROLES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
    "observation": "tool",
    "function_call": "assistant",
}

ROLE_KEYS = ("role", "from", "speaker")
CONTENT_KEYS = ("content", "value", "text", "utterance")


class Split(NamedTuple):
    """A conversation as a record: what stands before the last assistant turn, that turn, and what follows it."""

    prompt: str
    response: str
    after: str


def is_turns(value: Any) -> bool:
    """Return whether a value is a non-empty list of turns."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(turn, dict) and any(isinstance(turn.get(key), str) for key in ROLE_KEYS) for turn in value)


def turns_of(value: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return the turns of a conversation with the usual role names."""
    return [Message(_role(turn), _content(turn)) for turn in value]


def _role(turn: Mapping[str, Any]) -> str:
    name = next((turn[key] for key in ROLE_KEYS if isinstance(turn.get(key), str)), "user").lower()
    return ROLES.get(name, name)


def _content(turn: Mapping[str, Any]) -> str:
    parts = [text_of_value(next((turn[key] for key in CONTENT_KEYS if turn.get(key) is not None), None))]
    parts += [_call(call) for call in turn.get("tool_calls") or () if isinstance(call, dict)]
    if isinstance(turn.get("function_call"), dict):
        parts.append(_call(turn))
    return "\n".join(part for part in parts if part)


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function") or call.get("function_call") or call
    if not isinstance(function, dict):
        return f"[tool call] {text_of_value(function)}"
    return f"[tool call] {function.get('name', '')} {text_of_value(function.get('arguments'))}".rstrip()


def text_of_value(value: Any) -> str:
    """Return the text of a column's value: strings as they are, null as '', part lists joined, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(part, (str, dict)) for part in value):
        return "\n".join(part for part in map(_part, value) if part)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return json_of(value)


def _part(part: "str | Mapping[str, Any]") -> str:
    if isinstance(part, str):
        return part
    for key in ("text", "content", "value"):
        if isinstance(part.get(key), str):
            return str(part[key])
    return f"[{part['type']}]" if isinstance(part.get("type"), str) else json_of(part)


def json_of(value: Any) -> str:
    """Return compact JSON. Integers beyond 64 bits stay exact; keys that are no strings become strings."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def split(turns: Sequence[Message]) -> Split:
    """Split at the last assistant turn; without one, all turns are the response."""
    last = max((number for number, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
    if last < 0:
        return Split("", _joined(turns), "")
    return Split(_joined(turns[:last]), turns[last].content, _joined(turns[last + 1 :]))


def _joined(turns: Sequence[Message]) -> str:
    return "\n".join(turn.content for turn in turns if turn.content)


def json_of_turns(turns: Sequence[Message]) -> str:
    """Return turns as the JSON list that a data set's `messages` column holds."""
    return orjson.dumps([{"role": turn.role, "content": turn.content} for turn in turns]).decode()
