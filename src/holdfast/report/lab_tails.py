"""Pictures of a tail being lost: samples as the first model sees them, and words by rank, generation by generation."""

from collections.abc import Mapping, Sequence
from math import log10
from statistics import median
from typing import Any

from holdfast.report import numbers, svg
from holdfast.report.lab_charts import BOTTOM, LEFT, RIGHT, TOP
from holdfast.report.picture import Picture

# Bins of a histogram, and the share of generation 0 that the tail mark leaves beyond it.
BINS = 36
TAIL = 0.95


def histograms(data: Mapping[str, Any]) -> Picture | None:
    """Perplexity of each sample under the first model, a histogram per generation, its tail marked."""
    rows = [(one["generation"], sorted(one["perplexities"])) for one in data["tails"].get("origin", ())]
    if not rows or not rows[0][1]:
        return None
    first = rows[0][1]
    mark, middle = first[int(TAIL * (len(first) - 1))], median(first)
    low, high = min(values[0] for _, values in rows), max(values[-1] for _, values in rows)
    tall = 40
    bottom = TOP + tall * len(rows) + 4
    root = svg.canvas(bottom + 50, "Perplexity of samples under the first model", "A histogram per generation.")
    x = svg.scale(log10(low), log10(high), LEFT, RIGHT + 20)
    for place, (generation, values) in enumerate(rows):
        floor = TOP + tall * (place + 1)
        bins = _bins(values, low, high)
        step = (RIGHT + 20 - LEFT) / BINS
        for index, share in enumerate(bins):
            if share:
                height = (tall - 6) * share / max(bins)
                centre = low * (high / low) ** ((index + 0.5) / BINS)
                kind = "beyond" if centre > mark else "synthetic"
                svg.bar(root, (LEFT + index * step, floor - height), (step - 1, height), kind, numbers.percent(share))
        svg.line(root, (LEFT, floor), (RIGHT + 20, floor), "grid")
        svg.text(root, (LEFT - 6, floor - 4), f"gen {generation}", "tick", "end")
        svg.text(root, (RIGHT + 24, floor - 4), numbers.percent(_beyond(values, mark)), "small")
    svg.line(root, (x(log10(mark)), TOP), (x(log10(mark)), bottom), "cap")
    svg.line(root, (x(log10(middle)), TOP), (x(log10(middle)), bottom), "drop dashed")
    for decade in range(-1, 7):
        if low <= 10**decade <= high:
            svg.text(root, (x(decade), bottom + 16), numbers.count(10**decade), "tick", "middle")
    svg.text(
        root, ((LEFT + RIGHT) / 2, bottom + 38), "perplexity of one document under the first model", "small", "middle"
    )
    table = tuple(
        (str(generation), f"{median(values):.1f}", f"{values[0]:.1f}", f"{values[-1]:.1f}",
         numbers.percent(_beyond(values, mark)), str(len(values)))
        for generation, values in rows
    )  # fmt: skip
    caption = (
        f"{_arm(data)}: what each generation writes, as the model of the real text sees it. Dashed: the middle of "
        "generation 0, and where its last twentieth begins. What lies beyond (its share on the right) is text "
        "that the first model would hardly have written."
    )
    header = ("generation", "median", "smallest", "largest", "beyond the mark", "documents")
    return Picture("What is written, generation by generation", svg.markup(root), caption, header, table)


def rank_frequency(data: Mapping[str, Any]) -> Picture | None:
    """Words by rank on log axes, generation by generation; where a curve ends is where its tail is lost."""
    lines = [(one["generation"], one["points"]) for one in data["tails"].get("ranks", ())]
    lines = [(generation, points) for generation, points in lines if len(points) > 1]
    if not lines:
        return None
    right, top = (log10(max(points[end][axis] for _, points in lines)) for end, axis in ((-1, 0), (0, 1)))
    root = svg.canvas(226, "Rank and frequency of words", "Falling curves on log axes; later ones end earlier.")
    x, y = svg.scale(0, right, LEFT, RIGHT), svg.scale(0, top, BOTTOM, TOP)
    for decade in range(int(top) + 1):
        svg.line(root, (LEFT, y(decade)), (RIGHT, y(decade)), "grid")
        svg.text(root, (LEFT - 6, y(decade) + 4), numbers.count(10**decade), "tick", "end")
    for decade in range(int(right) + 1):
        svg.text(root, (x(decade), BOTTOM + 18), numbers.count(10**decade), "tick", "middle")
    kept, whole = log10(lines[-1][1][-1][0]), log10(lines[0][1][-1][0])
    svg.bar(root, (x(kept), TOP), (x(whole) - x(kept), BOTTOM - TOP), "lost")
    share = 1 - lines[-1][1][-1][0] / lines[0][1][-1][0]
    svg.text(root, (RIGHT + 6, TOP + 12), f"{numbers.percent(share)} of", "label")
    svg.text(root, (RIGHT + 6, TOP + 27), "the words", "label")
    svg.text(root, (RIGHT + 6, TOP + 42), "are lost", "label")
    for place, (generation, points) in enumerate(lines):
        kind = f"curve dose dose-{_strength(place, len(lines))}"
        svg.path(root, [(x(log10(rank)), y(log10(max(count, 1)))) for rank, count in points], kind)
        end = points[-1]
        hover = f"generation {generation}: {end[0]:,} words"
        svg.dot(root, (x(log10(end[0])), y(log10(max(end[1], 1)))), 3.5, "mark synthetic", hover)
    svg.text(root, ((LEFT + RIGHT) / 2, BOTTOM + 38), "rank of the word, most frequent first", "small", "middle")
    table = tuple((str(generation), f"{points[-1][0]:,}", f"{points[0][1]:,}") for generation, points in lines)
    caption = f"{_arm(data)}: words of as many samples, paler for earlier generations. Dots: the rarest word left."
    return Picture(
        "The tail that is lost", svg.markup(root), caption, ("generation", "words left", "of the most frequent"), table
    )


def _arm(data: Mapping[str, Any]) -> str:
    tails = data["tails"]
    dose = f" at {100 * tails['dose']:g}% synthetic" if tails["dose"] is not None else ""
    return f"The arm '{tails['arm']}'{dose}"


def _bins(values: Sequence[float], low: float, high: float) -> list[float]:
    """Shares of values per bin, evenly spaced on a log axis."""
    found = [0] * BINS
    span = log10(high / low) or 1.0
    for value in values:
        found[min(BINS - 1, int(BINS * log10(value / low) / span))] += 1
    return [amount / len(values) for amount in found]


def _beyond(values: Sequence[float], mark: float) -> float:
    return sum(value > mark for value in values) / len(values)


def _strength(place: int, lines: int) -> int:
    """The later the generation the stronger: 1 to 5."""
    return 1 + round(4 * place / max(lines - 1, 1))
