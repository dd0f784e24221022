"""What an endpoint says went wrong, read from the error objects of hosted providers and local servers."""

import re
from typing import Any, NamedTuple

import orjson

# Codes and types are compared first; words are what servers without codes write. Each is one that an endpoint sends.
_QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|billing_not_active|credit balance is too low|insufficient.{0,9}balance",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"model_not_found|model[^.]{0,80}(?:does not exist|not found)|no such model|^server is pinned to .*; requested ",
    re.IGNORECASE,
)
_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length|context (?:length|window|size)|"
    r"(?:prompt|input) is too long|too many (?:input )?tokens|max_model_len", re.IGNORECASE,
)  # fmt: skip
_FILTER = re.compile(
    r"content_filter|content_policy_violation|responsibleaipolicyviolation|moderation_blocked", re.IGNORECASE
)


class Problem(NamedTuple):
    """The code, type and words of an error; all empty where there is none. `status` is that of an error in a 200."""

    code: str = ""
    message: str = ""
    status: int = 0

    def __bool__(self) -> bool:
        return bool(self.code or self.message or self.status)

    @property
    def is_quota(self) -> bool:
        """True when the account has nothing left to spend: no waiting helps."""
        return self._says(_QUOTA)

    @property
    def is_unknown_model(self) -> bool:
        """True when the endpoint does not have the model."""
        return self._says(_UNKNOWN)

    @property
    def is_too_long(self) -> bool:
        """True when the request does not fit into the context of the model."""
        return self._says(_LONG)

    @property
    def is_filter(self) -> bool:
        """True when the content of the request was refused."""
        return self._says(_FILTER)

    def _says(self, words: re.Pattern[str]) -> bool:
        return words.search(self.code) is not None or words.search(self.message) is not None


def problem_of(body: bytes | dict[str, Any]) -> Problem:
    """Return the problem a body tells: an `error` object or text, else `message` or `detail`, else its text."""
    value: Any = body
    if isinstance(body, bytes):
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            return Problem(message=" ".join(body[:1000].decode("utf-8", "replace").split()))
    if not isinstance(value, dict):
        return Problem(message=str(value)[:1000])
    error = value.get("error")
    if isinstance(error, dict):
        value = error
    elif isinstance(error, str):
        return Problem(message=error)
    code, kind = value.get("code"), value.get("type")
    message = value.get("message") or value.get("detail")
    if error is None and message is None:
        return Problem()
    status = code if type(code) is int and 400 <= code < 600 else 0
    return Problem(f"{code or ''} {kind or ''}".strip(), str(message or ""), status)
