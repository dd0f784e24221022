"""Repeated openings and sentence skeletons: the planted share is found, varied text shows none."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from holdfast.dedup import templates
from tests.dedup.planted import dataset, rows

STOCK = "Once upon a time, there lived"


def test_a_planted_opening_is_found_with_its_share(tmp_path: Path, shared_data: Path) -> None:
    """60 of 300 records begin alike: the share is 0.2, the members are those, the text is theirs."""
    texts = [row["text"] for row in rows(shared_data, "text/gutenberg")[::18][:300]]
    planted = list(range(0, 300, 5))
    for number in planted:
        texts[number] = f"{STOCK.upper() if number % 2 else STOCK} {texts[number]}"
    found = templates.find(dataset(tmp_path, texts, shard=70), np.arange(300))
    assert planted == found.opening.members.tolist()
    assert "once upon a time there" == found.opening.text
    assert 0.2 == found.opening_share


def test_a_planted_skeleton_is_found_under_names_and_numbers(tmp_path: Path, shared_data: Path) -> None:
    """Problems that differ in names and numbers only have one skeleton, although no two openings are equal."""
    names = ["Natalia", "Bob Smith", "Zoë", "Mary-Ann"]
    made = [f"{names[k % 4]}{k} sold {k * 7},5 clips to {names[-k % 4]} in May. Then {k} left." for k in range(40)]
    real = [row["question"] for row in rows(shared_data, "instruct/gsm8k_train")[:100]]
    found = templates.find(dataset(tmp_path, real + made), np.arange(140))
    assert list(range(100, 140)) == found.skeleton.members.tolist()
    assert "X sold # clips to X in X." == found.skeleton.text
    assert found.opening_share < 0.05


def test_only_the_asked_records_count(tmp_path: Path) -> None:
    """Shares are of the selection; records outside it neither count nor appear."""
    data = dataset(tmp_path, [f"{STOCK} a king."] * 4 + [f"w{k} b{k} c{k} d{k} e{k} f" for k in range(4)], shard=3)
    found = templates.find(data, np.array([1, 3, 5, 6]))
    assert ([1, 3], 0.5) == (found.opening.members.tolist(), found.opening_share)
    nothing = templates.find(data, np.array([], np.int64))
    assert (0, 0.0, "") == (nothing.opening.members.size, nothing.skeleton_share, nothing.opening.text)


def test_real_text_has_no_large_template(tmp_path: Path, shared_data: Path) -> None:
    """Encyclopaedic abstracts by many hands stay far below the share that raises a warning."""
    texts = [row["text"] for row in rows(shared_data, "text/wiki_abstracts")]
    found = templates.find(dataset(tmp_path, texts), np.arange(len(texts)))
    assert found.opening_share < 0.05
    assert found.skeleton_share < 0.05


def test_short_texts_are_no_template() -> None:
    """Yes and No are answers, not templates: texts below five words have no key."""
    texts = pa.chunked_array([["Yes", "Yes", "No.", "", None, "one two three four five"]])
    assert [False] * 5 + [True] == (templates.opening_keys(texts) != 0).tolist()
