"""What a reply over the wire means: an answer, another attempt, a fate that is recorded, or a run that must stop.

Pure reading: no clock, no network, no waiting. Refusals, truncated and empty answers are fates with a reason from a
closed list, never an answer; whether there are attempts left is the caller's to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from holdfast.models.chat import Answer, Call, Usage
from holdfast.models.problem import Problem, problem_of
from holdfast.models.refusal import is_refusal
from holdfast.models.retry_after import retry_after
from holdfast.models.structured import structured
from holdfast.models.thinking import content_of, split

# Of `Again` and `Ended`; `Halt` has its own.
REASONS = (
    "truncated", "content-filter", "refusal", "empty", "invalid-json", "schema",  # what the model did
    "malformed", "too-long", "bad-request", "provider-error", "throttled", "timeout", "connection",  # never answered
)  # fmt: skip
HALTS = ("unauthorised", "forbidden", "payment", "quota", "unknown-model", "redirect", "tls")

# Transport faults by what they are to a request: the reason, and whether the endpoint may have done the work.
_FAULTS = {"timeout": ("timeout", True), "refused": ("connection", False)}
# "too many requests", "unavailable" and "overloaded" (Anthropic): the endpoint says that it is there and full.
_THROTTLED = (429, 503, 529)
# Request timeout, conflict and too early: they ask for the same request again.
_PASSING = (408, 409, 425)
_TRUNCATED = ("length", "max_tokens", "MAX_TOKENS")
NOTHING = Usage()
# Tokens of one answer that are believed at most: no model reads or writes as many, and the ledger takes 64 bits.
MOST_TOKENS = 10**9
DETAIL = 300
"""Characters of an endpoint's own words that are kept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the wire brought. A transport fault has status 0 and a name in `fault`.

    Faults: timeout, refused (nothing was sent), reset, cut, protocol, too-large, encoding, redirect, tls.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Worth another attempt, `after` seconds at the earliest where the endpoint said so.

    `throttled` says that the endpoint has no room, `charged` that the attempt may be on the bill; `usage` is what it
    reported.
    """

    reason: str
    after: float | None = None
    throttled: bool = False
    charged: bool = False
    detail: str = ""
    usage: Usage = NOTHING


@dataclass(frozen=True, slots=True)
class Ended:
    """A fate that another attempt would not change: rejected for what the model did, failed without an answer."""

    fate: Literal["rejected", "failed"]
    reason: str
    detail: str = ""
    usage: Usage = NOTHING
    served: str = ""


@dataclass(frozen=True, slots=True)
class Halt:
    """No request will succeed until somebody changes something: the run stops and can be resumed."""

    reason: str
    detail: str = ""


Reading = Answer | Again | Ended | Halt


def read(reply: Reply, call: Call, asked_model: str, attempt: int) -> Reading:
    """Return what a reply to `call` means; `attempt` counts from 1. Raises `UsageError` for a schema that is none."""
    if reply.status == 200:
        try:
            body = orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            return Again("malformed", charged=True, detail=str(error)[:DETAIL])
        return _body(body, call, asked_model, attempt) if type(body) is dict else _malformed(attempt, "no object")
    return unanswered(reply, asked_model)


def unanswered(reply: Reply, asked_model: str) -> Again | Ended | Halt:
    """Return what a reply means that is no 200, of whatever API."""
    return _fault(reply) if reply.fault else _status(reply.status, reply, asked_model)


def _fault(reply: Reply) -> Again | Ended | Halt:
    if reply.fault in ("redirect", "tls"):
        return Halt(reply.fault, reply.body.decode("utf-8", "replace")[:DETAIL])
    if reply.fault == "too-large":
        return Ended("failed", "malformed", "the body is larger than an answer can be")
    reason, charged = _FAULTS.get(reply.fault, ("connection", True))
    return Again(reason, charged=charged, detail=reply.fault)


def _status(status: int, reply: Reply, asked_model: str) -> Again | Ended | Halt:
    problem = problem_of(reply.body)
    detail = f"{status} {problem.message}".strip()[:DETAIL]
    if status in (401, 402, 403):
        return Halt({401: "unauthorised", 402: "payment", 403: "forbidden"}[status], detail)
    if 400 <= status < 500 and problem.is_quota:
        return Halt("quota", detail)
    if status == 404 or (status == 400 and problem.is_unknown_model):
        return Halt("unknown-model", f"{asked_model}: {detail}"[:DETAIL])
    if status in _THROTTLED:
        return Again("throttled", retry_after(reply.headers, datetime.now(UTC)), throttled=True, detail=detail)
    if status >= 500 or status in _PASSING:
        return Again("provider-error", retry_after(reply.headers, datetime.now(UTC)), detail=detail)
    return _refused(status, problem, detail)


def _refused(status: int, problem: Problem, detail: str) -> Ended | Halt:
    """Return the fate of a request that the endpoint does not take, now or ever."""
    if 300 <= status < 400:
        return Halt("redirect", detail)
    if problem.is_filter:
        return Ended("rejected", "content-filter", detail)
    if status == 413 or problem.is_too_long:
        return Ended("failed", "too-long", detail)
    return Ended("failed", "bad-request" if status >= 400 else "malformed", detail)


def _malformed(attempt: int, detail: str, usage: Usage = NOTHING) -> Again | Ended:
    """An answer without its parts comes once by accident; the second time it is how this endpoint answers."""
    if attempt == 1:
        return Again("malformed", charged=True, detail=detail, usage=usage)
    return Ended("failed", "malformed", detail, usage)


def _body(body: dict[str, Any], call: Call, asked_model: str, attempt: int) -> Reading:
    choices = body.get("choices")
    if not choices and (problem := problem_of(body)):
        reply = Reply(problem.status or 500, {}, orjson.dumps(body))
        return _status(reply.status, reply, asked_model)
    usage, counted = _usage(body.get("usage"))
    if type(choices) is not list or not choices:
        return _malformed(attempt, "no choices", usage)
    choice = choices[0]
    message = choice.get("message") if type(choice) is dict else None
    if type(message) is not dict:
        return _malformed(attempt, "no message", usage)
    finish = choice.get("finish_reason")
    text, reasoning = content_of(message)
    if finish == "error":
        return Again("provider-error", charged=True, detail="finish_reason error", usage=usage)
    text, thought, closed = split(text)
    served = body.get("model")
    served = served if type(served) is str else ""
    reason, detail = _fate(text, finish, closed, message)
    value = None
    if not reason and call.schema is not None:
        value, reason, detail = structured(text, call.schema)
    if reason:
        return Ended("rejected", reason, detail, usage, served)
    logprobs, ignored = choice.get("logprobs"), () if counted else ("usage",)
    if logprobs is None and call.decoding.get("logprobs"):
        ignored = ("logprobs", *ignored)
    return Answer(
        text, served, finish if type(finish) is str else "", usage, reasoning or thought, value, logprobs,
        _text(body, "system_fingerprint"), _text(body, "id"), ignored,
    )  # fmt: skip


def _fate(text: str, finish: Any, closed: bool, message: dict[str, Any]) -> tuple[str, str]:
    """Return the reason why this is no answer, and its detail; both empty for an answer."""
    if finish == "content_filter":
        return "content-filter", text[:DETAIL]
    if (refusal := message.get("refusal")) and type(refusal) is str:
        return "refusal", refusal[:DETAIL]
    if finish in _TRUNCATED or not closed:
        return "truncated", "" if closed else "the reasoning never ends"
    if not text or text.isspace():
        return "empty", str(finish or "")[:DETAIL]
    return ("refusal", text[:DETAIL]) if is_refusal(text) else ("", "")


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if type(value) is str else None


def _usage(found: Any) -> tuple[Usage, bool]:
    """Return the tokens and whether they were counted at all.

    Endpoints that leave the reasoning out of the completion, and count it in the total, are corrected.
    """
    if type(found) is not dict:
        return Usage(), False
    given, made = _count(found, "prompt_tokens"), _count(found, "completion_tokens")
    details = found.get("completion_tokens_details")
    thought = _count(details, "reasoning_tokens") if type(details) is dict else 0
    if thought and _count(found, "total_tokens") == given + made + thought:
        made += thought
    return Usage(given, made, thought), True


def _count(found: dict[str, Any], name: str) -> int:
    value = found.get(name)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else 0
