"""reasoning-gym tasks: self-checked, repeatable, with answers that verify."""

import os
import subprocess
import sys
from itertools import islice

import pytest

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.generators import procedural
from holdfast.generators.procedural import UNREPEATABLE, item, self_check, serves, stream
from holdfast.verifiers import math

pytest.importorskip("reasoning_gym", reason="extra [gym] is not installed")

USED = ("chain_sum", "gsm_symbolic", "leg_counting", "fraction_simplification", "calendar_arithmetic")


@pytest.mark.parametrize("task", USED)
def test_item_does_not_depend_on_what_was_asked_before(task: str) -> None:
    """Item 7 is the same whether the stream starts at 0 or at 7."""
    made = {record.id: record for record in islice(stream(task, 3, {}), 12)}
    late = {record.id: record for record in islice(stream(task, 3, {}, start=7), 4)}
    shared = made.keys() & late.keys()
    assert len(shared) >= 3
    assert {key: made[key] for key in shared} == {key: late[key] for key in shared}


def test_items_are_the_same_in_another_process() -> None:
    """Another process with another hash seed makes the same bytes."""
    code = (
        "from itertools import islice; from holdfast.generators.procedural import stream;"
        f"print([r.digest for t in {USED!r} for r in islice(stream(t, 3, {{}}), 5)])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert str([record.digest for task in USED for record in islice(stream(task, 3, {}), 5)]) == outputs[0].strip()


@pytest.mark.parametrize("task", USED)
def test_gold_answers_verify(task: str) -> None:
    """The math check accepts the responses by their gold answers."""
    records = list(islice(stream(task, 5, {}), 40))
    assert {True} == {verdict.ok for verdict in math.batch(records)}


@pytest.mark.parametrize("task", ["boxnet", "rush_hour", "graph_color"])
def test_task_that_fails_its_own_scorer_is_refused_by_name(task: str) -> None:
    """A task whose scorer refuses its own gold answers is not used."""
    with pytest.raises(UsageError, match=f"reasoning-gym/{task} fails its self-check"):
        next(stream(task, 7, {}))


@pytest.mark.parametrize("task", UNREPEATABLE)
def test_unrepeatable_task_is_refused_by_name(task: str) -> None:
    """A task that depends on the date or on the order of a set is not used."""
    with pytest.raises(UsageError, match=f"reasoning-gym/{task} cannot be repeated"):
        self_check(task)


def test_unknown_task_names_the_nearest() -> None:
    """A misspelt task is an error with the nearest name."""
    with pytest.raises(UsageError, match="Did you mean 'chain_sum'"):
        self_check("chain_sums")


def test_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without reasoning-gym the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    procedural._gym.cache_clear()
    procedural.self_check.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"holdfast\[gym\]"):
            self_check("chain_sum")
    finally:
        procedural._gym.cache_clear()


def test_difficulty_changes_the_items() -> None:
    """Hard items of a task differ from easy ones and say so; a task without levels serves no difficulty."""
    easy, hard = (item("chain_sum", 7, {"difficulty": level}, 3) for level in ("easy", "hard"))
    assert easy is not None
    assert hard is not None
    assert easy.text != hard.text
    assert {"topic": "chain_sum", "difficulty": "hard"} == hard.provenance.cell
    assert not serves("gsm_symbolic", {"difficulty": "hard"})
    assert not serves("chain_sum", {"topic": "rates"})


def test_no_rounding_noise() -> None:
    """An item that shows a binary float in full is left out; the numbering of the others stays."""
    numbers = [int(record.id.rpartition("-")[2]) for record in islice(stream("gsm_symbolic", 7, {}, start=910), 10)]
    assert [910, 911, 912, 913, 914, 916, 917, 918, 919, 920] == numbers
