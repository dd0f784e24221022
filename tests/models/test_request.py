"""The body of a request: everything that was asked for, in one order, and nothing that would change what comes back."""

import orjson
import pytest

from holdfast.core.errors import UsageError
from holdfast.core.record import Message
from holdfast.core.settings import Model
from holdfast.models.chat import Call
from holdfast.models.request import body_of

MODEL = Model(base_url="http://h", model="m-1", extra_body={"top_k": 5, "temperature": 0})
MESSAGES = (Message("system", "Be brief."), Message("user", "Hello"))


def test_a_body_holds_what_was_asked() -> None:
    """Model, messages, extra_body, and the decoding of the call over it."""
    assert {
        "model": "m-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "top_k": 5,
        "temperature": 0.7,
        "seed": 3,
    } == orjson.loads(body_of(Call(MESSAGES, decoding={"temperature": 0.7, "seed": 3}), MODEL))


def test_a_schema_asks_for_strict_output() -> None:
    """A call with a schema asks the endpoint to hold the answer to it."""
    schema = {"type": "object"}
    body = orjson.loads(body_of(Call(MESSAGES, schema=schema), MODEL))
    shape = {"name": "answer", "strict": True, "schema": schema}
    assert {"type": "json_schema", "json_schema": shape} == body["response_format"]


def test_the_same_call_is_the_same_bytes() -> None:
    """The order in which settings were written does not show."""
    one = body_of(Call(MESSAGES, decoding={"seed": 1, "top_p": 0.5}), MODEL)
    assert one == body_of(Call(MESSAGES, decoding={"top_p": 0.5, "seed": 1}), MODEL)


@pytest.mark.parametrize("name", ["n", "stream", "messages", "model"])
def test_what_may_not_be_sent_is_refused(name: str) -> None:
    """Several samples, streams, other messages and other models are refused, wherever they are written."""
    with pytest.raises(UsageError, match=repr(name)):
        body_of(Call(MESSAGES, decoding={name: 1}), MODEL)
    with pytest.raises(UsageError, match=repr(name)):
        body_of(Call(MESSAGES), Model(base_url="http://h", model="m", extra_body={name: 1}))
