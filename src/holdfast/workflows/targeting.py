"""Targeting: which generator makes how many records for which cell next, and when one has nothing more to give.

What a cell lacks is shared by accepted records per money, never beyond a cap, and each generator keeps a part of an
equal share, so that what it gives for its money stays known.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from holdfast.stats.proportion import share
from holdfast.workflows.making import Task
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.rounds import Line, State
from holdfast.workflows.sources import Streamed

# Records made per cell in the first round, doubled with each round up to the most: what a generator is good for is
# learned on few records, and later rounds are long enough that waiting for their last answers costs little.
FIRST, PER_CELL = 250, 2_500
# Records made in one round over all cells: they are in memory together, at some 4 kB each.
PER_ROUND = 5_000
# A generator is saturated for a cell when, of at least this many records in a round, fewer than this share is new and
# accepted: more of the same would not help.
SATURATION_SAMPLE, SATURATION_SHARE = 20, 0.05
# A writer is also saturated when hardly any run of three words is new any more: the upper end of the interval of that
# share lies below this, on at least so many sampled runs of one round.
NEW_RUNS, NEW_RUNS_SAMPLE = 0.02, 200
# Why a generator has nothing more for a cell; the last word counts.
WORDS = ("not-served", "exhausted", "saturated", "failing")
# The part of an equal share that each generator keeps, whatever it costs.
EXPLORED = 0.25


def tasks(recipe: Recipe, state: State) -> list[Task]:
    """Return what the next round asks for; nothing when every cell has its quota or nobody can serve it."""
    left = {number: recipe.limit(number) - state.of_source[number] for number in range(len(recipe.sources))}
    accepted = [state.of_source[number] for number in left]
    found: list[Task] = []
    room = PER_ROUND
    for cell, quota in enumerate(recipe.quotas):
        missing = min(quota.wanted - state.of_cell[cell], FIRST << min(state.rounds, 16), PER_CELL)
        if room <= 0 or missing <= 0:
            continue
        able = [number for number in left if left[number] > 0 and not _spent_on(recipe, state, number, cell)]
        able.sort(key=lambda number: state.accepted[number, cell])
        weights = _weights([accepted[number] for number in able], [state.cost.get(number, 0.0) for number in able])
        for place, number in enumerate(able):
            # Rounded up: what is left of the missing ones goes to the generators behind.
            wished = ceil(round(missing * weights[place] / sum(weights[place:]), 9))
            want = min(wished, left[number])
            if want > 0 and room > 0:
                most = min(ceil(want / _yield(state, number, cell)), room)
                found.append(Task(number, cell, want, most))
                room -= most
                left[number] -= want
                missing -= want
    return found


def _weights(accepted: Sequence[int], costs: Sequence[float]) -> list[float]:
    """Return by which weights generators share a cell: accepted records per money; all the same where none costs.

    One that costs nothing weighs as much as the cheapest that does.
    """
    if not any(costs):
        return [1.0] * len(costs)
    worth = [(count + 1) / cost if cost else 0.0 for count, cost in zip(accepted, costs, strict=True)]
    worth = [each or max(worth) for each in worth]
    equal = 1 / len(worth)
    return [EXPLORED * equal + (1 - EXPLORED) * each / sum(worth) for each in worth]


def _spent_on(recipe: Recipe, state: State, source: int, cell: int) -> str | None:
    """Return why a generator has nothing more for a cell, or None."""
    return state.spent.get((source, cell)) if recipe.serves(source, cell) else "not-served"


def _yield(state: State, source: int, cell: int) -> float:
    """Return the share of a generator's records for a cell that were accepted so far, kept off zero."""
    key = (source, cell)
    return max(SATURATION_SHARE, (state.accepted[key] + 1) / (state.drawn[key] + 1))


def spent(recipe: Recipe, state: State, task: Task, lines: Sequence[Line]) -> str:
    """Say why a generator has nothing more for a cell after a round, `state` before it; empty when it has.

    `not-served`: it never had; `exhausted`: no seeds or records left; `saturated`: hardly anything new comes;
    `failing`: most of its calls are never answered.
    """
    kept = sum(line.fate == "kept" for line in lines)
    if len(lines) < task.most and kept < task.want:
        return "exhausted" if lines or state.drawn[task.source, task.cell] else "not-served"
    if len(lines) >= SATURATION_SAMPLE and kept < SATURATION_SHARE * len(lines):
        return "failing" if sum(line.fate == "failed" for line in lines) > len(lines) / 2 else "saturated"
    runs, new = sum(line.runs for line in lines), sum(len(line.grams) for line in lines)
    writes = not isinstance(recipe.sources[task.source], Streamed)
    told = share(new, runs).high if writes and runs >= NEW_RUNS_SAMPLE else None
    return "saturated" if told is not None and told < NEW_RUNS else ""


def stopped_by(recipe: Recipe, state: State, cell: int) -> str:
    """Say what stopped a cell: its quota, a cap, or the last word of the generators that served it."""
    said = [_spent_on(recipe, state, number, cell) for number in range(len(recipe.sources))]
    if state.of_cell[cell] >= recipe.quotas[cell].wanted:
        return "quota"
    if set(said) == {"not-served"}:
        return "no-generator"
    # A generator that still had records was stopped by its cap.
    return "cap" if None in said else max(filter(None, said), key=WORDS.index)


def cell_report(recipe: Recipe, state: State, cell: int, why: str = "") -> dict[str, Any]:
    """Return what became of a cell; `why` is given where the run was stopped before its end.

    `repeats` is the share of records that repeat an accepted one, `new_runs` the share of sampled runs of three words
    that no record had before.
    """
    keys = [(number, cell) for number in range(len(recipe.sources))]
    drawn, repeats = (sum(counter[key] for key in keys) for counter in (state.drawn, state.repeats))
    new, runs = (sum(state.novelty.get(key, (0, 0))[at] for key in keys) for at in (0, 1))
    accepted, wanted = state.of_cell[cell], recipe.quotas[cell].wanted
    stopped = why if why and accepted < wanted else stopped_by(recipe, state, cell)
    told = {name: _told(*pair) for name, pair in {"repeats": (repeats, drawn), "new_runs": (new, runs)}.items()}
    return {"quota": wanted, "accepted": accepted, "stopped_by": stopped, **told}


def _told(hits: int, n: int) -> dict[str, Any]:
    said = share(hits, n)
    return {"value": said.value, "low": said.low, "high": said.high, "n": said.n}
