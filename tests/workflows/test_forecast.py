"""forecast: calls, cost and time are counted from what a run would send, and nobody is asked."""

import json
import socket
from math import ceil

import pytest

from holdfast.core.record import Message
from holdfast.core.settings import Settings
from holdfast.models.chat import Call
from holdfast.models.prices import estimate_tokens
from holdfast.workflows.forecast import (
    ANSWER_TOKENS,
    FIRST_TOKEN,
    MADE_PER_ACCEPTED,
    PER_MESSAGE,
    TOKENS_A_SECOND,
    forecast,
)
from holdfast.workflows.materials import Materials
from holdfast.workflows.recipe import Recipe

WAIVED = [{"rule": "generator-concentration", "reason": "r", "owner": "o", "until": "2999-01-01"}]
PROMPT = "Write one short question about arithmetic, and nothing else."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a template and ten seeds; whoever opens a socket fails."""

    def refuse(*given, **named):
        raise AssertionError("a forecast contacted somebody")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "ask.j2").write_text(PROMPT)
    rows = [{"prompt": f"What is {n} plus {n}, written as a word?", "response": f"It is {2 * n}."} for n in range(10)]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def of(folder, *generators, quota=130, budget=None, **model):
    """The forecast of generators with the models a and b, which cost 1 and 2, or 10 and 20, per million tokens."""
    a = {"base_url": "http://a.test/v1", "model": "model-a", "price": {"input": 1, "output": 2}, **model}
    b = {"base_url": "http://b.test/v1", "model": "model-b", "price": {"input": 10, "output": 20}}
    values = {"models": {"a": a, "b": b}, "generators": generators, "cells": {"quota": quota}}
    values |= {"accepted_risks": WAIVED, "budget": budget or {}}
    settings = Settings.model_validate(values, context={"folder": folder})
    return forecast(Recipe.of(settings, Materials(settings)))


def test_calls_tokens_and_cost_of_a_prompt(folder):
    """One call a record, the prompt as it is filled in, answers as assumed, money by the price of the settings."""
    made = of(folder, {"use": "prompt", "model": "a", "template": "ask.j2"})
    (line,) = made.lines
    calls = (130 * MADE_PER_ACCEPTED.value, 130 * MADE_PER_ACCEPTED.low, 130 * MADE_PER_ACCEPTED.high)
    assert [ceil(each - 1e-9) for each in calls] == [line.calls.value, line.calls.low, line.calls.high]
    read = calls[0] * (estimate_tokens(PROMPT) + PER_MESSAGE)
    assert ceil(read) == line.input_tokens.value
    assert ceil(calls[2] * ANSWER_TOKENS.high - 1e-6) == line.output_tokens.high
    assert (line.input_tokens.value + 2 * line.output_tokens.value) / 1e6 == pytest.approx(line.cost.value)
    assert made.cost == line.cost
    assert line.cost.low < line.cost.value < line.cost.high


def test_the_limit_of_tokens_is_the_high_end(folder):
    """With max_tokens an answer is never longer, and never taken for longer."""
    made = of(folder, {"use": "prompt", "model": "a", "template": "ask.j2", "decoding": {"max_tokens": 64}})
    assert 64 * 130 * MADE_PER_ACCEPTED.high == pytest.approx(made.lines[0].output_tokens.high, abs=1)
    assert 64 * 130 * MADE_PER_ACCEPTED.value == pytest.approx(made.lines[0].output_tokens.value, abs=1)


@pytest.mark.parametrize(
    ("generator", "calls"),
    [
        ({"use": "self_instruct", "model": "a", "seeds": "seeds.jsonl"}, {"a": 2}),
        ({"use": "evol", "model": "a", "seeds": "seeds.jsonl", "passes": 99}, {"a": 3}),
        ({"use": "evol", "model": "a", "against": "b", "seeds": "seeds.jsonl", "passes": 99}, {"a": 2, "b": 1}),
        ({"use": "grounded", "model": "a", "documents": "seeds.jsonl", "passes": 99}, {"a": 1}),
        ({"use": "multi_turn", "model": "a", "turns": 3}, {"a": 6}),
        ({"use": "multi_turn", "model": "a", "turns": 3, "seeds": "seeds.jsonl", "passes": 99}, {"a": 5}),
        ({"use": "preference", "model": "a", "against": "b", "seeds": "seeds.jsonl", "passes": 99}, {"a": 1, "b": 1}),
        (
            {
                "use": "back_translation",
                "model": "a",
                "against": "b",
                "seeds": "seeds.jsonl",
                "passes": 99,
                "languages": ["en", "fr"],
            },
            {"a": 1, "b": 1},
        ),
        ({"use": "edit", "seeds": "seeds.jsonl", "passes": 99}, {}),
        ({"use": "ngram", "seeds": "seeds.jsonl"}, {}),
        ({"use": "procedural", "family": "arithmetic", "tasks": ["rates"]}, {}),
    ],
)
def test_calls_per_record_follow_the_generator(generator, calls, folder):
    """Each kind of generator makes its number of calls, of the models it names."""
    made = of(folder, generator)
    records = 130 * MADE_PER_ACCEPTED.value
    assert calls == {line.model: round(line.calls.value / records) for line in made.lines}


def test_later_calls_read_what_was_answered(folder):
    """A conversation grows: six calls read far more than six times the first."""
    once = of(folder, {"use": "multi_turn", "model": "a", "turns": 1}).lines[0]
    thrice = of(folder, {"use": "multi_turn", "model": "a", "turns": 3}).lines[0]
    assert thrice.input_tokens.value > 6 * once.input_tokens.value
    assert 3 * once.output_tokens.value == pytest.approx(thrice.output_tokens.value, rel=0.01)


def test_caps_share_the_records_out(folder):
    """A generator under a cap of a tenth has a tenth, and the others the rest, to a record."""
    capped = {"use": "prompt", "model": "a", "template": "ask.j2", "cap": 0.1}
    made = of(folder, capped, {"use": "prompt", "model": "b", "template": "ask.j2"}, quota=1000)
    assert [ceil(100 / 0.65), ceil(900 / 0.65)] == [line.calls.value for line in made.lines]


def test_seeds_that_do_not_last_are_told(folder):
    """Ten seeds used once give ten records, not 130, and no more calls."""
    made = of(folder, {"use": "evol", "model": "a", "seeds": "seeds.jsonl", "name": "deeper"})
    assert {"deeper": 10} == dict(made.short)
    assert (30, 30, 30) == (made.calls.value, made.calls.low, made.calls.high)


def test_an_unknown_price_makes_the_sum_unknown(folder):
    """One unknown price and the whole is None, not the sum of the rest."""
    known = {"use": "prompt", "model": "b", "template": "ask.j2"}
    made = of(folder, {"use": "prompt", "model": "a", "template": "ask.j2"}, known, price=None)
    assert [None, True] == [line.cost and line.cost.value > 0 for line in made.lines]
    assert made.cost is None


def test_time_follows_the_slowest_limit(folder):
    """Requests a minute, tokens a minute and places in flight: whichever takes longest."""
    ask = {"use": "prompt", "model": "a", "template": "ask.j2"}
    made = of(folder, ask, limits={"rpm": 60, "concurrency": 100})
    assert made.calls.value == pytest.approx(made.seconds.value)
    made = of(folder, ask, limits={"tpm": 6000, "concurrency": 100})
    tokens = made.lines[0].input_tokens.value + made.lines[0].output_tokens.value
    assert tokens / 100 == pytest.approx(made.seconds.value)
    made = of(folder, ask, limits={"concurrency": 4})
    busy = made.calls.value * FIRST_TOKEN.value + made.lines[0].output_tokens.value / TOKENS_A_SECOND.value
    assert busy / 4 == pytest.approx(made.seconds.value)


def test_models_work_side_by_side(folder):
    """The time is that of the slower model, and a batch may take a day."""
    ask = {"use": "prompt", "template": "ask.j2"}
    both = of(folder, {**ask, "model": "a"}, {**ask, "model": "b"}, limits={"rpm": 1, "concurrency": 1})
    assert 60 * both.lines[0].calls.value == pytest.approx(both.seconds.value)
    batched = of(folder, {**ask, "model": "a", "batch": True})
    assert batched.seconds.high >= 86_400 > batched.seconds.value


def test_code_that_fails_for_a_record_spoils_no_forecast(folder):
    """A function of one's own that raises for some records is measured on the others, as the run would go on."""
    made = of(folder, {"use": f"{__name__}:raising", "model": "a"})
    assert made.lines[0].input_tokens.value > 0


def raising(brief):
    """A writer that fails for every second record."""
    if brief.number % 2:
        raise ValueError("odd")
    yield Call((Message("user", "Say it."),))
