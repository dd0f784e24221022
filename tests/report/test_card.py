"""The card: what a reader asks first stands first, and nothing in it is markup."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.report import card
from holdfast.report.facts import Facts
from holdfast.report.report import Report
from tests.report.payloads import payloads
from tests.report.samples import bare, full

FACTS = Facts(
    "grade-school-math",
    licences=("MIT",),
    languages=("en",),
    files=(Path("train.jsonl"),),
    made_of={"records": 17_000, "synthetic": 11_560, "tokens": 100_000, "synthetic_tokens": 60_000},
    checks={"math": "6,001 of 6,100 pass"},
    held_out="640 real records, sealed before generation.",
    command="holdfast build -c holdfast.yaml",
)

PARTS = [
    {"role": "generator", "name": "evol", "version": "2026-05", "family": "qwen", "records": 8_208},
    {"role": "generator", "name": "arithmetic", "version": "1", "family": "procedural", "records": 3_352},
    {"role": "judge", "name": "critic", "version": "mistral-24b", "family": "mistral", "records": None},
    {"role": "check", "name": "math", "version": "0.1.0", "family": "", "records": 11_000},
    {"role": "tool", "name": "math-verify", "version": "0.9.0", "family": "", "records": None},
]
USAGE = {"requests": 9_000, "input_tokens": 120_000, "output_tokens": 340_000, "cost": 1.5}
COST = {"cost": 1.5, "cost_per_kept": 0.0003, "currency": "EUR"}
MODELS = {"usage": {"writer": USAGE}, "served": {"qwen3-8b-2026": 9_000}, **COST}


def _front(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(front)
    return loaded


def _readme(facts: Facts, report: Report) -> str:
    return card.readme(facts, {**report.manifest, "inputs": report.inputs, "parts": PARTS, "models": MODELS}, report)


def test_the_front_matter_is_what_the_hub_reads() -> None:
    """Licence, language, size and the synthetic tag are there, from the report and not by hand."""
    assert {
        "pretty_name": "grade-school-math",
        "license": "mit",
        "language": ["en"],
        "size_categories": ["10K<n<100K"],
        "tags": ["synthetic", "holdfast"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train.jsonl"}]}],
    } == _front(_readme(FACTS, full()))


def test_a_set_without_synthetic_records_is_not_tagged_synthetic() -> None:
    """The tag follows the counts."""
    facts = replace(FACTS, made_of={"records": 5, "synthetic": 0, "tokens": 9, "synthetic_tokens": 0})
    assert ["holdfast"] == _front(_readme(facts, bare()))["tags"]


@pytest.mark.parametrize(("records", "size"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**10, "n>1B")])
def test_sizes_have_the_names_of_the_hub(records: int, size: str) -> None:
    """The size category holds the number of records."""
    facts = replace(FACTS, made_of={"records": records})
    assert [size] == _front(_readme(facts, bare()))["size_categories"]


def test_what_a_reader_asks_first_is_in_the_first_screen() -> None:
    """Ratio, generators, judges, checks, held-out set, licence and the command stand in the first 40 lines."""
    screen = "\n".join(_readme(FACTS, full()).splitlines()[:40]).replace("\\", "")
    said = [
        "does not pass",
        "| synthetic share | 68.0% of the records, 60.0% of the tokens |",
        "| made by | 2 generators: procedural, qwen |",
        "| judged by | critic |",
        "| checked by | math |",
        "| held out | 640 real records, sealed before generation. |",
        "| licence | MIT |",
        "| made again by | holdfast build -c holdfast.yaml |",
    ]
    assert [] == [words for words in said if words not in screen]


def test_the_card_lists_every_part_with_its_version() -> None:
    """Generators with their share, the largest first; judge, check and library; the models with their cost."""
    text = _readme(FACTS, full()).replace("\\", "")
    said = [
        "| evol | 2026-05 | qwen | 8,208 | 71.0% |\n| arithmetic | 1 | procedural | 3,352 | 29.0% |",
        "| judge | critic | mistral-24b |  |",
        "| check | math | 0.1.0 | 11,000 |",
        "| tool | math-verify | 0.9.0 |  |",
        "| writer | 9,000 | 120,000 | 340,000 | 1.5000 |",
        "They named themselves: qwen3-8b-2026 (9,000 answers).",
        "cost 0.000300 EUR",
        *("17 training records", "m.okafor", "b2:9f31c07d2ab6e55410fe", "    holdfast build -c holdfast.yaml"),
    ]
    assert [] == [words for words in said if words not in text]


def test_without_a_report_the_card_says_that_nothing_was_audited() -> None:
    """A mixture has no verdict: none is claimed, and nothing is said of findings."""
    text = card.readme(FACTS, {"parts": PARTS}, None)
    assert (True, False, False) == ("was not audited" in text, "passes" in text, "## Findings" in text)


def test_nothing_in_a_card_is_markup() -> None:
    """Payloads as name, check and held-out text stay text: no tag, no link, front matter of one name."""
    for payload in payloads():
        facts = replace(FACTS, name=payload, held_out=payload, checks={payload: payload})
        text = _readme(facts, full())
        body = text.split("---\n", 2)[2]
        assert set(_front(_readme(FACTS, full()))) == set(_front(text))
        assert "<" not in body
        assert "](" not in body.replace("\\](", "")
