"""The body of a chat request: what a call asks for, as JSON that is the same for the same call."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.core.errors import UsageError
from holdfast.core.settings import Model
from holdfast.models.chat import Call

# What settings may not hold: one request is one sample, read as a whole, of the model and messages named elsewhere.
_RESERVED = {
    "n": "One request is one sample: remove it, and ask for more records.",
    "stream": "Answers are read as a whole: remove it.",
    "messages": "The generator writes them: remove it.",
    "model": "It is named beside base_url: remove it.",
}


def body_of(call: Call, model: Model) -> bytes:
    """Return the JSON of a chat request: `extra_body` of the model, the decoding of the call over it, keys sorted.

    With a schema it asks for strict structured output. Raises `UsageError` for settings that may not be sent.
    """
    body: dict[str, Any] = {**model.extra_body, **call.decoding}
    _check(body)
    body["model"] = model.model
    body["messages"] = [{"role": message.role, "content": message.content} for message in call.messages]
    if call.schema is not None:
        shape = {"name": "answer", "strict": True, "schema": call.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _check(body: Mapping[str, Any]) -> None:
    for name, remedy in _RESERVED.items():
        if name in body:
            raise UsageError(f"decoding and extra_body may not hold {name!r}, here {body[name]!r}.", remedy)
