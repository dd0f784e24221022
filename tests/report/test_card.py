"""The card and the Croissant description."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.report import card
from holdfast.report.card import Facts
from holdfast.report.report import Report
from tests.report.payloads import payloads
from tests.report.samples import bare, full

FACTS = Facts(
    "grade-school-math",
    licences=("MIT",),
    languages=("en",),
    checks={"math": "6,001 of 6,100 pass"},
    held_out="640 real records, sealed before generation.",
    command="holdfast build -c holdfast.yaml",
)


def _front(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(front)
    return loaded


def _readme(facts: Facts, report: Report) -> str:
    return card.readme(facts, {**report.manifest, "inputs": report.inputs}, report)


def test_the_front_matter_is_what_the_hub_reads() -> None:
    """Licence, language, size and the synthetic tag are there, from the report and not by hand."""
    assert {
        "pretty_name": "grade-school-math",
        "license": "mit",
        "language": ["en"],
        "size_categories": ["10K<n<100K"],
        "tags": ["synthetic", "holdfast"],
    } == _front(_readme(FACTS, full()))


def test_a_set_without_synthetic_records_is_not_tagged_synthetic() -> None:
    """The tag follows the counts."""
    assert ["holdfast"] == _front(_readme(FACTS, bare()))["tags"]


@pytest.mark.parametrize(("records", "size"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**10, "n>1B")])
def test_sizes_have_the_names_of_the_hub(records: int, size: str) -> None:
    """The size category holds the number of records."""
    report = replace(bare(), counts={"records": records, "quarantined": 0})
    assert [size] == _front(_readme(FACTS, report))["size_categories"]


def test_the_card_says_what_a_user_must_know() -> None:
    """Verdict, ratio, generators, checks, held-out set, findings, accepted risk, inputs and the command are there."""
    text = _readme(FACTS, full()).replace("\\", "")
    said = ["does not pass", "68.0% of the records", "| qwen3-8b | 71.0% |", "6,001 of 6,100", "640 real records"]
    said += ["17 training records", "m.okafor", "b2:9f31c07d2ab6e55410fe", "    holdfast build -c holdfast.yaml"]
    assert [] == [words for words in said if words not in text]


def test_nothing_in_a_card_is_markup() -> None:
    """Payloads as name, check and held-out text stay text: no tag, no link, front matter of one name."""
    for payload in payloads():
        facts = replace(FACTS, name=payload, held_out=payload, checks={payload: payload})
        text = _readme(facts, full())
        body = text.split("---\n", 2)[2]
        assert set(_front(_readme(FACTS, full()))) == set(_front(text))
        assert "<" not in body
        assert "](" not in body.replace("\\](", "")


def test_croissant_names_the_files_with_their_digests(tmp_path: Path) -> None:
    """Each file has its SHA-256 and media type, each column its source."""
    (tmp_path / "train.jsonl").write_bytes(b'{"prompt": "a"}\n')
    facts = replace(FACTS, files=(tmp_path / "train.jsonl",), columns={"prompt": "sc:Text"})
    described = card.croissant(facts, full())
    (file,) = described["distribution"]
    assert hashlib.sha256(b'{"prompt": "a"}\n').hexdigest() == file["sha256"]
    assert ("train.jsonl", "application/jsonlines") == (file["contentUrl"], file["encodingFormat"])
    assert {"fileObject": {"@id": "train.jsonl"}, "extract": {"column": "prompt"}} == (
        described["recordSet"][0]["field"][0]["source"]
    )
    assert "http://mlcommons.org/croissant/1.0" == described["conformsTo"]
