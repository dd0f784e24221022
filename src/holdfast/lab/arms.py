"""What a generation is trained on, arm by arm: stages of documents from the real text and the earlier generations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.lab.design import Chain
from holdfast.lab.documents import Documents


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is when a generation is trained: real documents, those of all generations before, and chance.

    `made` holds the documents of each earlier generation, the latest last (arms that do not accumulate may keep only
    that one); `chance` is of this generation, `constant` the same for all generations of a chain.
    """

    real: Documents
    made: Sequence[Documents]
    chance: np.random.Generator
    constant: np.random.Generator


def stages(chain: Chain, given: Situation) -> list[Documents]:
    """Return the training set of the next generation, in the order of training."""
    return _ARMS[chain.arm](chain.dose if chain.dose is not None else 1.0, given)


def accumulates(chain: Chain) -> bool:
    """Return whether the arm needs the documents of all generations."""
    return chain.arm.startswith("accumulate")


def _mixed(dose: float, given: Situation) -> list[Documents]:
    return [np.concatenate(_parts(dose, given, given.chance))]


def _fixed(dose: float, given: Situation) -> list[Documents]:
    return [np.concatenate(_parts(dose, given, given.constant))]


def _two_stage(dose: float, given: Situation) -> list[Documents]:
    return _parts(dose, given, given.chance)


def _real_only(dose: float, given: Situation) -> list[Documents]:
    return _parts(dose, given, given.constant)[1:]


def synthetic(dose: float, size: int) -> int:
    """Return how many of so many documents are synthetic at a dose."""
    return size - round((1.0 - dose) * size)


def _parts(dose: float, given: Situation, chance: np.random.Generator) -> list[Documents]:
    """Return the synthetic part and the real part; together as many documents as the real text has."""
    size = len(given.real)
    real = size - synthetic(dose, size)
    made = given.made[-1][: size - real] if given.made else given.real[:0]
    return [made, given.real[chance.permutation(size)[:real]]]


def _accumulated(dose: float, given: Situation) -> list[Documents]:  # noqa: ARG001  # one shape for all arms
    return [np.concatenate([given.real, *given.made])]


def _subsampled(dose: float, given: Situation) -> list[Documents]:
    pool = _accumulated(dose, given)[0]
    return [pool[given.chance.permutation(len(pool))[: len(given.real)]]]


_ARMS: dict[str, Callable[[float, Situation], list[Documents]]] = {
    "fresh-real": _mixed,
    "verified": _mixed,
    "fixed-real": _fixed,
    "two-stage": _two_stage,
    "replace": _mixed,
    "accumulate": _accumulated,
    "accumulate-subsample": _subsampled,
    "real-only": _real_only,
}
