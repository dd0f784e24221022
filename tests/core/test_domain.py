"""Domains: what each kind of record looks like, what is never subjective, and the rates on real files."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.domain import COLUMNS, DOMAINS, RULES, domain, domains, domains_of
from holdfast.core.record import Record

CASES = [
    ("instructions", "Write a poem without commas.", "Roses", {"instruction_id_list": ["punctuation:no_comma"]}),
    ("code", "Sum two numbers.", "a + b", {"entry_point": "add"}),
    ("code", "Sum two numbers.", "a + b", {"tests": ["assert add(1, 2) == 3"]}),
    ("code", "Reverse it", "Sure:\n```python\nprint(x[::-1])\n```", {}),
    ("code", "Write a Python function that sorts a list.", "Sort it with sorted.", {}),
    ("code", "", "#!/usr/bin/env python\nimport os\n\ndef main():\n    pass\n", {}),
    ("schema", "Who?", "Eva", {"schema": {"type": "object"}}),
    ("schema", "Return the person as JSON.", '{"name": "Eva"}', {}),
    ("translation", "Hello", "Bonjour", {"source": "Hello", "target": "Bonjour", "lang": "en-fr"}),
    ("translation", "Translate this sentence into French: Hello", "Bonjour", {}),
    ("math", "How many clips?", "48+24 = <<48+24=72>>72 clips.\n#### 72", {}),
    ("math", "Eva has 3 apples and buys 4 more. How many apples has she?", "seven", {"answer": "7"}),
    ("math", "Solve 3x + 4 = 10.", "x = 2", {}),
    ("subjective", "Write me a short story about a whale.", "Once upon a time", {}),
    ("subjective", "What do you think about the new law?", "It is good", {}),
    ("subjective", "Should I leave my job?", "Perhaps", {}),
    ("subjective", "Escribe un poema sobre el mar.", "El mar", {}),
    ("other", "What is the capital of France?", "Paris", {}),
    ("other", "how many episodes in great british bake off 2017", "10", {"answer": "10"}),
    ("other", "Summarize the story below.\nOnce upon a time", "A tale", {}),
    ("other", "Answer from the text.\n" + "The committee met. " * 20 + "Write a poem, he said.", "A poem", {}),
    ("other", "", "What do you think? Write a poem, tell a story, give your opinion: should I go?", {}),
    ("other", "", "i think this movie is the best story of the year . in my opinion you should see it", {}),
    ("other", "", "Classes import goods from abroad; functions define roles.", {}),
]


@pytest.mark.parametrize(("expected", "prompt", "response", "fields"), CASES)
def test_a_record_has_the_domain_of_its_task(expected: str, prompt: str, response: str, fields: dict[str, Any]) -> None:
    """Columns decide first, then what the response is, then what the prompt asks for."""
    assert expected == domain(Record("a", prompt, response, fields=fields))


def table_of(cases: list[tuple[str, str, dict[str, Any]]]) -> pa.Table:
    """A table with the three columns that are read."""
    return pa.table(
        {
            "prompt": pa.array([prompt for prompt, _, _ in cases], pa.string()),
            "response": pa.array([response for _, response, _ in cases], pa.string()),
            "fields": pa.array([json.dumps(fields) for _, _, fields in cases], pa.string()),
        }
    )


def test_the_batch_form_equals_the_row_form() -> None:
    """A record's neighbours do not change its domain."""
    rows = [case[1:] for case in CASES]
    assert [domain(Record("a", p, r, fields=f)) for p, r, f in rows] == domains(table_of(rows)).to_pylist()


@given(st.lists(st.tuples(st.sampled_from(CASES), st.text(max_size=20)), max_size=5))
def test_order_and_neighbours_do_not_matter(drawn: list[tuple[Any, str]]) -> None:
    """Any mixture of records, with arbitrary text behind them, gives row by row the same answers in any order."""
    rows = [(p, r + "\n" + noise.encode("utf-8", "replace").decode(), f) for (_, p, r, f), noise in drawn]
    forward = domains(table_of(rows)).to_pylist()
    assert forward == domains(table_of(rows[::-1])).to_pylist()[::-1]
    assert set(forward) <= set(DOMAINS)


def test_text_inside_a_row_cannot_pose_as_a_column() -> None:
    """A value that spells a key is text: the quotes around it are escaped."""
    assert "other" == domain(Record("a", "Hi", "Hello", fields={"note": '{"entry_point": 1, "schema": {}}'}))


def test_missing_columns_and_nulls_are_empty() -> None:
    """A table without fields or prompt, with nulls, or without rows has an answer per row."""
    assert ["other", "math"] == domains(pa.table({"response": [None, "#### 5"]})).to_pylist()
    assert [] == domains(table_of([])).to_pylist()


def test_every_rule_is_needed_by_name() -> None:
    """Each rule names a known domain and at least one pattern."""
    assert all(rule.domain in DOMAINS and any(getattr(rule, name) for name in COLUMNS) for rule in RULES)


@pytest.mark.parametrize(
    ("file", "prompt", "response", "expected", "share"),
    [
        ("instruct/gsm8k_train", "question", "solution", "math", 0.999),
        ("verify/gsm8k_solutions_6systems", "question", "solution", "math", 0.99),
        ("verify/humanevalpack_python", "prompt", "solution", "code", 1.0),
        ("verify/mbpp_ref_and_mutants", "text", "solution", "code", 1.0),
        ("verify/ifeval_en_17models", "prompt", "response", "instructions", 1.0),
        ("verify/json_schema_cases", "case", "test", "schema", 1.0),
        ("parallel/pydocs_en_fr", "source", "target", "translation", 1.0),
        ("instruct/nq_open_dev", "question", "", "other", 0.999),
        ("text/movie_reviews", "", "text", "other", 1.0),
        ("text/gutenberg", "", "text", "other", 1.0),
        ("text/wiki_abstracts", "", "text", "other", 1.0),
    ],
)
def test_rates_on_real_files(
    shared_data: Path, file: str, prompt: str, response: str, expected: str, share: float
) -> None:
    """Files of one kind are recognised as that kind; plain text is never subjective."""
    with gzip.open(shared_data / f"{file}.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    cases = [(str(row.get(prompt) or ""), str(row.get(response) or ""), row) for row in rows]
    counts = Counter(domains(table_of(cases)).to_pylist())
    assert counts[expected] >= share * len(rows), counts


@pytest.mark.parametrize(
    ("file", "column", "found", "claimed", "labelled"),
    [("seed_tasks", "instruction", 32, 32, 41), ("oasst_subset", "prompt", 10, 10, 19)],
)
def test_subjective_work_against_labels(
    shared_data: Path, file: str, column: str, found: int, claimed: int, labelled: int
) -> None:
    """Of the hand-labelled prompts, what is claimed subjective is so; what is missed is counted, not hidden."""
    labels = json.loads(Path(__file__).with_name("domain_labels.json").read_text())[file]
    with gzip.open(shared_data / f"instruct/{file}.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = {row: rows[row] for row in labels["rows"]}
    prompts = {row: "\n".join(filter(None, (given[column], given.get("input")))) for row, given in chosen.items()}
    records = [
        Record(str(row), prompts[row], given.get("output") or given.get("response", ""))
        for row, given in chosen.items()
    ]
    said = {row for row, kind in zip(chosen, domains_of(records), strict=True) if kind == "subjective"}
    assert (found, claimed, labelled) == (
        len(said & set(labels["subjective"])),
        len(said),
        len(labels["subjective"]),
    )
