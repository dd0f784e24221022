"""Worded arithmetic: repeatable, right, varied."""

import re
from collections import Counter, defaultdict
from fractions import Fraction
from hashlib import blake2b
from itertools import islice

import pytest

from holdfast.core.errors import UsageError
from holdfast.generators import arithmetic
from holdfast.generators.arithmetic import PROBLEMS, TASKS, item, serves, stream

WORD = re.compile(r"\w+")


def word_triples(text: str) -> set[tuple[str, ...]]:
    """The word 3-grams of a text, read independently of the product."""
    words = WORD.findall(text.lower())
    return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}


def duplicates(texts: list[str], threshold: float) -> int:
    """How many texts have an earlier kept one at or above a Jaccard similarity, counted exactly."""
    kept: list[set[tuple[str, ...]]] = []
    where: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for text in texts:
        triples = word_triples(text)
        shared = Counter(at for triple in triples for at in where[triple])
        if any(n / (len(triples) + len(kept[at]) - n) >= threshold for at, n in shared.items()):
            continue
        for triple in triples:
            where[triple].append(len(kept))
        kept.append(triples)
    return len(texts) - len(kept)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("cell", [{}, {"difficulty": "easy"}, {"difficulty": "hard"}])
def test_item_does_not_depend_on_what_was_asked_before(task: str, cell: dict) -> None:
    """Item 7 is the same whether the stream starts at 0, at 7, or only that item is made."""
    late = list(islice(stream(task, 3, cell, start=5), 5))
    assert list(islice(stream(task, 3, cell), 10))[5:] == late
    assert item(task, 3, cell, 7) == late[2]
    assert late != list(islice(stream(task, 4, cell, start=5), 5))


@pytest.mark.parametrize("task", TASKS)
def test_every_step_and_the_final_line_are_right(task: str) -> None:
    """Each annotation is exact by Python's own arithmetic, and the last one is the gold answer."""
    for record in islice(stream(task, 5, {}), 300):
        steps = re.findall(r"<<([^=]+)=([^>]+)>>", record.response)
        for expression, written in steps:
            numbers = re.split(r"[-+*/]", expression)
            value, rest = Fraction(numbers[0]), expression
            for number in numbers[1:]:
                operator = re.search(r"[-+*/]", rest).group()
                rest = rest.partition(operator)[2]
                other = Fraction(number)
                value = {"+": value + other, "-": value - other, "*": value * other}.get(operator) or value / other
            assert value == Fraction(written)
        assert record.response.endswith(f"#### {record.fields['gold']}")
        assert record.fields["gold"] == steps[-1][1]


@pytest.mark.parametrize("task", TASKS)
def test_wording_survives_near_duplicate_filtering(task: str) -> None:
    """Of 1,000 problems of one task at most 1 % share half of their word 3-grams with an earlier one."""
    assert duplicates([record.text for record in islice(stream(task, 7, {}), 1000)], 0.5) <= 10


def test_openings_do_not_repeat() -> None:
    """Over all tasks no opening of three words begins more than 3 % of the problems."""
    openings = Counter(
        tuple(WORD.findall(record.prompt.lower())[:3]) for task in TASKS for record in islice(stream(task, 7, {}), 300)
    )
    assert openings.most_common(1)[0][1] <= 0.03 * 300 * len(TASKS)


def test_text_is_clean() -> None:
    """No slot, bracket or doubled blank is left, every sentence begins with a capital, articles fit."""
    for task in TASKS:
        for record in islice(stream(task, 1, {}), 500):
            assert re.search(r"[{}\[\]|]|  | [.,?:]|\ba [aeio]", record.prompt) is None, record.prompt
            assert re.search(r"[.?] [a-z]", record.prompt) is None, record.prompt
            assert record.prompt.endswith(("?", ".")), record.prompt


def test_every_problem_occurs() -> None:
    """Each problem can be drawn at its difficulty, and each task has both difficulties."""
    for problems in PROBLEMS.values():
        assert {"easy", "hard"} == {problem.difficulty for problem in problems}
    names = [problem.name for problems in PROBLEMS.values() for problem in problems]
    assert len(set(names)) == len(names)


def test_provenance_says_who_made_it() -> None:
    """Origin, generator with version, family, seed, depth and cell are on each record; ids are unique and sort."""
    records = list(islice(stream("rates", 7, {"difficulty": "hard"}), 20))
    made = records[0].provenance
    assert ("synthetic", "arithmetic/rates@1", "arithmetic", 7, 1) == (
        made.origin, made.generator, made.family, made.seed, made.depth,
    )  # fmt: skip
    assert {"topic": "rates", "difficulty": "hard"} == made.cell
    assert "rates-hard-7-000003" == records[3].id
    assert len({record.id for record in records}) == 20


def test_cells_it_cannot_aim_at_get_nothing() -> None:
    """A cell of another topic, an unknown difficulty or an unknown axis gets no record; an unknown task is refused."""
    assert serves("rates", {"topic": "rates", "difficulty": "easy"})
    assert [] == [
        cell for cell in ({"topic": "ratios"}, {"difficulty": "x"}, {"language": "fr"}) if serves("rates", cell)
    ]
    assert [] == list(stream("rates", 7, {"topic": "ratios"}))
    with pytest.raises(UsageError, match="Did you mean 'rates'"):
        next(stream("rate", 7, {}))


def test_known_items() -> None:
    """The text of the items is fixed: a change of wording or numbers needs a new version of the generator."""
    digests = "".join(record.digest for task in TASKS for record in islice(stream(task, 7, {}), 50))
    assert ("1", "4e0bec7baa042b97") == (arithmetic.VERSION, blake2b(digests.encode(), digest_size=8).hexdigest())
