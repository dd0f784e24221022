"""The dispatcher and its desk: conversations over a real proxy, and what becomes of each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.chat_proxy import proxy
from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.record import Message
from holdfast.core.settings import Settings
from holdfast.models import dispatch
from holdfast.models.chat import Answer, Call, Conversation, NoRecord
from holdfast.models.desk import Desk, open_desk
from holdfast.models.dispatch import Job


def settings(base_url: str, **limits: object) -> Settings:
    """Two models at one address."""
    model = {"base_url": base_url, "limits": {"concurrency": 4, "timeout": 5, "attempts": 3, **limits}}
    return Settings.model_validate({"models": {name: {**model, "model": f"{name}-1"} for name in ("a", "b")}})


@contextmanager
def desk(folder: Path, *faults: str, **limits: object) -> Iterator[tuple[Desk, object]]:
    """A desk in front of a proxy that answers by itself."""
    with proxy(None, *faults, folder=folder) as between:
        recipe = settings(between.base_url, **limits)
        with open_desk(recipe, folder / "run", ["a", "b"]) as opened:
            yield opened, between


def ask(text: str, model: str = "a", sample: str = "0", **decoding: object) -> Conversation[str]:
    """A conversation of one call, which makes the text it was answered."""
    answer = yield Call((Message("user", text),), model, decoding, sample=sample)
    return answer.text


def test_an_equal_call_is_one_request(tmp_path: Path) -> None:
    """Twenty conversations that ask the same of one sample at once are one request; another sample is another."""
    with desk(tmp_path) as (opened, between):
        same = [Job("a", lambda: ask("Why?")) for _ in range(20)]
        held = opened.hold([*same, Job("a", lambda: ask("Why?", sample="1"))])
        assert 2 == len(between.log())
    assert 1 == len({each.made for each in held[:20]})


def test_two_models_are_asked_side_by_side(tmp_path: Path) -> None:
    """Each job takes the places of its own model, and its answers name the model."""
    with desk(tmp_path) as (opened, _):
        held = opened.hold([Job(name, lambda name=name, n=n: ask(f"{n}?", name)) for n in range(9) for name in "ab"])
    assert ["a", "b"] * 9 == [each.answers[0][0] for each in held]
    assert {"a-1", "b-1"} == {each.answers[0][1].served for each in held}


def test_a_conversation_sees_what_it_was_not_answered(tmp_path: Path) -> None:
    """A fate is thrown into the conversation, which may go on from it; unhandled it is how the conversation ends."""

    def brave() -> Conversation[str]:
        try:
            yield Call((Message("user", "first"),), "a")
        except NoRecord as end:
            answer = yield Call((Message("user", f"after {end.reason}"),), "a")
            return answer.text
        return "never"

    with desk(tmp_path, "length=1:ever:0") as (opened, _):
        held = opened.hold([Job("a", brave), Job("a", lambda: ask("plain"))])
    assert ["truncated", "truncated"] == [each.made.reason for each in held]
    assert "after truncated" == held[0].last.messages[0].content


def test_a_fault_of_a_generator_is_no_verdict(tmp_path: Path) -> None:
    """What a conversation's own code does wrong ends that one as failed, with what it was; the others go on."""

    def broken() -> Conversation[str]:
        answer: Answer = yield Call((Message("user", "x"),), "a")
        return str(1 / (len(answer.text) - len(answer.text)))

    with desk(tmp_path) as (opened, _):
        held = opened.hold([Job("a", broken), Job("a", lambda: ask("y"))])
    assert ("failed", "fault") == (held[0].made.fate, held[0].made.reason)
    assert "ZeroDivisionError" in held[0].made.detail
    assert isinstance(held[1].made, str)


def test_jobs_without_a_model_are_held_too(tmp_path: Path) -> None:
    """A conversation that asks nobody ends with what it makes."""

    def quiet() -> Conversation[str]:
        return "made"
        yield  # a generator that yields nothing

    with desk(tmp_path) as (opened, between):
        assert ["made"] * 3 == [each.made for each in opened.hold([Job("", quiet)] * 3)]
        assert [] == between.log()


def test_a_mistake_in_the_settings_stops_everything(tmp_path: Path) -> None:
    """An error that says what to do is not a fate of single records: the run is stopped with it."""
    with desk(tmp_path) as (opened, _):
        held = opened.hold([Job("a", lambda n=n: ask(f"{n}", n=3)) for n in range(30)])
        assert isinstance(opened.stopped, UsageError)
        assert None in held


def test_an_endpoint_that_never_answered_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody at the address: the run is stopped after a short while, names it, and can be resumed."""
    monkeypatch.setattr(dispatch, "NEVER_SEEN", 1.0)
    with open_desk(settings("http://127.0.0.1:9/v1"), tmp_path / "run", ["a"]) as opened:
        held = opened.hold([Job("a", lambda n=n: ask(f"{n}")) for n in range(30)])
        assert isinstance(opened.stopped, StoppedError)
        assert "http://127.0.0.1:9/v1 has not answered" in str(opened.stopped)
    assert None in held


def test_the_deadline_stops_the_run(tmp_path: Path) -> None:
    """When the time is over nothing more is sent, and what was in flight is there."""
    with proxy(None, folder=tmp_path, latency=300) as between:
        recipe = settings(between.base_url)
        with open_desk(recipe, tmp_path / "run", ["a"], deadline=time.monotonic() + 0.5) as opened:
            held = opened.hold([Job("a", lambda n=n: ask(f"{n}")) for n in range(60)])
            assert "time of the budget" in str(opened.stopped)
            done = [each for each in held if each is not None]
            assert len(between.log()) == len(done) == opened.tally.answered["a"] < 60
