"""Exact duplicates: groups, representatives, and the counts planted in the shared sets."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.text import digests, normalise
from holdfast.dedup.exact import exact_duplicates
from tests.dedup.planted import rows


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a b", "A  b ", "a b.", "", "\u200b", "é", "e\u0301", "x"]), max_size=12))
def test_groups_are_those_of_normalised_texts(texts: list[str]) -> None:
    """Every record is represented by the first one of the same normalised text."""
    first: dict[str, int] = {}
    expected = [first.setdefault(normalise(text), number) for number, text in enumerate(texts)]
    found = exact_duplicates(digests(pa.array(texts, pa.string())))
    assert expected == found.representative.tolist()
    assert len(texts) - len(set(expected)) == found.beyond
    assert [[k, i] for i, k in enumerate(expected) if k != i] == found.pairs.tolist()


def test_priority_chooses_the_representative() -> None:
    """A real record (priority 0) represents its earlier synthetic copy (priority 1)."""
    same = np.zeros((3, 2), np.uint64)
    assert [1, 1, 1] == exact_duplicates(same, np.array([1, 0, 0])).representative.tolist()


def test_no_records_have_no_duplicates() -> None:
    """An empty data set is judged without complaint."""
    assert 0 == exact_duplicates(np.empty((0, 2), np.uint64)).beyond


def test_planted_counts(shared_data: Path) -> None:
    """Each planted set has exactly the number of exact duplicates that its manifest states."""
    texts: dict[str, list[str]] = {}
    for record in rows(shared_data, "audit/planted_sets"):
        texts.setdefault(record["case"], []).append(record["text"])
    expected = {row["case"]: row["exact_dup_records"] for row in rows(shared_data, "audit/planted_manifest")}
    assert expected == {name: exact_duplicates(digests(pa.array(found))).beyond for name, found in texts.items()}


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace(" ", "\n  "), lambda text: f"\ufeff{text} "])
def test_case_and_space_do_not_hide_a_duplicate(change) -> None:
    """Folding and white space are not content; a full stop is."""
    text = "the quick brown fox"
    assert 1 == exact_duplicates(digests(pa.array([text, change(text)]))).beyond
    assert 0 == exact_duplicates(digests(pa.array([text, f"{text}."]))).beyond
