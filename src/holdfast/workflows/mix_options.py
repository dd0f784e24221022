"""What a mixture is asked for, and the command line that asks for the same again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from holdfast.core.engine import LocalRunner, Runner
from holdfast.core.objects import named
from holdfast.core.settings import DEFAULT_CAP
from holdfast.core.shapes import RowShape

# Options with one value that the command of a mixture names.
TOLD = (
    "max_synthetic",
    "by",
    "per_generator",
    "per_stratum",
    "size",
    "choose",
    "order",
    "real_epochs",
    "previous",
    "seed",
)


@dataclass(frozen=True, slots=True)
class MixOptions:
    """The caps, the unit they are counted in, and the strata.

    `per_generator` caps each generator's share of the synthetic part, `per_stratum` the synthetic share of a stratum.
    `strata` are columns; a stratum is one combination of their values, named like "difficulty=hard,topic=rates".
    `weights` give strata their share of the records, 1 where it is silent; without any the shares are as they come.
    With `choose` coverage those synthetic records are left out that add least to what the real ones cover of `anchor`,
    or of all candidates where there is none. `order` synthetic-first writes real records last: one pass over synthetic
    and then over real data avoided strong collapse in regression where mixing did not (openreview ayBfYBks0U).
    `real_epochs` is how often a real record may be in the set where real data are short for a cap (`workflows.epochs`).
    `previous` is the folder or manifest of the round before, which the set is compared with (`workflows.previous`).
    """

    max_synthetic: float = DEFAULT_CAP
    by: Literal["records", "tokens"] = "records"
    per_generator: float = 1.0
    caps: Mapping[str, float] = field(default_factory=dict)
    strata: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    per_stratum: float = 1.0
    size: int | None = None
    choose: Literal["random", "coverage"] = "random"
    order: Literal["shuffled", "synthetic-first"] = "shuffled"
    anchor: Sequence[str | Path] = ()
    held_out: Sequence[str | Path] = ()
    real_epochs: int = 1
    previous: Path | None = None
    seed: int = 7
    shape: RowShape = "own"
    mapping: Mapping[str, str] = field(default_factory=dict)
    runner: Runner = field(default_factory=LocalRunner)

    @property
    def only_the_cap_binds(self) -> bool:
        """True where nothing but the overall cap can leave a synthetic record out."""
        others = min([self.per_generator, self.per_stratum, *self.caps.values()])
        return others >= 1 and not self.weights and self.size is None

    @property
    def capped(self) -> bool:
        """True where some cap can leave a synthetic record out."""
        return min([self.max_synthetic, self.per_generator, self.per_stratum, *self.caps.values()]) < 1

    def cap(self, generator: str) -> float:
        """Return the cap of a generator (`generator_of`) as written."""
        return self.caps.get(generator, self.per_generator)


def generator_of(name: str | None) -> str:
    """Return the name under which a generator is capped: two versions (`name@version`) are one generator."""
    return (name or "").partition("@")[0]


def command(real: Sequence[str | Path], synthetic: Sequence[str | Path], out: Path, options: MixOptions) -> str:
    """Return the command that mixes the same again; what is as by default is left out, except caps and seed."""
    weights = [f"{stratum}={weight:g}" for stratum, weight in options.weights.items()]
    maps = [f"{name}={column}" for name, column in options.mapping.items()]
    several = {"real": real, "synthetic": synthetic, "eval": options.held_out, "anchor": options.anchor}
    several |= {"strata": options.strata, "weight": weights, "map": maps}
    one, plain = ({name: getattr(each, name) for name in TOLD} for each in (options, MixOptions()))
    told = {name: each for name, each in one.items() if each != plain[name] or name in ("max_synthetic", "by", "seed")}
    words = [word for name, values in several.items() for value in values for word in (f"--{name}", str(value))]
    words += [word for name, value in told.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(["holdfast", "mix", *words, "--out", named(out)])
