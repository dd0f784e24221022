"""A line: what a call is known by, and what it can cost."""

from dataclasses import replace

import pytest

from holdfast.core.record import Message
from holdfast.core.settings import Limits, Model
from holdfast.models.chat import Call, Usage
from holdfast.models.endpoint import Endpoint
from holdfast.models.gate import Gate
from holdfast.models.line import Line, Tally, limit_of
from holdfast.models.prices import Rate

CALL = Call((Message("user", "Why?"),), "a", {"temperature": 0.7, "seed": 1}, {"type": "object"}, "all/0/0")


def line(base_url: str = "http://127.0.0.1:1/v1", rate: Rate | None = None, **more: object) -> Line:
    """A line to an address where nobody listens."""
    model = Model.model_validate({"base_url": base_url, "model": "m-1", **more})
    return Line(model, Endpoint("a", model), Gate(Limits()), rate)


@pytest.mark.parametrize(
    "other",
    [
        replace(CALL, messages=(Message("user", "Why not?"),)),
        replace(CALL, messages=(Message("system", "Why?"),)),
        replace(CALL, decoding={"temperature": 0.8, "seed": 1}),
        replace(CALL, decoding={"temperature": 0.7, "seed": 2}),
        replace(CALL, schema=None),
        replace(CALL, sample="all/1/0"),
    ],
)
def test_what_changes_the_answer_changes_the_key(other: Call) -> None:
    """Another message, role, decoding, schema or sample is another call."""
    assert line().key(CALL) != line().key(other)


def test_what_does_not_change_the_answer_leaves_the_key() -> None:
    """A server that moved, another limit of tokens, another order of the decoding: the same call."""
    same = replace(CALL, decoding={"seed": 1, "max_tokens": 9, "temperature": 0.7})
    assert line().key(CALL) == line("http://127.0.0.1:2/v1").key(same)
    assert line().key(CALL) != line(model="m-2").key(CALL)
    assert line().key(CALL) != line(extra_body={"min_p": 0.1}).key(CALL)


def test_the_most_and_the_cost() -> None:
    """The most is of all bytes and the whole limit; without a price nothing is claimed to be known."""
    priced = line(rate=Rate(1.0, 10.0, "settings"))
    assert pytest.approx((300 + 10 * 50) / 1e6) == priced.most(300, 50)
    assert pytest.approx((20 + 10 * 7) / 1e6) == priced.cost(Usage(20, 7))
    assert (0.0, None) == (line().most(300, 50), line().cost(Usage(20, 7)))


@pytest.mark.parametrize(
    ("decoding", "limit"),
    [({}, None), ({"max_tokens": 5}, 5), ({"max_completion_tokens": 6}, 6), ({"max_tokens": None}, None)],
)
def test_the_limit_of_tokens(decoding: dict, limit: int | None) -> None:
    """Both names of the limit are understood; null is none."""
    assert limit == limit_of(replace(CALL, decoding=decoding))


def test_answers_are_told_when_they_are_on_disk() -> None:
    """An answer that is not committed is counted by nobody."""
    tally = Tally()
    tally.add("a", "answer", 0.5, last=True)
    assert (0, 0.5) == (tally.answered["a"], tally.cost["a"])
    tally.commit()
    tally.commit()
    assert 1 == tally.answered["a"]
