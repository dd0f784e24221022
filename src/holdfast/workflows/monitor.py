"""The watcher as an object: fed one step after another, by a training loop, a log, or a stream of outputs.

Three perplexities are kept apart: of fixed real text from elsewhere (ood), of fixed real text like the training data
(id), and of the model's own samples, which is reported and judged by nothing, because it falls while a model collapses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from holdfast.core.verdict import Measurement
from holdfast.metrics.blocks import (
    DOCUMENTS,
    Anchor,
    Cut,
    anchor,
    cut,
    described,
    hashed,
    length,
    measured,
)
from holdfast.metrics.sample_lm import NAME, SampleLM, sample_lm
from holdfast.metrics.sketch import Distinct
from holdfast.stats.alarm import (
    ALARMS,
    DIVERSITY,
    FEWEST_BLOCKS,
    ID,
    OOD,
    Alarm,
    AlarmOptions,
    Check,
    Level,
    Score,
    Seen,
    State,
    Step,
)
from holdfast.stats.median import mean_interval

VERSION = 1
MODEL = "the model itself"


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that can be known of one step; whatever is not given is BLIND for its channel, never guessed.

    `samples` are the model's texts at fixed prompts and fixed decoding, or `blocks` values per block of them, lower
    being worse. `own_nll` and `reference_nll` are nats per token of each sample, under the model and under another one.
    `seen` is a sketch of more text than `samples` holds. The rest is as in `stats.alarm.Seen`.
    """

    step: Step
    samples: Sequence[str] | None = None
    blocks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ood_nll: Sequence[float | None] | None = None
    id_nll: Sequence[float | None] | None = None
    id_metrics: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    decoding: Any = None
    own_nll: Sequence[float] = ()
    reference_nll: Sequence[float] = ()
    blind: Mapping[str, str] = field(default_factory=dict)
    reported: Mapping[str, Measurement] = field(default_factory=dict)
    seen: Distinct | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What a series of checks says: the state that stands for it, and every check. `exit` is the exit code, 0 or 1."""

    checks: tuple[Check, ...]
    verdict: Check | None
    options: AlarmOptions

    @property
    def state(self) -> State:
        """The worst alarm there was; without one the last check's state; BLIND before the first check."""
        return self.verdict.state if self.verdict else "BLIND"

    @property
    def exit(self) -> int:
        """1 after an alarm, else 0."""
        return int(self.state in ALARMS)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: {version, state, channel, onset, checks, budget}."""
        budget = {
            "checks_between_false_alarms": self.options.budget,
            "checks": len(self.checks),
            "threshold": self.options.threshold,
            "margin_diversity": self.options.margin_diversity,
            "margin_perplexity": self.options.margin_perplexity,
        }
        return {
            "version": VERSION,
            "state": self.state,
            "channel": self.verdict.channel if self.verdict else None,
            "onset": self.verdict.onset if self.verdict else None,
            "checks": [asdict(check) for check in self.checks],
            "budget": budget,
        }

    def to_json(self) -> str:
        """Return the JSON form as indented text; a number that is not finite is null."""
        return orjson.dumps(self.to_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()


class Monitor:
    """Judges a run step by step against its own first step.

    `anchor`, `ood` and `id` are real texts. Where a step brings samples but no perplexities, those of `ood` and `id`
    are taken under a bigram model fitted to the samples (`metrics.sample_lm`), and say so. Not for several threads.
    `last` is what the latest step was judged on.
    """

    def __init__(
        self,
        anchor: Iterable[str] = (),
        ood: Iterable[str] = (),
        id: Iterable[str] = (),  # noqa: A002  # the channel's name, in the log and everywhere else
        options: AlarmOptions | None = None,
        seed: int = 0,
    ) -> None:
        self._real = tuple(anchor)
        self._ood, self._id = tuple(ood), tuple(id)
        self._seed = seed
        self._alarm = Alarm(options or AlarmOptions())
        self._anchor: Anchor | None = None
        self._length = 0
        self.last: Seen | None = None
        self._model: SampleLM | None = None

    def update(
        self,
        step: Step,
        samples: Sequence[str] | None = None,
        *,
        ood_nll: Sequence[float | None] | None = None,
        id_nll: Sequence[float | None] | None = None,
        id_metrics: Mapping[str, tuple[float, int]] | None = None,
        decoding: Any = None,
    ) -> Check:
        """Add one step and return what is said of it; the first step is the start that others are held against."""
        given = Reading(step, samples, {}, ood_nll, id_nll, id_metrics or {}, decoding=decoding)
        return self.observe(given)

    def observe(self, given: Reading) -> Check:
        """Add one step with everything that is known of it."""
        blocks, reported, blind = dict(given.blocks), dict(given.reported), dict(given.blind)
        ood, real, by, slack = given.ood_nll, given.id_nll, MODEL, 0.0
        if given.samples is not None:
            rows = self._cut(given.samples)
            blocks |= measured(rows, self._length, self._anchor)
            reported |= described(rows, given.seen or _sketch(given.samples), self._anchor)
            if len(blocks.get("distinct-2", ())) < FEWEST_BLOCKS:
                blind[DIVERSITY] = self._short(rows)
            if ood is None and real is None and (self._ood or self._id):
                ood, real = self._stand_in(rows, blind)
                by, slack = NAME, self._model.slack if self._model else 0.0
        for name, nll in (("sample-perplexity", given.own_nll), ("reference-perplexity", given.reference_nll)):
            if len(nll):
                spread = mean_interval(nll, 0.95)
                reported[name] = Measurement(spread.value, spread.low, spread.high, len(nll), "nats per token")
        scores = {name: Score(*pair) for name, pair in given.id_metrics.items()}
        seen = Seen(given.step, blocks, ood, real, scores, given.levels, given.decoding, blind, by, slack, reported)
        self.last = seen
        return self._alarm.check(seen)

    @property
    def result(self) -> Watched:
        """What is said of all steps so far."""
        return Watched(tuple(self._alarm.checks), self._alarm.verdict, self._alarm.options)

    def _cut(self, samples: Sequence[str]) -> Cut:
        """Return this step's documents, cut; the first samples fix to how many words."""
        if not self._length:
            self._length = length(samples)
            self._anchor = anchor(self._real, self._seed) if self._real else None
        return cut(samples, self._length, self._seed)

    def _short(self, rows: Cut) -> str:
        """Say how many words a check needs, and how many it got."""
        wanted = FEWEST_BLOCKS * DOCUMENTS * self._length
        return (
            f"{len(rows)} samples have {len(rows.ids):,} words within the first {self._length} of each; a check takes "
            f"{wanted:,} ({FEWEST_BLOCKS} blocks of {DOCUMENTS * self._length:,}): take more or longer samples"
        )

    def _stand_in(self, rows: Cut, blind: dict[str, str]) -> tuple[list[float] | None, list[float] | None]:
        """Return nats per word of the two real sets under a model of these samples."""
        if self._model is None:
            if len(rows) < DOCUMENTS:
                return None, None  # no samples to speak of: the next step may be the start
            self._model = sample_lm(rows, self._ood, self._id)
        found = self._model.nll(rows)
        if found is None:
            short = (
                f"samples of {len(rows.ids):,} words, fewer than the {self._model.budget:,} that every step is read by"
            )
            blind.update({name: short for name, texts in ((OOD, self._ood), (ID, self._id)) if texts})
            return None, None
        return found[0] or None, found[1] or None


def _sketch(samples: Sequence[str]) -> Distinct:
    seen = Distinct()
    seen.add(*hashed(samples))
    return seen
