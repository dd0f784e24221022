"""What an experiment is: its arms, doses, generations and seeds, and the list of chains that they make."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from holdfast.core.engine import Progress
from holdfast.core.errors import UsageError, nearest
from holdfast.lab.documents import LENGTH, MOST
from holdfast.models.ngram_sample import Decoding

# What each arm trains a generation on, in a user's words. A dose is the synthetic share of its training set.
ARMS = {
    "fresh-real": "the synthetic share, the rest drawn anew from the real text each generation",
    "fixed-real": "the synthetic share, the rest the same real documents each generation",
    "verified": "as fresh-real, its synthetic part the half that a model of the real text likes best",
    "two-stage": "as fresh-real, trained on the synthetic part first and the real part last",
    "replace": "only text of the generation before",
    "accumulate": "all real text and all text of all generations before",
    "accumulate-subsample": "as accumulate, of which as much as the real text is drawn",
    "real-only": "the real part of a dose alone: what dropping the synthetic part leaves",
}
DOSED = ("fresh-real", "fixed-real", "verified", "two-stage", "real-only")
DEFAULT_ARMS = ("fresh-real", "replace", "accumulate", "accumulate-subsample", "real-only")
DEFAULT_DOSES = (0.1, 0.3, 0.5, 0.7, 0.9)
# What the dose curve, the safe ratio and the net value are of: the first of these that was run.
CURVES = ("fresh-real", "fixed-real", "verified", "two-stage")


def _nothing(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class LabOptions:
    """An experiment. `loss` is the rise of perplexity on real text that is still accepted, as a share.

    Raises UsageError for unknown arms, a dose outside (0, 1), an arm that the backend cannot tell from another, or
    no generation, seed or loss at all.
    """

    backend: str = "ngram"
    device: str = "cpu"
    arms: tuple[str, ...] = DEFAULT_ARMS
    doses: tuple[float, ...] = DEFAULT_DOSES
    generations: int = 10
    seeds: int = 5
    decoding: Decoding = field(default_factory=Decoding)
    keep: float = 0.5
    loss: float = 0.1
    length: int = LENGTH
    most: int = MOST
    progress: Progress | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for arm in self.arms:
            if arm not in ARMS:
                raise UsageError(f"There is no arm {arm!r}.", nearest(arm, ARMS))
        if not self.arms or any(not 0 < dose < 1 for dose in self.doses) or not (self.doses or not self._dosed()):
            remedy = "Give an arm, and doses between 0 and 1: 0 itself is the first model, 1 the arm replace."
            raise UsageError(f"No experiment of arms {self.arms} at doses {self.doses}.", remedy)
        if len({f"{dose:g}" for dose in self.doses}) < len(self.doses):
            raise UsageError(f"Doses {self.doses} are the same to six digits.", "Give each dose once.")
        if min(self.generations, self.seeds) < 1 or not (0 < self.loss < inf and 0 < self.keep < 1 and self.length > 1):
            raise UsageError(
                f"No experiment of {self.generations} generations, {self.seeds} seeds, a loss of {self.loss}, a kept "
                f"share of {self.keep}, documents of {self.length} words.",
                "Give at least one generation and seed, a loss above 0, a kept share between 0 and 1.",
            )

    def _dosed(self) -> bool:
        return any(arm in DOSED for arm in self.arms)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that the numbers depend on."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("progress", "loss")}
        return {**values, "arms": list(self.arms), "doses": list(self.doses), "decoding": asdict(self.decoding)}


@dataclass(frozen=True, slots=True)
class Chain:
    """One run of generations: an arm at a dose under a seed. A dose of 1 is all synthetic."""

    arm: str
    dose: float | None
    seed: int

    @property
    def name(self) -> str:
        """The chain as a folder name, as 'fresh-real-0.3-1'."""
        return "-".join([self.arm, *([f"{self.dose:g}"] if self.dose is not None else []), str(self.seed)])

    def length(self, generations: int) -> int:
        """Return its generations: the control trains once."""
        return 1 if self.arm == "real-only" else generations


def chains(options: LabOptions) -> Iterator[Chain]:
    """Yield all chains, seed by seed, so that what is there after half the time is a whole design of fewer seeds."""
    for seed in range(options.seeds):
        for arm in options.arms:
            doses: tuple[float | None, ...] = options.doses if arm in DOSED else (1.0,) if arm == "replace" else (None,)
            yield from (Chain(arm, dose, seed) for dose in doses)


Show = Callable[[str, int, int], None]


def shown(options: LabOptions) -> Show:
    """Return what shows progress, or something that shows nothing."""
    return options.progress or _nothing
