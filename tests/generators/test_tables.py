"""Own makers of code, JSON and table tasks: right by their verifiers, distinct, repeatable."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.record import Record
from holdfast.generators import tables
from holdfast.generators.tables import TASKS, item, serves, stream
from holdfast.verifiers import code, math, schema

VERIFIERS: Mapping[str, Any] = {"json-extract": schema, "table-query": math, "python-function": code}
CELLS = [{}, {"difficulty": "easy"}, {"difficulty": "hard"}]


def judged(task: str, records: list[Record]) -> list[bool | None]:
    return [verdict.ok for verdict in VERIFIERS[task].check.batch(records)]


@pytest.mark.parametrize("task", TASKS)
def test_every_answer_passes_its_verifier(task: str) -> None:
    """300 items of a task are distinct, belong to their verifier, and pass it."""
    records = list(islice(stream(task, 5, {}), 300))
    assert 300 == len({record.prompt for record in records}) == len({record.id for record in records})
    assert all(VERIFIERS[task].applies(record) for record in records)
    verdicts = VERIFIERS[task].check.batch(records)
    if verdicts[0].reason == "no-sandbox":
        pytest.skip("no sandbox here for programs")
    assert [] == [(record.id, verdict) for record, verdict in zip(records, verdicts, strict=True) if not verdict.ok]


@pytest.mark.parametrize("task", TASKS)
def test_the_answer_of_another_item_fails(task: str) -> None:
    """What a record carries tells its own answer from that of its neighbour, save where two numbers agree."""
    records = list(islice(stream(task, 5, {"difficulty": "hard"}), 60))
    wrong = [replace(one, response=_foreign(task, one, other)) for one, other in pairwise(records)]
    verdicts = judged(task, wrong)
    if None in verdicts:
        pytest.skip("no sandbox here for programs")
    assert sum(map(bool, verdicts)) <= 3


def _foreign(task: str, one: Record, other: Record) -> str:
    """The other's answer, under the name of the one's function."""
    if task != "python-function":
        return other.response
    names = [re.search(r"def (\w+)", record.response)[1] for record in (one, other)]
    return other.response.replace(names[1], names[0])


@pytest.mark.parametrize("task", TASKS)
def test_thousands_of_items_are_distinct(task: str) -> None:
    """Of 3,000 items of a task at most 1 % repeat a prompt."""
    assert 2_970 <= len({record.prompt for record in islice(stream(task, 1, {}), 3_000)})


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("cell", CELLS)
def test_item_does_not_depend_on_what_was_asked_before(task: str, cell: dict) -> None:
    """Item 7 is the same whether the stream starts at 0, at 5, or only that item is made."""
    late = list(islice(stream(task, 3, cell, start=5), 5))
    assert list(islice(stream(task, 3, cell), 10))[5:] == late
    assert item(task, 3, cell, 7) == late[2]
    assert late != list(islice(stream(task, 4, cell, start=5), 5))


def test_every_fact_stands_in_the_text() -> None:
    """Numbers and names of the JSON can be read in the text; the prompt names every key."""
    for record in islice(stream("json-extract", 2, {}), 300):
        shape, text = record.prompt.split("\n\n")
        value = json.loads(record.response)
        assert all(key in shape for key in value)
        for each in value.values():
            if isinstance(each, str) and not each.startswith("20"):
                assert each in text
            elif not isinstance(each, bool | str):
                assert f"{each:,.2f}" in text or f"{each:,}" in text


def test_a_question_is_answered_by_its_table() -> None:
    """The numbers that a total is computed from stand in the table."""
    for record in islice(stream("table-query", 2, {"difficulty": "easy"}), 200):
        numbers = set(re.findall(r"\d+", record.prompt.split("|", 1)[1]))
        steps = re.match(r"([\d +]+) = (\d+)\n", record.response)
        if steps and "+" in steps[1]:
            assert set(steps[1].split(" + ")) <= numbers
            assert sum(map(int, steps[1].split(" + "))) == int(record.fields["gold"])


def test_cells_and_provenance() -> None:
    """Tasks serve their own topic and two difficulties; records say what they are."""
    assert serves("table-query", {"topic": "table-query", "difficulty": "hard"})
    for cell in ({"topic": "json-extract"}, {"difficulty": "odd"}, {"tone": "dry"}):
        assert not serves("table-query", cell)
        assert [] == list(stream("table-query", 1, cell))
    with pytest.raises(UsageError, match="Did you mean 'table-query'"):
        next(stream("table-querry", 1, {}))
    record = item("table-query", 9, {"difficulty": "hard"}, 3)
    assert "table-query-hard-9-000003" == record.id
    origin = record.provenance
    assert ("synthetic", "tables/table-query@1", tables.FAMILY, 1, 9) == (
        origin.origin, origin.generator, origin.family, origin.depth, origin.seed,
    )  # fmt: skip
    assert {"topic": "table-query", "difficulty": "hard"} == origin.cell
