"""Copies of real text in synthetic records: found from 50 words on, with their true length, and not below."""

from pathlib import Path

import numpy as np
import pytest

from holdfast.dedup import copies
from tests.dedup.planted import dataset, rows


def numbered(name: str, count: int) -> list[str]:
    return [f"{name}{k}" for k in range(count)]


@pytest.mark.parametrize("length", [49, 50, 51, 75, 120])
@pytest.mark.parametrize("start", [0, 1, 24, 26, 60])
def test_runs_are_found_from_fifty_words_on(length: int, start: int, tmp_path: Path) -> None:
    """Wherever the run lies in either text, 50 words are found and 49 are not; the length is exact."""
    real = numbered("r", 200)
    made = [*numbered("a", 13), *(word.upper() for word in real[start : start + length]), *numbered("b", 30)]
    data = dataset(tmp_path, [" ".join(real), "unrelated text", ", ".join(made)], shard=2)
    found = copies.find(data, np.array([2]), np.array([0, 1]))
    assert ([copies.Copy(2, "r0", length)] if length >= 50 else []) == found


def test_both_sources_of_real_text_are_searched(tmp_path: Path) -> None:
    """A copy of the given real data is found beside one of the records labelled real; the longest run counts."""
    first, second = numbered("f", 90), numbered("s", 90)
    data = dataset(tmp_path / "data", [" ".join(first), " ".join(second[:60]), " ".join([*first[:55], *second])])
    real = dataset(tmp_path / "real", ["nothing", " ".join(second)])
    assert [copies.Copy(1, "r1", 60), copies.Copy(2, "r1", 90)] == copies.find(
        data, np.array([1, 2]), np.array([0]), real
    )


def test_planted_excerpts_of_real_prose(shared_data: Path, tmp_path: Path) -> None:
    """60-word excerpts of 100 real passages pasted into other prose are all traced to a real record."""
    long = [row["text"] for row in rows(shared_data, "text/gutenberg") if len(row["text"].split()) > 200]
    prose = long[:400]
    other = [row["text"] for row in rows(shared_data, "text/movie_reviews")[:200]]
    made = [f"{other[k]} {' '.join(prose[k].split()[20:90])} {other[k]}" for k in range(100)]
    data = dataset(tmp_path, [*prose, *made, *other[100:]], shard=150)
    found = copies.find(data, np.arange(400, 600), np.arange(400))
    assert list(range(400, 500)) == [copy.row for copy in found]
    assert [f"r{k}" for k in range(100)] == [copy.real for copy in found]


def test_nothing_real_or_nothing_synthetic(tmp_path: Path) -> None:
    """Without one of the two sides nothing is found."""
    data = dataset(tmp_path, ["a b c"])
    none = np.array([], np.int64)
    assert [] == copies.find(data, none, np.array([0])) == copies.find(data, np.array([0]), none)
