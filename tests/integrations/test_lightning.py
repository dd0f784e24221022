"""The Lightning callback: on rank 0, at the end of batches, and never in the way."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from holdfast.core.errors import MissingExtraError
from holdfast.integrations.lightning import LightningHooks, watch_callback
from holdfast.integrations.loop import LoopOptions
from tests.integrations.test_loop import LIKE, OOD, Model


def fit(hooks: LightningHooks, model: Model, steps: int, rank: int = 0) -> SimpleNamespace:
    """Call the hooks as Lightning's fit loop does, the model narrowing at step 50."""
    strategy = SimpleNamespace(reduce_boolean_decision=lambda stop, **_: stop)
    trainer = SimpleNamespace(global_step=0, is_global_zero=rank == 0, should_stop=False, strategy=strategy)
    hooks.on_train_start(trainer, model)
    for step in range(1, steps + 1):
        if step == 50:
            model.vocabulary, model.loss = 40, 4.0
        trainer.global_step = step
        hooks.on_train_batch_end(trainer, model, None, None, step - 1)
        if trainer.should_stop:
            break
    hooks.on_train_end(trainer, model)
    return trainer


def hooks(*, stop: bool) -> LightningHooks:
    options = LoopOptions(ood=OOD, id=LIKE, every=10, overhead=0.0, stop_training=stop)
    return LightningHooks(lambda module, s: module.sample(s), lambda module, given, s: module.nll(given, s), options)


def test_the_module_is_sampled_and_an_alarm_stops_the_fit() -> None:
    """The sampler is given the module; the fit ends at the first alarm when that is wanted, else it goes on."""
    stopping, going = hooks(stop=True), hooks(stop=False)
    assert (50, True) == ((done := fit(stopping, Model(), 100)).global_step, done.should_stop)
    assert (100, False) == ((done := fit(going, Model(), 100)).global_step, done.should_stop)
    assert going.watcher is not None
    assert "COLLAPSE" == going.watcher.result.state


def test_other_ranks_do_nothing() -> None:
    """On another rank there is no watcher and no question to the model."""
    made, model = hooks(stop=True), Model()
    assert 100 == fit(made, model, 100, rank=1).global_step
    assert (None, 0) == (made.watcher, model.asked)


def test_without_lightning_the_extra_is_named() -> None:
    """Where Lightning is not installed the callback is one clear line; where it is, it is Lightning's class."""
    if find_spec("lightning") is None:
        with pytest.raises(MissingExtraError, match=r"holdfast\[lightning\]"):
            watch_callback()
    else:
        assert isinstance(watch_callback(), LightningHooks)
