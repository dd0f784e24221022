"""plan: what a build would stumble over is told before any work."""

import pytest

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
