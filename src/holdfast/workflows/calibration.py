"""Calibration: a judge held against people, whole and by subset, before it may reject anything.

Biases of a judge flip their sign between subsets, so that agreement over all says little about one of them. The lower
bound of kappa counts, not kappa; where there are few labels it is low, and the judge stays without power there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holdfast.core.labels import Label, adjudicated, last_said
from holdfast.core.verdict import Measurement
from holdfast.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha, raw_agreement
from holdfast.stats.correction import Confusion, expected_breakdown
from holdfast.stats.proportion import wilson
from holdfast.workflows.review_queue import REJECTED

WHOLE = "all"
# Below this many labels a bootstrap of kappa is not to be believed: its resamples hold too few of the rarer answer.
LEAST_LABELS = 30
# Labels of each kind, good and bad; without them kappa is undefined or rests on a handful.
LEAST_OF_A_KIND = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a judge or a panel agrees with people on one subset; `trusted`: it may reject there, else `why` not."""

    subset: str
    kappa: Measurement
    ac1: Measurement
    agreement: Measurement
    known: Confusion
    undecided: int
    lower: float
    trusted: bool
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return the plain form for the manifest, with the break-down point."""
        return asdict(self) | {"breakdown": asdict(expected_breakdown(self.known))}


def people(labels: Iterable[Label], pass_at: int, *, pairs: bool = False) -> dict[str, bool | None]:
    """Return what people said of each record: the majority of its raters, None where they are split.

    True and false count as they are; a whole number is good from `pass_at` on. With `pairs` a choice between the two
    answers of one row counts, before any score of it: its response is good where it is the better one. Who settles a
    disagreement decides it, until they take that back. Skips, ties and choices between rows say nothing about one
    record.
    """
    given = list(labels)
    alone = last_said(given).values()
    found: dict[str, list[bool]] = {}
    for kind in ("score", "choice"):
        votes: dict[str, list[bool]] = {}
        for label in alone:
            vote = _vote(label, pass_at, pairs=pairs)
            if label.kind == kind and vote is not None:
                votes.setdefault(label.id, []).append(vote)
        found |= votes
    settled = [(label.id, _vote(label, pass_at, pairs=pairs)) for label in adjudicated(given).values()]
    found |= {name: [vote] for name, vote in settled if vote is not None}
    return {name: None if 2 * sum(said) == len(said) else 2 * sum(said) > len(said) for name, said in found.items()}


def raters(labels: Iterable[Label], pass_at: int, *, pairs: bool = False) -> Measurement | None:
    """Return Krippendorff's alpha among the people, a ceiling for any judge; None where nobody labelled twice."""
    alone = last_said(labels)
    voted = {(name, rater): _vote(label, pass_at, pairs=pairs) for (name, _, rater), label in alone.items()}
    said = {key: vote for key, vote in voted.items() if vote is not None}
    names, who = ({key[at]: None for key in said} for at in (0, 1))
    if len(who) < 2:
        return None
    table = np.full((len(who), len(names)), np.nan)
    places = [{name: place for place, name in enumerate(each)} for each in (names, who)]
    for (name, rater), vote in said.items():
        table[places[1][rater], places[0][name]] = float(vote)
    return krippendorff_alpha(table)


def _vote(label: Label, pass_at: int, *, pairs: bool) -> bool | None:
    """Return what a label says of the record `id`; None where it says nothing of it alone."""
    if label.kind == "score":
        return label.value if isinstance(label.value, bool) else (label.value or 0) >= pass_at
    if pairs and label.kind == "choice" and label.other == label.id + REJECTED:
        return {1: True, 2: False}.get(int(label.value or 0))
    return None


def calibrate(
    human: Mapping[str, bool | None], judged: Mapping[str, bool | None], subsets: Mapping[str, str], least: float
) -> dict[str, Calibration]:
    """Return the calibration over all labelled records (`all`) and over each subset, by name.

    `human` and `judged` are verdicts by record, `subsets` its subset; `least` is the lower bound of kappa that is
    asked for. Records that people or the judge left undecided are counted and not compared.
    """
    shared = [name for name in human if name in judged and human[name] is not None]
    groups: dict[str, list[str]] = {WHOLE: shared}
    for name in shared:
        groups.setdefault(subsets.get(name, ""), []).append(name)
    pairs = {subset: [(bool(human[name]), judged[name]) for name in names] for subset, names in sorted(groups.items())}
    return {subset: _calibrated(subset, found, least) for subset, found in pairs.items()}


def _calibrated(subset: str, pairs: Sequence[tuple[bool, bool | None]], least: float) -> Calibration:
    said = [(human, bool(judge)) for human, judge in pairs if judge is not None]
    human, judge = ([float(pair[at]) for pair in said] for at in (0, 1))
    known = Confusion.of([pair[0] for pair in said], [pair[1] for pair in said])
    kappa = cohen_kappa(human, judge)
    lower = min(-1.0 if kappa.low is None else kappa.low, _cautious(known))
    why = ""
    if len(said) < LEAST_LABELS or min(known.good, known.bad) < LEAST_OF_A_KIND:
        why = f"{len(said)} labels ({known.good} good, {known.bad} bad); {LEAST_LABELS} are needed, 5 of each kind"
    elif lower < least:
        why = f"the lower bound of kappa is {lower:.2f}, below {least:g}"
    table = [human, judge]
    figures = kappa, gwet_ac1(table, categories=2), raw_agreement(table)
    return Calibration(subset, *figures, known, len(pairs) - len(said), lower, not why, why)


def _cautious(known: Confusion) -> float:
    """Return kappa at the lower Wilson bound of agreement: a judge that never erred on 30 labels may yet err.

    A bootstrap of labels without one disagreement has no width at all.
    """
    n = known.good + known.bad
    passed = known.good_passed + known.bad_passed
    chance = (known.good * passed + known.bad * (n - passed)) / n**2 if n else 1.0
    low = wilson(known.good_passed + known.bad_refused, n)[0]
    return (low - chance) / (1.0 - chance) if chance < 1 else -1.0
