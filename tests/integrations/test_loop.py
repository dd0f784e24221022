"""The watcher in a loop of any kind: due checks, a budget of time, and no error that ends a run."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.integrations.loop import LoopOptions, Watcher
from holdfast.workflows.watch import WatchOptions, watch
from tests.metrics.test_blocks import texts

OOD, LIKE = texts(30, 8), texts(30, 9)


class Model:
    """What stands for a model: its vocabulary, and how badly it predicts the text from elsewhere."""

    def __init__(self) -> None:
        self.vocabulary, self.loss, self.asked = 400, 3.0, 0

    def sample(self, seconds: float) -> list[str]:
        self.asked += 1
        return texts(250, 100 + self.asked, self.vocabulary)

    def nll(self, given: Sequence[str], seconds: float) -> list[float | None]:
        return [self.loss if given is OOD else 2.0] * len(given)


def watcher(model: Model, **given: Any) -> Watcher:
    options = LoopOptions(**{"ood": OOD, "id": LIKE, "every": 10, "overhead": 0.0, **given})
    return Watcher(model.sample, model.nll, options=options)


def test_a_collapsing_loop_is_alarmed_and_stops(tmp_path: Path) -> None:
    """Checks come every ten steps; when the model narrows the loop is asked to stop, and the log says why."""
    model = Model()
    watched = watcher(model, stop_training=True, log=tmp_path / "run.jsonl", decoding={"temperature": 1.0})
    stopped = None
    for step in range(1, 200):
        if step == 50:
            model.vocabulary, model.loss = 40, 4.0
        watched.step(step)
        if watched.should_stop:
            stopped = step
            break
    watched.close()
    assert 50 == stopped
    assert "COLLAPSE" == watched.result.state
    assert [10, 20, 30, 40, 50] == [check.step for check in watched.result.checks]


def test_the_log_can_be_judged_again(tmp_path: Path) -> None:
    """`holdfast watch` says of the log what was said while it was written."""
    model = Model()
    watched = watcher(model, log=tmp_path / "run.jsonl")
    for step in range(0, 100, 10):
        model.vocabulary, model.loss = (40, 4.0) if step > 50 else (400, 3.0)
        watched.check(step, {"exam": (0.8, 4000)})
    again = watch(tmp_path / "run.jsonl")
    assert [check.state for check in watched.result.checks] == [check.state for check in again.checks]
    assert [check.e for check in watched.result.checks] == [check.e for check in again.checks]
    line = json.loads((tmp_path / "run.jsonl").read_text("utf-8").splitlines()[-1])
    assert ({"exam": {"value": 0.8, "n": 4000}}, "COLLAPSE") == (line["id_metrics"], line["check"]["state"])


def test_a_healthy_loop_is_silent_and_goes_on() -> None:
    """A model that stays as it is gives no alarm, and nobody asks it to stop."""
    watched = watcher(Model(), stop_training=True)
    for step in range(0, 100, 10):
        watched.step(step + 10)
    assert {"OK"} == {check.state for check in watched.result.checks}
    assert not watched.should_stop


def test_an_error_is_logged_and_the_training_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """A sampler that fails, a tracker that fails: the first is logged with its trace, no step raises."""

    def broken(seconds: float) -> list[str]:
        raise RuntimeError("the model is out of memory")

    watched = Watcher(broken, options=LoopOptions(every=1, overhead=0.0))
    with caplog.at_level(logging.WARNING, "holdfast.watch"):
        assert [None, None] == [watched.step(step) for step in (1, 2)]
    assert 2 == len(caplog.records)
    assert [True, False] == [bool(record.exc_info) for record in caplog.records]
    watched.close()
    unknown = watcher(Model(), trackers=("nothing:here",))
    assert unknown.step(10) is None


def test_only_rank_zero_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other ranks, by option or by the environment of torchrun, never ask the model anything."""
    model = Model()
    assert watcher(model, rank=1).step(10) is None
    monkeypatch.setenv("RANK", "3")
    assert watcher(model).step(10) is None
    assert 0 == model.asked
    monkeypatch.setenv("RANK", "0")
    assert watcher(model).step(10) is not None


def test_checks_that_cost_too_much_are_skipped() -> None:
    """After a check that took nearly all of the time so far, the next due one is left out; the first never is."""
    model = Model()
    dear = watcher(model, overhead=0.03)
    assert dear.step(10) is not None
    assert dear.step(20) is None
    assert (1, True) == (model.asked, dear.overhead > 0.03)


def test_checks_wait_for_the_start() -> None:
    """Before `start` the model is not settled, and nothing is held against it."""
    model = Model()
    late = watcher(model, start=25)
    assert [False, False, True] == [late.step(step) is not None for step in (10, 20, 30)]


def test_a_reference_model_is_reported_and_judged_by_nothing() -> None:
    """The perplexity of the samples under another model is beside the alarm, however it moves."""
    model = Model()
    nats = iter((1.0, 9.0))
    given = LoopOptions(every=1, overhead=0.0)
    watched = Watcher(model.sample, None, lambda samples, seconds: [next(nats)] * len(samples), given)
    first, second = (watched.check(step) for step in (1, 2))
    assert first is not None
    assert second is not None
    assert (1.0, 9.0) == (first.value["reference-perplexity"].value, second.value["reference-perplexity"].value)
    assert not second.alarms


def test_a_log_is_named_as_text_and_two_runs_in_it_are_told_apart(tmp_path: Path) -> None:
    """The line of the docs gives the log as text; a second run in the same file is chosen by its `run`."""
    log = str(tmp_path / "run.jsonl")
    for _ in range(2):
        watched = watcher(Model(), log=log)
        assert [True, True] == [watched.step(step) is not None for step in (10, 20)]
    names = list(dict.fromkeys(json.loads(line)["run"] for line in Path(log).read_text("utf-8").splitlines()))
    assert 2 == len(names)
    assert [10, 20] == [check.step for check in watch(log, WatchOptions(where={"run": names[1]})).checks]


def test_an_alarm_is_said_when_nothing_can_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A log that cannot be written costs the log, not the alarm."""
    model = Model()
    (tmp_path / "file").write_text("", "utf-8")
    watched = watcher(model, log=tmp_path / "file" / "run.jsonl")
    with caplog.at_level(logging.WARNING, "holdfast.watch"):
        for step in (10, 20, 30):
            watched.step(step)
            model.vocabulary, model.loss = 40, 4.0
    assert any("step 30: COLLAPSE" in record.getMessage() for record in caplog.records)
