"""The watcher in a training loop of any kind: takes a reading now and then, and never breaks the run.

An error in here is logged and the training goes on; only rank 0 does anything; checks are skipped while they have cost
more than their share of the training time. `integrations.transformers` and `integrations.lightning` are made of it.

    watcher = Watcher(sample=my_sampler, nll=my_nll, options=LoopOptions(ood=ood_texts, id=id_texts))
    for step, batch in enumerate(batches):
        ...
        watcher.step(step)
"""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any

from holdfast.integrations.trackers import Tracker, tracker
from holdfast.stats.alarm import AlarmOptions, Check
from holdfast.workflows.monitor import Monitor, Reading, Watched

log = logging.getLogger("holdfast.watch")

# Steps between two checks, and the share of the training time that checks may take before one is skipped.
EVERY = 500
OVERHEAD = 0.03
# Seconds for one check: what is not done by then is not measured, and its channel says so.
SECONDS = 60.0

Sample = Callable[[float], Sequence[str]]
Nll = Callable[[Sequence[str], float], Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What is watched and how often.

    `ood` and `id` are reserved real texts, never trained on; `anchor` real text whose words must last. A check is due
    every `every` steps from step `start` on, and is skipped where one more would take the checks beyond `overhead` of
    the time (0: never skipped). The first check is what later ones are held against: let the model settle first, for
    one that has learned nothing yet is varied. Each check gets `seconds`, half for perplexities and half for samples.
    `log` is a metric log that `holdfast watch` reads; `trackers` are opened by name or given open. `stop_training`
    makes an alarm end the run. `rank` is this process's, by default from RANK.
    """

    ood: Sequence[str] = ()
    id: Sequence[str] = ()
    anchor: Sequence[str] = ()
    every: int = EVERY
    start: int = 1
    overhead: float = OVERHEAD
    seconds: float = SECONDS
    decoding: Any = None
    log: str | Path | None = None
    trackers: Sequence[str | Tracker] = ()
    stop_training: bool = False
    alarm: AlarmOptions = field(default_factory=AlarmOptions)
    rank: int | None = None

    def due(self, step: int) -> bool:
        """Whether a check is due at this step, the same on every rank; it may still be skipped for its cost."""
        return step >= self.start and step % max(1, self.every) == 0


class Watcher:
    """Takes readings in a training loop. `sample(seconds)` returns the model's texts at fixed prompts and decoding.

    `nll(texts, seconds)` returns nats per token of each text, None for one it did not get to. `reference` is another
    model's, taken on the samples and reported only. What is left out leaves its channel BLIND.
    """

    def __init__(
        self,
        sample: Sample | None = None,
        nll: Nll | None = None,
        reference: Nll | None = None,
        options: LoopOptions | None = None,
    ) -> None:
        self.options = options or LoopOptions()
        self._sample, self._nll, self._reference = sample, nll, reference
        rank = self.options.rank
        self._awake = (int(os.environ.get("RANK", "0") or 0) if rank is None else rank) == 0
        self._monitor: Monitor | None = None
        self._open: list[Tracker] = []
        self._born: float | None = None
        self._spent = self._last = 0.0
        self._failed = False
        self._run = token_hex(4)

    @property
    def result(self) -> Watched:
        """What is said of the run so far."""
        return self._monitor.result if self._monitor else Monitor(options=self.options.alarm).result

    @property
    def should_stop(self) -> bool:
        """Whether an alarm asks the loop to end, which it does only with `stop_training`."""
        return self.options.stop_training and bool(self.result.exit)

    @property
    def overhead(self) -> float:
        """The share of the time since the first step that checks took."""
        passed = monotonic() - self._born if self._born is not None else 0.0
        return self._spent / passed if passed > 0 else 0.0

    def step(self, step: int, scores: Mapping[str, tuple[float, int]] | None = None) -> Check | None:
        """Check if one is due at this step and return what it says; None if it was not, or failed. Never raises.

        `scores` are benchmark results, {name: (share right, items)}.
        """
        if not self._awake:
            return None
        self._born = monotonic() if self._born is None else self._born
        if not self.options.due(step) or self._too_dear():
            return None
        return self.check(step, scores)

    def check(self, step: int, scores: Mapping[str, tuple[float, int]] | None = None) -> Check | None:
        """Check now, due or not. Never raises: an error is logged, the first with its trace."""
        if not self._awake:
            return None
        begun = monotonic()
        self._born = begun if self._born is None else self._born
        try:
            return self._checked(step, scores or {})
        except Exception:  # a watcher never breaks a run
            log.warning("holdfast: the check at step %s failed; the training goes on", step, exc_info=not self._failed)
            self._failed = True
            return None
        finally:
            self._last = monotonic() - begun
            self._spent += self._last

    def close(self) -> None:
        """Close the trackers and say what the checks cost. Never raises."""
        if self._monitor is not None:
            count = len(self.result.checks)
            log.info("holdfast: %s, %d checks took %.1f s, %.1f %% of the training time",
                     self.result.state, count, self._spent, 100 * self.overhead)  # fmt: skip
        for one in self._open:
            with suppress(Exception):
                one.close()
        self._open = []

    def _too_dear(self) -> bool:
        """Whether one more check like the last would take more than its share of the time; the first never does."""
        if not (self._last and self.options.overhead and self._born is not None):
            return False
        passed = monotonic() - self._born
        return (self._spent + self._last) / (passed + self._last) > self.options.overhead

    def _checked(self, step: int, scores: Mapping[str, tuple[float, int]]) -> Check:
        if self._monitor is None:
            self._monitor = Monitor(self.options.anchor, options=self.options.alarm)
            self._open = [tracker(one) if isinstance(one, str) else one for one in self.options.trackers]
        reading = self._reading(step, scores)
        check = self._monitor.observe(reading)
        if check.alarms:
            # Said before anything is written: a full disk must not keep an alarm from the log.
            log.warning("holdfast: step %s: %s", step, describe(check))
        if self.options.log is not None:
            self._write(Path(self.options.log), reading, check)
        for one in self._open:
            one.log(step, numbers(check))
            if check.alarms:
                one.alarm(step, describe(check))
        return check

    def _reading(self, step: int, scores: Mapping[str, tuple[float, int]]) -> Reading:
        given, half = self.options, self.options.seconds / 2
        begun = monotonic()
        ood = self._nll(given.ood, half / 2) if self._nll and given.ood else None
        real = self._nll(given.id, half - (monotonic() - begun)) if self._nll and given.id else None
        samples = self._sample(max(half, given.seconds - (monotonic() - begun))) if self._sample else None
        others = self._reference(samples, half) if self._reference and samples else ()
        return Reading(
            step,
            samples,
            ood_nll=ood,
            id_nll=real,
            id_metrics=scores,
            decoding=given.decoding,
            reference_nll=[value for value in others if value is not None],
        )

    def _write(self, path: Path, reading: Reading, check: Check) -> None:
        """Append the step to the metric log: what was measured, so that it can be judged again, and what was said.

        `run` tells this run from an earlier one in the same file: `holdfast watch --where run=...`.
        """
        seen = self._monitor.last if self._monitor else None
        blocks = {name: list(values) for name, values in seen.blocks.items()} if seen else {}
        measured = {
            "blocks": blocks,
            "ood_nll": reading.ood_nll,
            "id_nll": reading.id_nll,
            "decoding": reading.decoding,
        }
        scores = {name: {"value": value, "n": n} for name, (value, n) in reading.id_metrics.items()}
        said = {"state": check.state, "channel": check.channel, "onset": check.onset, "e": dict(check.e)}
        entry = {
            "step": reading.step,
            "run": self._run,
            **{key: value for key, value in measured.items() if value},
            "check": said,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps({**entry, 'id_metrics': scores} if scores else entry, default=_plain)}\n")


def numbers(check: Check) -> dict[str, float]:
    """Return what a tracker is given of a check: the evidence per channel, every value, whether it alarms."""
    evidence = {f"holdfast/{name}/evidence": value for name, value in check.e.items()}
    values = {f"holdfast/{name}": one.value for name, one in check.value.items() if one.value is not None}
    return {**evidence, **{name: float(value) for name, value in values.items()}, "holdfast/alarm": float(check.alarms)}


def describe(check: Check) -> str:
    """Return an alarm in one line: its state, its channels, and when it began."""
    return f"{check.state} in {check.channel}, since step {check.onset}; in-distribution: {check.holds}"


def _plain(value: Any) -> Any:
    """Return a number of numpy as Python's, and anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
