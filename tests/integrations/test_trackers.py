"""Trackers: one protocol, each written to as its own interface wants it."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.integrations.trackers import Mlflow, Tracker, Trackio, Wandb, tracker

VALUES = {"holdfast/diversity/evidence": 2.5, "holdfast/distinct-2": 0.5}


class Recorder:
    """An object that keeps every call made to it, as (name, positional, named)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.summary: dict[str, str] = {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: self.calls.append((name, given, named))


def driven(make: Callable[[Any], Tracker]) -> Recorder:
    """What a tracker did with one step, one alarm and its end."""
    run = Recorder()
    made = make(run)
    made.log(50, VALUES)
    made.alarm(75, "COLLAPSE in ood")
    made.close()
    return run


def test_wandb_gets_values_with_the_step_beside_them_and_an_alert() -> None:
    """The step is a value, so that W&B's own axis never goes back; the run is not finished by us."""
    run = driven(Wandb)
    assert ["log", "alert"] == [name for name, _, _ in run.calls]
    assert ({"holdfast/step": 50, **VALUES},) == run.calls[0][1]
    assert {"title": "Holdfast: alarm at step 75", "text": "COLLAPSE in ood"} == run.calls[1][2]
    assert {"holdfast/alarm": "step 75: COLLAPSE in ood"} == run.summary


def test_mlflow_gets_metrics_at_the_step_and_a_tag() -> None:
    """Metrics carry the step; the alarm is a tag; the run is not ended by us."""
    run = driven(Mlflow)
    assert [("log_metrics", (VALUES,), {"step": 50})] == run.calls[:1]
    assert [("set_tag", ("holdfast.alarm", "step 75: COLLAPSE in ood"), {})] == run.calls[1:]


def test_trackio_gets_numbers_only() -> None:
    """Values and the alarm are numbers with the step beside them."""
    run = driven(Trackio)
    assert [({"holdfast/step": 50, **VALUES},), ({"holdfast/step": 75, "holdfast/alarm": 1.0},)] == [
        given for _, given, _ in run.calls
    ]


def test_the_own_log_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """Every call is a line that can be read before the log is closed; an earlier log is added to."""
    for step in (1, 2):
        log = tracker(f"jsonl:{tmp_path}/deep/run.jsonl")
        log.log(step, {"a": 0.5})
        assert step == len((tmp_path / "deep" / "run.jsonl").read_text("utf-8").splitlines())
        log.close()
    log = tracker(f"jsonl:{tmp_path}/deep/run.jsonl")
    log.alarm(3, "DRIFT")
    log.close()
    last = (tmp_path / "deep" / "run.jsonl").read_text("utf-8").splitlines()[-1]
    assert {"step": 3, "alarm": "DRIFT"} == json.loads(last)


def test_tensorboard_writes_an_event_file(tmp_path: Path) -> None:
    """The event file holds each scalar at its step, as TensorBoard's own reader sees it."""
    assert {
        "holdfast/distinct-2": [(50, 0.5)],
        "holdfast/diversity/evidence": [(50, 2.5)],
        "holdfast/alarm": [(75, 1.0)],
    } == (scalars(written(tmp_path)))


def written(folder: Path) -> Path:
    """A folder with the events of one step and one alarm."""
    made = tracker(f"tensorboard:{folder}")
    made.log(50, VALUES)
    made.alarm(75, "COLLAPSE in ood")
    made.close()
    return folder


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar of the event files of a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415  # slow to load

    events = EventAccumulator(str(folder))
    events.Reload()
    found: dict[str, list[tuple[int, float]]] = {}
    for name in events.Tags()["tensors"]:
        found[name] = [(event.step, float(event.tensor_proto.float_val[0])) for event in events.Tensors(name)]
    return found


@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_an_absent_package_is_named_with_its_extra(name: str) -> None:
    """Without its package a tracker is one clear line with the install command."""
    if find_spec(name):
        tracker_class = {"wandb": Wandb, "mlflow": Mlflow, "trackio": Trackio}[name]
        assert tracker_class
        return
    with pytest.raises(MissingExtraError, match=rf"holdfast\[{name}\]"):
        tracker(f"{name}:project")


def test_an_unknown_tracker_is_refused() -> None:
    """The nearest name is offered."""
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        tracker("tensorbord:runs")
