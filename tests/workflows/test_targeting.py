"""Targeting: who is asked for what next, under caps and for what it costs, and when somebody has nothing more."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.settings import GeneratorSettings, Settings
from holdfast.generators.writing import Material
from holdfast.workflows.cells import Quota
from holdfast.workflows.gaps import AXIS
from holdfast.workflows.generate import generate
from holdfast.workflows.making import Task
from holdfast.workflows.materials import Materials
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.rounds import REPEATED, Line, State
from holdfast.workflows.sources import Streamed
from holdfast.workflows.targeting import (
    EXPLORED,
    FIRST,
    PER_CELL,
    PER_ROUND,
    cell_report,
    spent,
    stopped_by,
    tasks,
)
from holdfast.workflows.writers import Written
from tests.workflows.asking import echo, settings

CELL = Quota("all", {}, 100)


def recipe(caps=(1.0, 1.0), wanted=(100,), sources=None):
    """Generators with these caps for cells that want so many."""
    made = sources or tuple(Streamed(f"g{n}", cap, "", lambda *_: iter(())) for n, cap in enumerate(caps))
    cells = tuple(Quota(f"c={n}", {"c": str(n)}, count) for n, count in enumerate(wanted))
    return Recipe(Settings(), made, cells, (), Materials(Settings()))


def state(accepted, costs=None, rounds=1, drawn=None):
    """A state in which each (source, cell) has so many accepted records of as many drawn, and cost so much."""
    made = State(rounds, cost=dict(enumerate(costs or [])))
    for key, count in accepted.items():
        made.accept(key, count)
        made.drawn[key] = (drawn or {}).get(key, count)
    return made


def wants(found):
    """How many accepted records each source is asked for, over all cells."""
    wanted = {}
    for task in found:
        wanted[task.source] = wanted.get(task.source, 0) + task.want
    return wanted


def line(fate="kept", reason="", runs=0, new=0):
    """One line of a round."""
    return Line(0, 0, 1, fate, reason, b"{}", 1, grams=tuple(range(new)), runs=runs)


def writer():
    """A source that writes."""
    entry = GeneratorSettings(use="prompt", model="m")
    return Written("w", "w", 1.0, entry, Settings(), lambda _material: iter, Material(entry, Path(), 7))


def test_without_prices_all_share_alike():
    """Where nobody costs anything, a cell is dealt out evenly, to within one, and nothing is left over."""
    assert {0: 34, 1: 33, 2: 33} == wants(tasks(recipe((1, 1, 1)), State()))


def test_money_goes_where_records_come_from():
    """Generators are weighed by accepted records per money; the dear one keeps a quarter of its equal share."""
    dear = state({(0, 0): 100, (1, 0): 100}, costs=[1.0, 99.0])
    found = wants(tasks(recipe(wanted=(1200,)), dear))
    share = found[1] / sum(found.values())
    assert EXPLORED / 2 + (1 - EXPLORED) / 100 == pytest.approx(share, abs=0.01)
    alike = wants(tasks(recipe(wanted=(1200,)), state({(0, 0): 100, (1, 0): 100}, costs=[5.0, 5.0])))
    assert abs(alike[0] - alike[1]) <= 1


def test_one_that_costs_nothing_weighs_as_the_cheapest_that_does():
    """A free generator is no reason to divide by zero, and takes no more than the best paid one."""
    found = wants(tasks(recipe((1, 1, 1), wanted=(1200,)), state({(1, 0): 50, (2, 0): 50}, costs=[0.0, 1.0, 4.0])))
    assert found[2] < found[1]
    assert abs(found[0] - found[1]) <= 1


@given(
    st.lists(st.sampled_from([0.1, 0.25, 0.4, 0.6, 1.0]), min_size=1, max_size=4),
    st.lists(st.integers(0, 8_000), min_size=1, max_size=4),
    st.integers(0, 20),
    st.data(),
)
def test_no_task_passes_a_cap_a_quota_or_the_room_of_a_round(caps, wanted, rounds, data):
    """Whatever was accepted and paid: no generator is asked beyond its cap, no cell beyond what it lacks."""
    plan = recipe(caps, wanted)
    before = State(rounds, cost={n: data.draw(st.sampled_from([0.0, 0.1, 7.0])) for n in range(len(caps))})
    for cell, quota in enumerate(wanted):
        for source in range(len(caps)):
            room = min(plan.limit(source) - before.of_source[source], quota - before.of_cell[cell])
            before.accept((source, cell), data.draw(st.integers(0, max(0, room))))
            before.drawn[source, cell] = before.accepted[source, cell]
    found = tasks(plan, before)
    for source, count in wants(found).items():
        assert before.of_source[source] + count <= plan.limit(source)
    for cell, quota in enumerate(wanted):
        asked = sum(task.want for task in found if task.cell == cell)
        assert asked <= max(0, min(quota - before.of_cell[cell], FIRST << min(rounds, 16), PER_CELL))
    assert sum(task.most for task in found) <= PER_ROUND
    assert all(task.most > 0 < task.want for task in found)
    reachable = [n for n in range(len(caps)) if plan.limit(n) > before.of_source[n]]
    assert bool(found) == (bool(reachable) and any(before.of_cell[n] < quota for n, quota in enumerate(wanted)))


def test_rounds_grow_and_have_an_end():
    """The first round asks for little, the next for twice as much, up to a most per cell and in all."""
    big = recipe(wanted=(100_000,))
    asked = [sum(wants(tasks(big, State(rounds))).values()) for rounds in (0, 1, 2, 9)]
    assert [FIRST, 2 * FIRST, 4 * FIRST, PER_CELL] == asked
    many = tasks(recipe(wanted=(10_000,) * 10), State(9))
    assert PER_ROUND == sum(task.most for task in many)


def test_more_is_made_than_wanted_where_much_is_refused():
    """A generator of which one in four records was accepted makes four for each that is wanted of it."""
    (task,) = tasks(recipe((1,)), state({(0, 0): 24}, drawn={(0, 0): 99}))
    assert (76, 76 * 4) == (task.want, task.most)


def test_one_that_is_spent_or_does_not_serve_is_not_asked():
    """A generator with nothing more for a cell is asked for others; a gap is for those that start from seeds."""
    before = State(1, spent={(0, 0): "saturated"})
    found = tasks(recipe(wanted=(10, 10)), before)
    assert {(1, 0), (0, 1), (1, 1)} == {(task.source, task.cell) for task in found}
    plan = recipe()
    aimed = replace(plan, quotas=(Quota("gap=x", {AXIS: "x"}, 10),))
    assert ([], "no-generator") == (tasks(aimed, State()), stopped_by(aimed, State(), 0))


FEW = [line()] * 3
BAD = [line("rejected", "too-short")] * 40


@pytest.mark.parametrize(
    ("most", "lines", "why"),
    [
        (10, [], "not-served"),
        (10, FEW, "exhausted"),
        (3, FEW, ""),
        (40, BAD, "saturated"),
        (40, [line("rejected", REPEATED)] * 39 + FEW[:1], "saturated"),
        (40, BAD[2:] + FEW[:2], ""),
        (19, BAD[:19], ""),
        (40, [line("failed", "timeout")] * 21 + BAD[:19], "failing"),
        (40, [line("failed", "timeout")] * 20 + BAD[:20], "saturated"),
    ],
)
def test_why_one_has_nothing_more(most, lines, why):
    """Nothing at all, too few, hardly anything new among enough, and calls that nobody answers, each have a word."""
    assert why == spent(recipe((1,)), State(), Task(0, 0, want=most, most=most), lines)


def test_what_met_its_want_is_not_exhausted():
    """A round broken off because enough was accepted says nothing about what is left."""
    assert "" == spent(recipe((1,)), State(), Task(0, 0, want=3, most=10), FEW)


def test_a_writer_that_repeats_its_phrases_is_saturated():
    """Of runs of words hardly any new one: a writer has no more to say; too few runs, or a stream, are not judged."""
    plan = recipe(sources=(writer(),))
    task = Task(0, 0, want=100, most=100)
    stale, fresh = [line(runs=10, new=0)] * 100, [line(runs=10, new=1)] * 100
    assert ["saturated", ""] == [spent(plan, State(), task, lines) for lines in (stale, fresh)]
    assert "" == spent(plan, State(), task, [line(runs=1, new=0)] * 100)
    assert "" == spent(recipe((1,)), State(), task, stale)


def test_the_last_word_of_a_short_cell():
    """A cell is stopped by its quota, by a cap where somebody still had records, else by the gravest of the words."""
    plan = recipe((0.1, 1.0), wanted=(10,))
    assert "quota" == stopped_by(plan, state({(1, 0): 10}), 0)
    for spoken, said in [
        ({}, "cap"),
        ({(1, 0): "exhausted"}, "cap"),
        ({(0, 0): "exhausted", (1, 0): "saturated"}, "saturated"),
        ({(0, 0): "failing", (1, 0): "saturated"}, "failing"),
        ({(0, 0): "not-served", (1, 0): "not-served"}, "no-generator"),
    ]:
        assert said == stopped_by(plan, State(1, spent=spoken), 0)
    assert "budget" == cell_report(plan, State(), 0, "budget")["stopped_by"]
    assert "quota" == cell_report(plan, state({(1, 0): 10}), 0, "budget")["stopped_by"]


def test_planted_repetitive_texts_end_a_run(tmp_path):
    """A writer of the same twenty sentences in ever other orders is stopped as saturated, long before its quota."""
    entry = {"use": "tests.workflows.own_writers:phrases", "template": None, "documents": None}
    with echo(tmp_path) as between:
        run = settings(tmp_path, between.base_url, generator=entry, cells={"quota": 5000}, limits={"concurrency": 32})
        manifest = generate(run, tmp_path / "out")
    (cell,) = manifest.more["cells"].values()
    assert (False, "saturated") == (manifest.ok, cell["stopped_by"])
    assert FIRST <= cell["accepted"] < 1000
    # No record repeats another one: only the phrases tell.
    assert (0, True) == (cell["repeats"]["value"], cell["new_runs"]["n"] > 400)
