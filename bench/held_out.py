"""Held-out sets and clean text of the shared data, for the measurement of decontamination."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.core.text import words
from holdfast.dedup.decontaminate import RUN
from holdfast.dedup.eval_index import GRAM, EvalIndex

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
# Eval set: file, column that names an item, columns of the question, columns of the answer.
SETS = {
    "gsm8k_test": ("verify/gsm8k_solutions_6systems", "prompt_id", ("question",), ("solution",)),
    "gsm8k_train": ("instruct/gsm8k_train", "id", ("question",), ("solution",)),
    "nq_open": ("instruct/nq_open_dev", "id", ("question",), ()),
    "ifeval": ("verify/ifeval_en_17models", "key", ("prompt",), ("response",)),
    "mbpp": ("verify/mbpp_ref_and_mutants", "task_id", ("text",), ("solution",)),
    "humaneval": ("verify/humanevalpack_python", "task_id", ("prompt",), ("solution",)),
    "oasst": ("instruct/oasst_subset", "id", ("prompt",), ("response",)),
    "seed_tasks": ("instruct/seed_tasks", "id", ("instruction", "input"), ("output",)),
}
# Clean text: the columns of a record that a model would be trained on.
CLEAN = {
    "instruct/gsm8k_train": ("question", "solution"),
    "instruct/nq_open_dev": ("question",),
    "instruct/oasst_subset": ("prompt", "response"),
    "instruct/seed_tasks": ("instruction", "input", "output"),
    "multigen/pandalm_human_pairs": ("instruction", "input", "response_1", "response_2"),
    "multigen/qa_eval_nq": ("question", "answer"),
    "multigen/self_instruct_8systems": ("instruction", "input", "response"),
    "parallel/pydocs_en_fr": ("source", "target"),
    "detect/squad_human_vs_5generators": ("text",),
    "text/gutenberg": ("text",),
    "text/movie_reviews": ("text",),
    "text/state_union": ("text",),
    "text/wiki_abstracts": ("text",),
    "text/wikitext2_valid": ("text",),
    "verify/gsm8k_solutions_6systems": ("question", "solution"),
    "verify/humanevalpack_python": ("prompt", "solution", "test"),
    "verify/ifeval_en_17models": ("prompt", "response"),
    "verify/mbpp_ref_and_mutants": ("text", "solution", "tests"),
}
# Text that holds the items themselves.
RELATED = {(name, made[0]) for name, made in SETS.items()} | {("nq_open", "multigen/qa_eval_nq")}
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", *_TEENS)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


class Items:
    """The items of an eval set, their index, and which of them have a question or an answer long enough."""

    def __init__(self, questions: Sequence[str], answers: Sequence[str]) -> None:
        self.questions = list(questions)
        self.answers = list(answers) or [""] * len(self.questions)
        self.index = EvalIndex.of_texts(self.questions, self.answers)
        said = [" ".join(words(question)) for question in self.questions]
        known: dict[str, int] = {}
        self._first = [known.setdefault(text, number) for number, text in enumerate(said)]
        self.long = [number for number, text in enumerate(said) if len(text.split()) >= GRAM]
        self.answered = [number for number, text in enumerate(self.answers) if len(words(text)) >= RUN]

    @classmethod
    def of(cls, name: str) -> "Items":
        """Return an eval set by its name."""
        file, key, asked, answered = SETS[name]
        pairs = {row[key]: (text_of(row, asked), text_of(row, answered)) for row in reversed(list(rows_of(file)))}
        return cls(*zip(*pairs.values(), strict=True))

    def first(self, item: int) -> int:
        """Return the first item with the same question: the one that is told."""
        return self._first[item]


@cache
def clean_text(name: str) -> list[str]:
    """Return the texts of a file."""
    return [text_of(row, CLEAN[name]) for row in rows_of(name)]


def rows_of(name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def text_of(row: dict[str, Any], columns: Sequence[str]) -> str:
    """Return the text of some columns of a row."""
    return "\n".join(str(row[column]) for column in columns if row.get(column))


def with_options(questions: Sequence[str], turn: int = 0) -> list[str]:
    """Return each question with four options, the words that end four questions, the order turned by `turn`."""
    ends = [" ".join(question.split()[-2:]).strip("?. ") for question in questions]
    made = []
    for number, question in enumerate(questions):
        choices = [ends[(number + step * 7) % len(ends)] for step in range(4)]
        choices = choices[turn:] + choices[:turn]
        listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
        made.append(f"{question}\n{listed}")
    return made


def numbers_as_words(text: str) -> str:
    """Return the text with whole numbers below a thousand written out."""
    return re.sub(r"(?<![\d.,])\d{1,3}(?![\d.,]*\d)", lambda found: spelled(int(found[0])), text)


def spelled(number: int) -> str:
    """Return a number below a thousand in words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    rest = number % 100
    return f"{_ONES[number // 100]} hundred" + (f" and {spelled(rest)}" if rest else "")
