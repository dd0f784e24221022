"""A callback for the Trainer of transformers: samples at fixed prompts, perplexities of reserved text, the alarm.

trainer = Trainer(..., callbacks=[watch_callback(prompts=prompts, options=LoopOptions(ood=ood, id=id_texts))])
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from holdfast.core.errors import MissingExtraError
from holdfast.integrations import causal
from holdfast.integrations.causal import Decoding
from holdfast.integrations.loop import LoopOptions, Watcher

log = logging.getLogger("holdfast.watch")


def watch_callback(
    prompts: Sequence[str] = (),
    options: LoopOptions | None = None,
    decoding: Decoding | None = None,
    reference: tuple[Any, Any] | None = None,
    tokenizer: Any = None,
) -> Any:
    """Return a TrainerCallback that checks every `options.every` steps.

    `reference` is another model and its tokenizer, whose perplexity of the samples is reported. The tokenizer is by
    default the Trainer's. It works on the main process only, and not on a model that is sharded over processes, where
    one process cannot sample alone: that is logged, and nothing is watched. `callback.watcher` has the result. Raises
    MissingExtraError without transformers; once training runs it raises nothing.
    """
    try:
        from transformers import TrainerCallback  # noqa: PLC0415  # optional extra [lab]
    except ImportError as error:
        raise MissingExtraError("transformers", "lab") from error
    hooks = TrainerHooks(prompts, options or LoopOptions(), decoding or Decoding(), reference, tokenizer)
    made = type("WatchCallback", (_Events, TrainerCallback), {})()
    made.hooks = hooks
    return made


class TrainerHooks:
    """What the callback does at each event, without the class that transformers asks for."""

    def __init__(
        self,
        prompts: Sequence[str],
        options: LoopOptions,
        decoding: Decoding,
        reference: tuple[Any, Any] | None,
        tokenizer: Any,
    ) -> None:
        self._prompts, self._options, self._decoding = prompts, options, decoding
        self._reference, self._tokenizer = reference, tokenizer
        self.watcher: Watcher | None = None

    def begin(self, args: Any, state: Any, model: Any, tokenizer: Any) -> None:
        """Open the watcher on the main process."""
        if not state.is_world_process_zero:
            return
        if _sharded(args):
            log.warning("holdfast: the model is sharded over processes, and one alone cannot sample: not watched")
            return
        words = self._tokenizer or tokenizer
        self.watcher = Watcher(
            lambda seconds: causal.sample(model, words, self._prompts, self._decoding, seconds),
            lambda texts, seconds: causal.nll(model, words, texts, seconds),
            self._other(),
            _with(self._options, self._decoding),
        )

    def end_of_step(self, state: Any, control: Any) -> None:
        """Check if one is due, and end training after an alarm if that is wanted, on all processes at the same step."""
        if self.watcher is not None:
            self.watcher.step(state.global_step)
        stop = self.watcher is not None and self.watcher.should_stop
        if self._options.stop_training and self._options.due(state.global_step) and causal.agreed(stop=stop):
            control.should_training_stop = True

    def end(self) -> None:
        """Close the trackers."""
        if self.watcher is not None:
            self.watcher.close()

    def _other(self) -> Any:
        if self._reference is None:
            return None
        model, tokenizer = self._reference
        return lambda texts, seconds: causal.nll(model, tokenizer, texts, seconds)


class _Events:
    """The events of the Trainer that matter, handed on."""

    hooks: TrainerHooks

    @property
    def watcher(self) -> Watcher | None:
        """The watcher of the run; None before it begins and where nothing is watched."""
        return self.hooks.watcher

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002  # the Trainer's form
        self.hooks.begin(args, state, given.get("model"), given.get("processing_class") or given.get("tokenizer"))

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002  # the Trainer's form
        self.hooks.end_of_step(state, control)

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002  # the Trainer's form
        self.hooks.end()


def _with(options: LoopOptions, decoding: Decoding) -> LoopOptions:
    return options if options.decoding is not None else replace(options, decoding=decoding.describe())


def _sharded(args: Any) -> bool:
    """Whether parameters are spread over processes (FSDP, or DeepSpeed)."""
    return bool(getattr(args, "fsdp", None) or getattr(args, "deepspeed", None))
