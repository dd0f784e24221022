"""Themes of prompts: a planted theme is found with its share and its name, real prompts have none that is large."""

import random
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.dataset import Dataset, ShardWriter, table_of
from holdfast.core.record import Record
from holdfast.dedup import themes
from tests.dedup.planted import rows

PLANTED = "Explain how {} and climate change are related, with an example from history number {}."
THINGS = ["trade", "farming", "music", "war", "medicine", "language", "cooking", "sport", "painting", "law"]


def questions(shared_data: Path, count: int) -> list[str]:
    """Real questions of many kinds."""
    return [row["question"] for row in rows(shared_data, "instruct/nq_open_dev")[:count]]


def planted(count: int) -> list[str]:
    """Prompts about one thing."""
    return [PLANTED.format(THINGS[k % 10], k) for k in range(count)]


def test_a_planted_theme_is_found_with_its_words(shared_data: Path) -> None:
    """150 of 500 prompts are about climate change: that is the largest theme, with exactly these members."""
    prompts = questions(shared_data, 350) + planted(150)
    found = themes.find(prompts)
    assert {"climate", "change", "history", "related"} >= set(found.themes[0].words)
    assert list(range(350, 500)) == found.themes[0].members.tolist()
    assert (150, 500) == (found.largest, found.prompts)
    # Two prompts are alike with chance 150 * 149 / (500 * 499): as if there were 11.2 themes, less for smaller ones.
    assert 9 < found.effective <= 500 * 499 / (150 * 149)


def test_the_order_of_prompts_makes_no_difference(shared_data: Path) -> None:
    """The same themes with the same sizes, whatever the order."""
    prompts = questions(shared_data, 400) + planted(60)
    moved = prompts.copy()
    random.Random(3).shuffle(moved)
    one, other = themes.find(prompts), themes.find(moved)
    assert [(t.words, t.members.size) for t in one.themes] == [(t.words, t.members.size) for t in other.themes]


@pytest.mark.parametrize(
    ("name", "column", "most"),
    [
        ("instruct/gsm8k_train", "question", 0.06),
        ("instruct/nq_open_dev", "question", 0.03),
        ("instruct/seed_tasks", "instruction", 0.04),
        ("verify/ifeval_en_17models", "prompt", 0.1),
        ("verify/mbpp_ref_and_mutants", "text", 0.1),
    ],
)
def test_real_prompts_have_no_large_theme(name: str, column: str, most: float, shared_data: Path) -> None:
    """The prompts that people wrote stay far below the 25 % of the rule, narrow tasks too."""
    found = themes.find(list(dict.fromkeys(row[column] for row in rows(shared_data, name)))[:2_000])
    assert found.largest <= most * found.prompts
    assert found.english > 2 * themes.ENGLISH - 0.1


def test_instructions_are_no_theme(shared_data: Path) -> None:
    """A sentence that many prompts share word for word does not make them alike."""
    told = "Give the final amount without currency symbols."
    prompts = [f"{text}? {told}" if k % 2 else text for k, text in enumerate(questions(shared_data, 400))]
    assert themes.find(prompts).largest <= 0.03 * 400


def test_another_language_is_told(shared_data: Path) -> None:
    """French text has hardly any English function word, so that nothing is judged by English lists."""
    texts = [row["target"] for row in rows(shared_data, "parallel/pydocs_en_fr")[:500]]
    assert themes.find(texts).english < themes.ENGLISH / 2


def test_distinct_prompts_across_shards(tmp_path: Path) -> None:
    """Each prompt counts once, records without one not at all, records outside the selection neither."""
    writer = ShardWriter(tmp_path)
    prompts = ["Who?", "", "who", "Where is it?", "Who!", "!", "Where is it?", "When?"]
    for start in (0, 3, 6):
        writer.write(table_of([Record(f"r{k}", prompts[k], "x") for k in range(start, min(start + 3, 8))]))
    data = Dataset(writer.finish())
    assert [0, 2, 3, 4, 7] == themes.distinct(data, np.arange(8)).tolist()
    assert [2, 6] == themes.distinct(data, np.array([1, 2, 6])).tolist()


def test_nothing_to_judge() -> None:
    """No prompts, empty prompts, and prompts of nothing but function words have no theme."""
    for prompts in ([], [""] * 5, ["what is it to you"] * 5):
        found = themes.find(prompts)
        assert ((), float("inf"), 0) == (found.themes, found.effective, found.largest)
