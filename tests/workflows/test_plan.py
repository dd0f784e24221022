"""plan: what a build would stumble over is told before any work."""

import re

import pytest

from holdfast.cli.plan import _text
from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings
from holdfast.workflows.plan import plan


def settings(folder, **more):
    """Settings of a small build whose real data has 20 records."""
    (folder / "real.jsonl").write_text("".join(f'{{"text": "a real one, number {n}"}}\n' for n in range(20)))
    generators = [{"use": "procedural", "family": "arithmetic", "tasks": ["rates", "sharing"]}]
    values = {"real": [{"path": str(folder / "real.jsonl")}], "generators": generators, "cells": {"quota": 30}}
    return Settings.model_validate({**values, **more})


def test_a_plan_counts_what_a_build_does(tmp_path):
    """2 of 20 are held out, 30 are made: the cap of one half decides the share."""
    made = plan(settings(tmp_path))
    assert (20, 2, 30, 0.5) == (made.real, made.held_out, made.accepted, made.synthetic_share)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"generators": [{"use": "procedural", "family": "arithmetic", "tasks": ["rates", "nope"]}]}, "nope"),
        ({"checks": ["maths"]}, "Did you mean 'math'"),
        ({"budget": {"time": "soon"}}, "budget.time"),
        ({"reserve": {"eval": 1.5}}, "neither a share nor a number"),
        ({"reserve": {"eval": 500}}, "leaves one side empty"),
        ({"cells": {"grid": {"topic": []}}}, "has no values"),
        ({"cells": {"grid": {"a": ["x"]}, "weights": {"a=x": float("nan")}}}, "has the weight nan"),
        ({"cells": {"grid": {"a": ["x"]}, "weights": {"a=x": -1}}}, "has the weight -1"),
        ({"audit": {"ignore": ["secrts"]}}, "Did you mean 'secrets'"),
        (
            {"accepted_risks": [{"rule": "no-held-ot", "reason": "r", "owner": "o", "until": "2999-01-01"}]},
            "Did you mean 'no-held-out'",
        ),
    ],
)
def test_a_mistake_is_found_before_any_work(wrong, said, tmp_path):
    """Names and values that only a later step reads are checked by plan."""
    with pytest.raises(UsageError, match=said):
        plan(settings(tmp_path, **wrong))


ASKING = {
    "models": {"m": {"base_url": "https://api.openai.com/v1", "model": "gpt-4o-mini", "family": "gpt"}},
    "generators": [
        {"use": "self_instruct", "model": "m", "cap": 0.5, "name": "new tasks"},
        {"use": "procedural", "family": "arithmetic", "tasks": ["rates"]},
    ],
}


def asking(folder, **more):
    """Settings with a generator that asks a listed model, seeded by real records that are not sealed yet."""
    return settings(folder, **{**ASKING, **more})


def test_a_plan_with_a_model_comes_before_the_seal_and_writes_nothing(tmp_path):
    """Real seeds are not sealed yet; half of 30 records at two calls each are counted, priced, and nothing is made."""
    made = plan(asking(tmp_path))
    (line,) = made.generators
    assert ("new tasks", "m", "openai/gpt-4o-mini") == (line.generator, line.model, line.price_source)
    assert 2 * 15 / 0.65 == pytest.approx(made.calls.value, abs=1)
    assert 0 < made.cost.low < made.cost.value < made.cost.high
    assert 0 < made.seconds.low < made.seconds.value < made.seconds.high
    assert ["real.jsonl"] == [path.name for path in tmp_path.iterdir()]


def test_a_budget_below_the_estimate_is_told(tmp_path):
    """A cent's hundredth does not last; a fortune does, and is not mentioned."""
    poor = plan(asking(tmp_path, budget={"cost": 0.0001}))
    assert [True] == ["below the estimate" in text for text in poor.warnings if "budget" in text]
    assert [] == [text for text in plan(asking(tmp_path, budget={"cost": 1000})).warnings if "budget" in text]


def test_an_unknown_price_is_told_and_refused_with_a_budget(tmp_path):
    """Without a budget the cost is unknown and said to be; with one nothing begins."""
    unheard = {"models": {"m": {"base_url": "https://llm.test/v1", "model": "unheard-of"}}}
    made = plan(asking(tmp_path, **unheard))
    assert made.cost is None
    assert ["not zero"] == ["not zero" for text in made.warnings if "price of model m" in text]
    assert made.to_dict()["cost"] is None
    with pytest.raises(UsageError, match="not zero"):
        plan(asking(tmp_path, **unheard, budget={"cost": 5}))


def test_a_local_model_costs_nothing(tmp_path):
    """On this machine the price is known, and zero."""
    local = {"models": {"m": {"base_url": "http://127.0.0.1:8080/v1", "model": "mine"}}}
    made = plan(asking(tmp_path, **local, budget={"cost": 5}))
    assert (0, 0, "loopback") == (made.cost.value, made.cost.high, made.generators[0].price_source)


def test_what_is_not_supported_is_refused(tmp_path):
    """Real files whose columns are named differently are refused by name, before anything is done."""
    real = [{"path": "real.jsonl"}, {"path": "real.jsonl", "map": {"prompt": "question", "response": "answer"}}]
    with pytest.raises(UsageError, match="real files with different maps"):
        plan(asking(tmp_path, real=real))


JUDGED = {"j": {"base_url": "https://api.anthropic.com/v1", "model": "claude-3-5-haiku-latest"}}


def judged(folder, **more):
    """Settings of a build whose records another model judges."""
    (folder / "r.md").write_text("Good answers are right.")
    judge = {"model": "j", "rubric": str(folder / "r.md"), **more.pop("judge", {})}
    return asking(folder, models=ASKING["models"] | JUDGED, filters={"judge": judge}, **more)


def test_calls_of_judges_are_counted_and_priced(tmp_path):
    """30 records and 7 canaries are one call each by score, two in pairs; rubric and answer are read."""
    alone = plan(asking(tmp_path))
    made = plan(judged(tmp_path))
    (line,) = [line for line in made.generators if line.generator == "judge"]
    assert (37, 37) == (line.calls.value, made.calls.value - alone.calls.value)
    assert 37 * 400 < line.input_tokens.value < 37 * 1500
    assert line.cost.value > 0
    assert pytest.approx(alone.cost.value + line.cost.value) == made.cost.value
    assert any("no labels" in text for text in made.warnings)
    pairs = plan(judged(tmp_path, judge={"mode": "pairs"}))
    assert 74 == pairs.calls.value - alone.calls.value


def test_a_judge_of_a_generators_kin_is_refused(tmp_path):
    """The plan names both before anything is paid; with the risk accepted it is a warning."""
    kin = {"j": {"base_url": "https://api.openai.com/v1", "model": "gpt-4.1"}}
    settings_of = {"models": ASKING["models"] | kin, "filters": {"judge": {"model": "j", "rubric": "r.md"}}}
    (tmp_path / "r.md").write_text("Be right.")
    settings_of["filters"]["judge"]["rubric"] = str(tmp_path / "r.md")
    with pytest.raises(UsageError, match=r"judge j \(gpt-4\.1\) is of the same family, gpt: generator gpt-4o-mini"):
        plan(asking(tmp_path, **settings_of))
    waiver = [{"rule": "judge-family", "reason": "r", "owner": "o", "until": "2999-01-01"}]
    made = plan(asking(tmp_path, **settings_of, accepted_risks=waiver))
    assert any(text.startswith("accepted risk: judge j") for text in made.warnings)


def test_the_command_shows_ranges_and_sources(tmp_path):
    """Each estimate is printed with its ends, each price with where it comes from."""
    text = _text(plan(asking(tmp_path)))
    assert "new tasks -> m" in text
    assert "price: openai/gpt-4o-mini" in text
    assert re.search(r"^model calls +[\d,]+ \([\d,]+ to [\d,]+\)$", text, re.MULTILINE)
    assert re.search(r"^estimated cost +[\d.]+ \([\d.]+ to [\d.]+\) USD$", text, re.MULTILINE)
    assert re.search(r"^estimated time +\d+.* \(.* to .*\)$", text, re.MULTILINE)


@pytest.mark.parametrize(("ood", "real", "beside"), [("part=b", 10, 10), ("far.jsonl", 20, 5)])
def test_another_register_is_counted(ood, real, beside, tmp_path):
    """By a rule its records are no longer among the real ones; a file of its own takes none of them."""
    (tmp_path / "far.jsonl").write_text("".join(f'{{"text": "far {n}"}}\n' for n in range(5)))
    path = settings(tmp_path).real[0].path
    path.write_text("".join(f'{{"text": "a real one, number {n}", "part": "{"ab"[n % 2]}"}}\n' for n in range(20)))
    asked = Settings.model_validate(
        {"real": [{"path": str(path)}], "reserve": {"ood": ood if "=" in ood else str(tmp_path / ood)}}
    )
    made = plan(asked)
    assert (real, beside) == (made.real, made.ood)
