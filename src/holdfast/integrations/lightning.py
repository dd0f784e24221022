"""A callback for Lightning: the watcher at the end of training batches, with a sampler and a scorer of your own.

trainer = Trainer(callbacks=[watch_callback(sample=my_sampler, nll=my_nll, options=LoopOptions(ood=ood, id=ids))])
"""

from collections.abc import Callable, Sequence
from typing import Any

from holdfast.core.errors import MissingExtraError
from holdfast.integrations.loop import LoopOptions, Watcher

ModuleSample = Callable[[Any, float], Sequence[str]]
ModuleNll = Callable[[Any, Sequence[str], float], Sequence[float | None]]


def watch_callback(
    sample: ModuleSample | None = None, nll: ModuleNll | None = None, options: LoopOptions | None = None
) -> Any:
    """Return a Lightning Callback that checks every `options.every` steps, on global rank 0 only.

    `sample(module, seconds)` returns texts, `nll(module, texts, seconds)` nats per token of each. `callback.watcher`
    has the result. Raises MissingExtraError without lightning; once training runs it raises nothing.
    """
    try:
        from lightning.pytorch import Callback  # noqa: PLC0415  # optional extra [lightning]
    except ImportError as error:
        raise MissingExtraError("lightning", "lightning") from error
    made = type("WatchCallback", (LightningHooks, Callback), {})
    return made(sample, nll, options)


class LightningHooks:
    """The hooks of the callback, without the class that Lightning asks for."""

    def __init__(
        self, sample: ModuleSample | None = None, nll: ModuleNll | None = None, options: LoopOptions | None = None
    ) -> None:
        super().__init__()
        self._sample, self._nll = sample, nll
        self._options = options or LoopOptions()
        self.watcher: Watcher | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Open the watcher on global rank 0."""
        if not trainer.is_global_zero:
            return
        sample, nll = self._sample, self._nll
        self.watcher = Watcher(
            (lambda seconds: sample(pl_module, seconds)) if sample else None,
            (lambda texts, seconds: nll(pl_module, texts, seconds)) if nll else None,
            options=self._options,
        )

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002  # Lightning's form
        """Check if one is due, and end training after an alarm if that is wanted, on all ranks at the same step."""
        if self.watcher is not None:
            self.watcher.step(trainer.global_step)
        if self._options.stop_training and self._options.due(trainer.global_step):
            stop = self.watcher is not None and self.watcher.should_stop
            # All ranks ask at the same step, so that none waits for one that has stopped.
            trainer.should_stop = trainer.should_stop or trainer.strategy.reduce_boolean_decision(stop, all=False)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  # Lightning's form
        """Close the trackers."""
        if self.watcher is not None:
            self.watcher.close()
