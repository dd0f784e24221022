"""What an experiment says, in a user's words: curve, net value, bounded or divergent, safe dose, profile.

    loss        rise of perplexity on real held-out text over generation 0, a share: exp(nats_g - nats_0) - 1
    net value   perplexity of the real part alone over that of the mix, less 1: above 0 the synthetic part helps
    settling    the loss of the second half of the generations over that of the first; 'bounded' below .3,
                'divergent' at 1 and above, 'slowing' between, 'unsettled' where the seeds do not agree
    safe        the largest dose of the curve up to which the whole interval of the loss is below what is accepted

Intervals are Student's over seeds (`stats.student`), paired by seed: each seed has its own held-out text, split and
luck. Loss and net value are averaged as logarithms. One seed has no interval.
The profile follows Schaeffer et al. 2025, arXiv:2503.03150: no single number is collapse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from math import expm1, inf, log1p
from typing import Any

from holdfast.core.verdict import Measurement
from holdfast.lab.chain import Chains
from holdfast.lab.design import CURVES, LabOptions
from holdfast.lab.measures import PAIRED, Measures
from holdfast.stats import dose as laws
from holdfast.stats.alarm import Alarm, Seen
from holdfast.stats.student import mean

Group = Mapping[int, list[Measures]]
Key = tuple[str, float | None]

# A series that goes on as it went, each half adding less than this share of the half before, comes to an end. The
# bound is below what growth without end adds: the logarithm ln 2/ln 5 = .43, the square root .41 after ten generations.
SETTLES = 0.3
# A rise of the second half below this share of the perplexity is none: the bounds of 2 % are two of the seeds' spread.
STILL = 0.02


def answers(found: Chains, options: LabOptions) -> dict[str, Any]:
    """Return everything that is said of an experiment, as JSON-ready data."""
    groups = grouped(found)
    curve = next((arm for arm in CURVES if arm in options.arms), None)
    rows = [_row(key, group, groups) for key, group in groups.items() if key[0] != "real-only"]
    return {
        "curve": curve,
        "arms": rows,
        "safe": _safe(curve, rows, options.loss) if curve else None,
        "control": [
            {"dose": key[1], "loss": asdict(loss(group, 1))} for key, group in groups.items() if key[0] == "real-only"
        ],
        "alarms": [_alarm(key, group) for key, group in groups.items() if key[0] != "real-only"],
        "tails": _tails(groups),
    }


def _tails(groups: Mapping[Key, Group]) -> dict[str, Any]:
    """Return what shows a tail being lost: samples of the arm that loses most as the first model sees them, ranks.

    Perplexities of samples under the first model, by generation (as figure 1 of Shumailov et al. 2024), all seeds
    together; rank and frequency of words of the first seed.
    """
    looped = {key: group for key, group in groups.items() if key[0] != "real-only"}
    if not looped:
        return {}
    key = max(looped, key=lambda each: loss(looped[each], _last(looped[each])).value or 0.0)
    group, last = looped[key], _last(looped[key])
    at = sorted({g for g in (0, 1, 3, last // 2, last) if g <= last})
    first = group[min(group)]
    return {
        "arm": key[0],
        "dose": key[1],
        "origin": [
            {"generation": g, "perplexities": [_exp(nats) for cells in group.values() for nats in cells[g].origin]}
            for g in at
        ],
        "ranks": [{"generation": g, "points": [list(point) for point in first[g].ranks]} for g in at],
    }


def grouped(found: Chains) -> dict[Key, dict[int, list[Measures]]]:
    """Return the chains by arm and dose, each seed's cells."""
    groups: dict[Key, dict[int, list[Measures]]] = {}
    for chain, cells in found.items():
        groups.setdefault((chain.arm, chain.dose), {})[chain.seed] = cells
    return groups


def _row(key: Key, group: Group, groups: Mapping[Key, Group]) -> dict[str, Any]:
    arm, dose = key
    last = _last(group)
    settled, floor = settling(group)
    control = groups.get(("real-only", dose))
    return {
        "arm": arm,
        "dose": dose,
        "generations": last,
        "loss": asdict(loss(group, last)),
        "loss_first": asdict(loss(group, 1)),
        "net_value": asdict(net_value(group, control, last)) if control else None,
        "net_value_first": asdict(net_value(group, control, 1)) if control else None,
        "verdict": settled,
        "profile": {name: asdict(value) for name, value in profile(group, floor).items()},
        "series": {name: [asdict(of(group, each, g)) for g in range(last + 1)] for name, each in SERIES.items()},
    }


# What is shown over the generations: unit and value of each.
SERIES: Mapping[str, tuple[str, Callable[[Measures], float]]] = {
    "perplexity-real": ("perplexity", lambda cell: cell.real),
    "perplexity-own": ("perplexity", lambda cell: cell.own),
    "types": ("words", lambda cell: float(cell.types)),
    "distinct-2": ("share", lambda cell: cell.distinct_2),
    "effective-words": ("words", lambda cell: cell.effective),
    "tail-coverage": ("share", lambda cell: cell.tail),
    "anchor-bigram-recall": ("share", lambda cell: cell.recall),
    "mode-share": ("share", lambda cell: cell.mode),
}


def of(group: Group, series: tuple[str, Callable[[Measures], float]], generation: int) -> Measurement:
    """Return one measure of a generation over seeds; perplexities as exp of the mean nats."""
    unit, value = series
    return measured(
        [value(cells[generation]) for cells in group.values()], unit, _exp if unit == "perplexity" else None
    )


def loss(group: Group, generation: int) -> Measurement:
    """Return the rise of perplexity on real text from generation 0, as a share."""
    return measured([cells[generation].real - cells[0].real for cells in group.values()], "share", expm1)


def net_value(group: Group, control: Group, generation: int) -> Measurement:
    """Return how much lower perplexity is with the synthetic part than without it, as a share of the former."""
    return measured(
        [control[seed][1].real - cells[generation].real for seed, cells in group.items() if seed in control],
        "share",
        expm1,
    )


def settling(group: Group) -> tuple[str, Measurement]:
    """Return 'bounded', 'slowing', 'divergent' or 'unsettled', and the loss at which a bounded series would end.

    The floor goes on as the two halves went: loss + second half * r / (1 - r), r the ratio of the halves.
    """
    last = _last(group)
    half = last // 2
    if half < 1:
        return "unsettled", Measurement(None, None, None, len(group), "share")
    rises = [[expm1(cells[g].real - cells[0].real) for g in (half, 2 * half)] for cells in group.values()]
    added = measured([log1p(end) - log1p(middle) for middle, end in rises], "share", expm1)
    ratio = measured([(end - middle) / max(middle, STILL) for middle, end in rises], "ratio")
    if (added.high if added.high is not None else added.value or 0.0) < STILL:
        return "bounded", measured([log1p(end) for _, end in rises], "share", expm1)
    high, low = ratio.high if ratio.high is not None else inf, ratio.low if ratio.low is not None else -inf
    if high < SETTLES:
        floors = [end + (end - middle) * _continued(middle, end) for middle, end in rises]
        return "bounded", measured([log1p(floor) for floor in floors], "share", expm1)
    verdict = "divergent" if low >= 1.0 else "slowing" if high < 1.0 else "unsettled"
    return verdict, Measurement(None, None, None, len(group), "share")


def _continued(middle: float, end: float) -> float:
    ratio = min(max((end - middle) / max(middle, STILL), 0.0), SETTLES)
    return ratio / (1.0 - ratio)


def profile(group: Group, floor: Measurement) -> dict[str, Measurement]:
    """Return the collapse profile of the last generation against generation 0.

    tail-loss: share of the real text's rare words (seen 1 to 3 times) that samples still had and have no more;
    variance-loss: 1 - shrink(ratio of effective words) as of a Gaussian (`stats.dose.shrink`); mode-share: share of the
    ten most frequent words; loss-slope: rise of the loss per generation over the second half; floor: where it ends.
    """
    last = _last(group)
    half = last // 2
    each = list(group.values())
    return {
        "tail-loss": measured([1.0 - cells[last].tail / max(cells[0].tail, 1e-9) for cells in each], "share"),
        "variance-loss": measured(
            [1.0 - laws.shrink(cells[last].effective / cells[0].effective) for cells in each], "share"
        ),
        "mode-share": measured([cells[last].mode for cells in each], "share"),
        "loss-slope": measured(
            [
                (expm1(cells[last].real - cells[0].real) - expm1(cells[half].real - cells[0].real))
                / max(last - half, 1)
                for cells in each
            ],
            "share per generation",
        ),
        "floor": floor,
    }


def _safe(curve: str, rows: Sequence[Mapping[str, Any]], accepted: float) -> dict[str, Any]:
    """Return the safe dose of the curve, and where between the doses the loss crosses what is accepted."""
    points = sorted((row["dose"], row["loss"]) for row in rows if row["arm"] == curve)
    safe, known = 0.0, False
    for dose, seen in points:
        if (seen["high"] if seen["high"] is not None else seen["value"]) > accepted:
            break
        safe, known = dose, True
    crossing = [_crossing([(d, m[end] if m[end] is not None else m["value"]) for d, m in points], accepted)
                for end in ("value", "high", "low")]  # fmt: skip
    n = points[0][1]["n"] if points else 0
    return {
        "arm": curve,
        "loss": accepted,
        "dose": safe if known else None,
        "largest": points[-1][0] if points else None,
        "crossing": asdict(Measurement(crossing[0], crossing[1], crossing[2], n, "share")),
    }


def _crossing(points: Sequence[tuple[float, float]], accepted: float) -> float | None:
    """Return the dose at which the loss, straight between doses, first passes what is accepted, or None.

    Without synthetic text there is no loss: the curve begins at (0, 0).
    """
    before = (0.0, 0.0)
    for point in points:
        if point[1] > accepted:
            share = (accepted - before[1]) / (point[1] - before[1])
            return before[0] + share * (point[0] - before[0])
        before = point
    return None


def _alarm(key: Key, group: Group) -> dict[str, Any]:
    """Return what the watcher would have said of the first seed, generation by generation, and of all at the end."""
    runs = {seed: watched(cells) for seed, cells in group.items()}
    first = runs[min(runs)]
    at = {seed: next((check.step for check in run.checks if check.alarms), None) for seed, run in runs.items()}
    return {
        "arm": key[0],
        "dose": key[1],
        "threshold": first.options.threshold,
        "first_alarm": [at[seed] for seed in sorted(at)],
        "checks": [{"step": check.step, "state": check.state, "e": dict(check.e)} for check in first.checks],
    }


def watched(cells: Sequence[Measures]) -> Alarm:
    """Return the alarm after all generations of a chain; generation 0 is what they are held against."""
    alarm = Alarm()
    for cell in cells:
        alarm.check(seen(cell))
    return alarm


def seen(cell: Measures) -> Seen:
    """Return a generation as the watcher sees a training step.

    In distribution is what the model itself writes. Its documents are not the same at every step as those of a fixed
    set would be; a mean of differences between independent documents is as valid, only wider.
    """
    blocks = {"distinct-2": cell.blocks} if cell.blocks else {}
    return Seen(cell.generation, blocks, ood_nll=cell.documents[:PAIRED], id_nll=cell.samples)


def measured(values: Sequence[float], unit: str, back: Callable[[float], float] | None = None) -> Measurement:
    """Return the mean over seeds with its interval, turned back from logarithms where they were averaged."""
    turn = back or float
    inside = mean(values)
    if inside is None:
        return Measurement(turn(values[0]) if values else None, None, None, len(values), unit)
    return Measurement(turn(inside.value), turn(inside.low), turn(inside.high), len(values), unit)


def _exp(value: float) -> float:
    return expm1(value) + 1.0


def _last(group: Group) -> int:
    return min(len(cells) for cells in group.values()) - 1
