"""What replies mean: answers whole, every odd answer a fate with its reason, faults told apart by what to do next."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.record import Message
from holdfast.models.chat import Answer, Call, Usage
from holdfast.models.reply import HALTS, REASONS, Again, Ended, Halt, Reply, read

CALL = Call((Message("user", "Hello"),))
PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def body(content: Any = "Hi.", finish: Any = "stop", message: dict[str, Any] | None = None, **extra: Any) -> bytes:
    """The body of a chat completion."""
    said = {"role": "assistant", "content": content, **(message or {})}
    choice = {"index": 0, "message": said, "finish_reason": finish, **extra.pop("choice", {})}
    return orjson.dumps({"id": "c-1", "model": "m-2", "choices": [choice], "usage": USAGE, **extra})


def reading(content: bytes, call: Call = CALL, status: int = 200, attempt: int = 1, **headers: str) -> Any:
    """What a reply of the wire is read as."""
    return read(
        Reply(status, {name.replace("_", "-"): text for name, text in headers.items()}, content), call, "m-1", attempt
    )


def test_an_answer_is_read_whole() -> None:
    """Text, model that answered, finish, tokens, fingerprint and id are those of the body."""
    expected = Answer("Hi.", "m-2", "stop", Usage(5, 7), fingerprint="fp", id="c-1")
    assert expected == reading(body(system_fingerprint="fp"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (body("Half a sen", "length"), "truncated"),
        (body("<think>hm", "stop"), "truncated"),
        (body("", "content_filter"), "content-filter"),
        (body(None, "content_filter"), "content-filter"),
        (body(None, message={"refusal": "No."}), "refusal"),
        (body("I'm sorry, but I can't help with that."), "refusal"),
        (body(None), "empty"),
        (body(""), "empty"),
        (body(" \n\t"), "empty"),
        (body(None, "tool_calls"), "empty"),
        (body("<think>a</think>\n"), "empty"),
        (body(7), "empty"),
    ],
)
def test_what_is_no_answer_is_a_fate(content: bytes, reason: str) -> None:
    """Truncated, filtered, refused and empty answers are rejected with their reason; their tokens are kept."""
    ended = reading(content)
    assert ("rejected", reason, Usage(5, 7), "m-2") == (ended.fate, ended.reason, ended.usage, ended.served)


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"3", b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": {"a": 1}}']
)
def test_an_answer_without_its_parts_is_tried_once_more(content: bytes, attempt: int) -> None:
    """The first time it is asked again, the second time it has failed as malformed."""
    found = reading(content, attempt=attempt)
    assert ("malformed", Again if attempt == 1 else Ended) == (found.reason, type(found))
    assert attempt == 1 or found.fate == "failed"


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_cut_body_is_asked_for_again(cut: int) -> None:
    """JSON that ends early is a fault of the wire, on whatever attempt, and may have been charged."""
    found = reading(body()[:cut], attempt=4)
    assert ("malformed", True, False) == (found.reason, found.charged, found.throttled)


@pytest.mark.parametrize(
    "hostile", [b"[" * 100_000, b'{"a":' * 100_000, b'{"choices": [{"message": {"content": "\\ud800"}}]}', b"\xff"]
)
def test_hostile_bodies_are_survived(hostile: bytes) -> None:
    """Depth, half characters and bytes that are no text are malformed bodies."""
    assert "malformed" == reading(hostile).reason


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "A", "reasoning_content": "why"}, "A", "why"),
        ({"content": "A", "reasoning": "why"}, "A", "why"),
        ({"content": "<think>\nwhy\n</think>\n\nA"}, "A", "why"),
        ({"content": "\n<think>why</think>A"}, "A", "why"),
        ({"content": "why\n</think>\n\nA"}, "A", "why"),
        ({"content": "A <think>b</think>"}, "A <think>b</think>", ""),
        ({"content": [{"thinking": [{"type": "text", "text": "why"}]}, {"type": "text", "text": "A"}]},
         "A", "why"),
        ({"content": "A", "reasoning_content": None, "reasoning": 3}, "A", ""),
    ],
)  # fmt: skip
def test_reasoning_is_kept_apart(message: dict[str, Any], text: str, reasoning: str) -> None:
    """A field beside the answer, parts of it, or a leading part of the text: never in the answer itself."""
    answer = reading(body(message=message))
    assert (text, reasoning) == (answer.text, answer.reasoning)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}, (3, 9, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 12,
          "completion_tokens_details": {"reasoning_tokens": 4}}, (3, 9, 4)),
        ({"prompt_tokens": "3", "completion_tokens": -1, "completion_tokens_details": []}, (0, 0, 0)),
    ],
)  # fmt: skip
def test_tokens_are_counted(usage: dict[str, Any], expected: tuple[int, int, int]) -> None:
    """Reasoning is part of the output, also where the endpoint counts it only in the total."""
    assert Usage(*expected) == reading(body(usage=usage)).usage


def test_what_had_no_effect_is_named() -> None:
    """An answer without the log probabilities asked for, or without usage, says so."""
    asked = Call(CALL.messages, decoding={"logprobs": True})
    assert ("logprobs", "usage") == reading(body(usage=None), asked).ignored
    given = reading(body(choice={"logprobs": {"content": []}}), asked)
    assert ((), {"content": []}) == (given.ignored, given.logprobs)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('{"age": 3}', {"age": 3}),
        ('```json\n{"age": 3}\n```', {"age": 3}),
        ('{"age": 99999999999999999999999999}', {"age": 99999999999999999999999999}),
        ('Sure: {"age": 3}', "invalid-json"),
        ('{"age": 3} ok', "invalid-json"),
        ('```\n{"age": 3}\n```', "invalid-json"),
        ('```json\n{"age": 3}\n```\n```json\n{"age": 3}\n```', "invalid-json"),
        ('{"age": 3, "age": 4}', "invalid-json"),
        ('{"age": NaN}', "invalid-json"),
        ("[" * 5000, "invalid-json"),
        ('{"age": 3, "a": "\\ud800"}', "invalid-json"),
        ('{"age": "3"}', "schema"),
        ("[]", "schema"),
    ],
)
def test_json_is_held_to_its_schema(text: str, outcome: Any) -> None:
    """Strict JSON, alone or in one json fence, that obeys the schema is the value; everything else has its reason."""
    found = reading(body(text), Call(CALL.messages, schema=PERSON))
    assert outcome == (found.value if isinstance(found, Answer) else found.reason)


@pytest.mark.parametrize(("draft", "valid"), [("http://json-schema.org/draft-04/schema#", False), (None, True)])
def test_the_draft_is_that_of_the_schema(draft: str | None, valid: bool) -> None:
    """`const` is a keyword of the newest draft and none of draft 4."""
    schema = {"const": 1, "type": "integer"} | ({"$schema": draft} if draft else {})
    found = reading(body("2"), Call(CALL.messages, schema=schema))
    assert valid == (not isinstance(found, Answer))


@pytest.mark.parametrize(
    "schema", [{"type": "number?"}, {"$ref": "https://example.invalid/s.json"}, {"$ref": "#/$defs/a"}]
)
def test_a_wrong_schema_is_the_users_mistake(schema: dict[str, Any]) -> None:
    """A schema that is none, or that refers to nothing here, stops with what is wrong, not with a rejected answer."""
    with pytest.raises(UsageError, match="schema"):
        reading(body("{}"), Call(CALL.messages, schema=schema))


def error(code: Any = None, message: str = "", kind: str = "") -> bytes:
    """The error object of an endpoint."""
    return orjson.dumps({"error": {"code": code, "message": message, "type": kind}})


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (401, error("invalid_api_key"), "unauthorised"), (403, b"", "forbidden"), (402, b"pay", "payment"),
        (429, error("insufficient_quota", "You exceeded your current quota"), "quota"),
        (429, error(None, "quota", "insufficient_quota"), "quota"),
        (400, error(None, "Your credit balance is too low to access the API"), "quota"),
        (404, error("model_not_found", "The model `m` does not exist"), "unknown-model"),
        (404, b"404 page not found", "unknown-model"), (400, error("model_not_found"), "unknown-model"),
        (400, b'{"detail": "Server is pinned to \'/a/tiny\'; requested \'other\'."}', "unknown-model"),
        (302, b"", "redirect"),
    ],
)  # fmt: skip
def test_what_no_attempt_changes_stops_the_run(status: int, content: bytes, reason: str) -> None:
    """Keys, payment, quota, unknown models and redirects stop the run."""
    found = reading(content, status=status)
    assert (Halt, reason) == (type(found), found.reason)


@pytest.mark.parametrize(
    ("status", "content", "fate", "reason"),
    [
        (400, error("context_length_exceeded"), "failed", "too-long"),
        (400, error(400, "This model's maximum context length is 8192 tokens. However, you", "BadRequestError"),
         "failed", "too-long"),
        (400, error(400, "the request exceeds the available context size", "exceed_context_size_error"),
         "failed", "too-long"),
        (413, b"", "failed", "too-long"),
        (400, error("content_filter", "The response was filtered"), "rejected", "content-filter"),
        (400, error(None, "temperature must be below 2"), "failed", "bad-request"),
        (422, orjson.dumps({"detail": [{"msg": "wrong"}]}), "failed", "bad-request"),
        (204, b"", "failed", "malformed"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_taken_has_failed(status: int, content: bytes, fate: str, reason: str) -> None:
    """What the endpoint will never take is not sent again."""
    found = reading(content, status=status)
    assert (fate, reason) == (found.fate, found.reason)


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_full_endpoint_is_waited_for(status: int) -> None:
    """Too many requests, unavailable and overloaded: throttled, uncharged, with the wait that was asked for."""
    found = reading(error("rate_limit_exceeded", "slow down"), status=status, retry_after="7")
    assert ("throttled", 7.0, True, False) == (found.reason, found.after, found.throttled, found.charged)
    assert reading(b"", status=status).after is None


@pytest.mark.parametrize("status", [500, 502, 504, 520, 408, 409, 425])
def test_a_fault_of_the_endpoint_is_tried_again(status: int) -> None:
    """Faults of the endpoint are no throttling."""
    found = reading(b"<html>oops</html>", status=status)
    assert (Again, "provider-error", False) == (type(found), found.reason, found.throttled)


def test_an_error_in_a_200_is_an_error() -> None:
    """Gateways that answer 200 with an error object mean the error."""
    assert isinstance(reading(error(502, "upstream")), Again)
    assert reading(error(429, "slow")).throttled
    assert isinstance(reading(error(401, "key")), Halt)
    assert "provider-error" == reading(error(None, "boom")).reason
    assert "provider-error" == reading(body("Hal", "error")).reason


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("timeout", (Again, "timeout", True)), ("reset", (Again, "connection", True)),
        ("refused", (Again, "connection", False)), ("cut", (Again, "connection", True)),
        ("too-large", (Ended, "malformed", None)), ("redirect", (Halt, "redirect", None)), ("tls", (Halt, "tls", None)),
    ],
)  # fmt: skip
def test_faults_of_the_wire(fault: str, expected: tuple[type, str, bool | None]) -> None:
    """Only a connection that was never made is certain to cost nothing."""
    found = read(Reply(0, {}, b"", fault), CALL, "m-1", 1)
    assert expected == (type(found), found.reason, getattr(found, "charged", None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "error", "code", "usage", "model", "finish_reason", "refusal"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([200, 201, 301, 400, 404, 418, 429, 500]), st.integers(1, 3))
def test_whatever_comes_is_one_of_four(value: Any, status: int, attempt: int) -> None:
    """No JSON and no status raises, and every reason is of the closed list."""
    found = reading(json_of(value), status=status, attempt=attempt)
    assert isinstance(found, Answer) or found.reason in (HALTS if isinstance(found, Halt) else REASONS)


def json_of(value: Any) -> bytes:
    """JSON of a value."""
    return orjson.dumps(value)
