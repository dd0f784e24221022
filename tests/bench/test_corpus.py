"""The corpus of the benchmarks holds what it says it holds, and the same bytes every time."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bench.corpus import WORDS, write

RECORDS = 3_000


@pytest.fixture(scope="module")
def corpus(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    write(path, RECORDS, shared_data / "text")
    return path


def test_planted_counts_are_true(corpus: Path, shared_data: Path) -> None:
    """Records, bytes, synthetic records and exact copies, counted again, equal what was noted."""
    planted = write(corpus, RECORDS, shared_data / "text")
    rows = [json.loads(line) for line in corpus.read_text("utf-8").splitlines()]
    copies = sum(count - 1 for count in Counter(row["text"] for row in rows).values())
    synthetic = sum(row["origin"] == "synthetic" for row in rows)
    assert (RECORDS, corpus.stat().st_size) == (planted.records, planted.bytes)
    assert (synthetic, copies) == (planted.synthetic, planted.exact)
    assert {WORDS} == {len(row["text"].split()) for row in rows}


def test_the_corpus_is_the_same_everywhere(corpus: Path, shared_data: Path, tmp_path: Path) -> None:
    """Two writes give equal bytes."""
    write(tmp_path / "again.jsonl", RECORDS, shared_data / "text")
    assert corpus.read_bytes() == (tmp_path / "again.jsonl").read_bytes()
