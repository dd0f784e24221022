"""Decontamination: held-out items are found in every disguise that keeps their words, and not where they are not."""

import random
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

from holdfast.core.dataset import table_of
from holdfast.core.record import Record
from holdfast.dedup.decontaminate import HITS, EvalIndex, scan
from tests.dedup.planted import case, dataset, rows, texts_table

FILLER = "The committee met on Tuesday and agreed to postpone the vote until the report had been read by all. "


def items_found(texts: list[str], index: EvalIndex) -> set[tuple[int, int]]:
    hits = scan(texts_table(texts), index)
    return set(zip(hits["index"].to_pylist(), hits["item"].to_pylist(), strict=True))


def questions(shared_data: Path) -> list[str]:
    found = {row["prompt_id"]: row["question"] for row in rows(shared_data, "verify/gsm8k_solutions_6systems")}
    return list(found.values())


def as_items(texts: list[str]) -> EvalIndex:
    return EvalIndex.of_texts(texts, [""] * len(texts))


def wrapped(text: str) -> str:
    found = text.split()
    return "\n> ".join(" ".join(found[i : i + 4]) for i in range(0, len(found), 4))


FORMS: dict[str, tuple[Callable[[str], str], float]] = {
    "verbatim": (str, 1.0),
    "re-wrapped": (wrapped, 1.0),
    "embedded": (lambda text: f"{FILLER * 5}{text} {FILLER * 5}", 1.0),
    "case and punctuation": (lambda text: text.upper().replace(".", " !").replace(",", ";").replace(" ", " * "), 1.0),
    "first half": (lambda text: " ".join(text.split()[: len(text.split()) // 2 + 1]), 0.95),
}


@pytest.mark.parametrize("form", FORMS)
def test_recall_per_form(form: str, shared_data: Path) -> None:
    """Of 1,319 real test questions, all are found in each disguise; half a question in 95 of 100 cases."""
    change, least = FORMS[form]
    items = questions(shared_data)
    found = items_found([change(item) for item in items], as_items(items))
    assert sum((k, k) in found for k in range(len(items))) >= least * len(items)


def test_planted_leaks(shared_data: Path) -> None:
    """All 20 planted leaks of the shared set are found, and no other record is accused."""
    manifest = {row["case"]: row for row in rows(shared_data, "audit/planted_manifest")}
    index = as_items(manifest["eval_leak_20"]["eval_questions"])
    planted = case(shared_data, "eval_leak_20")
    found = {record for record, _ in items_found([row["text"] for row in planted], index)}
    assert {k for k, row in enumerate(planted) if row["planted"]} == found


def test_unrelated_real_text_is_not_accused(shared_data: Path) -> None:
    """Training problems of the same source: below 1 in 1,000, all with 13 words in common; other text: none."""
    index = as_items(questions(shared_data))
    train = [f"{row['question']}\n{row['solution']}" for row in rows(shared_data, "instruct/gsm8k_train")]
    hits = scan(texts_table(train), index)
    assert len(set(hits["index"].to_pylist())) <= len(train) / 1_000
    assert {13} >= set(hits["n"].to_pylist())
    for name in ("text/movie_reviews", "text/gutenberg"):
        assert set() == items_found([row["text"] for row in rows(shared_data, name)], index)


def test_short_items_do_not_pass_unseen() -> None:
    """4 to 12 words are found inside other text; up to 3 only where they are the whole prompt or response."""
    items = ["who wrote the old moonstone", "Is it so?", "what is the capital of the republic of south sudan today"]
    index = as_items(items)
    texts = [f"{FILLER}{items[0].upper()}?! {FILLER}", "is it SO", f"{FILLER} is it so {FILLER}", items[2], FILLER]
    assert {(0, 0), (1, 1), (3, 2)} == items_found(texts, index)


def test_answers_and_rejected_sides_are_searched() -> None:
    """A run of 13 words of an item's response counts, and so does text in the `extra` column."""
    answer = " ".join(f"step{k}" for k in range(13))
    index = EvalIndex.of_texts(["a question that is quite long enough to be an item here"], [answer])
    table = table_of([Record("a", "x", "y"), Record("b", "", f"{FILLER}{answer}"), Record("c", "x", "y")])
    place = table.schema.get_field_index("extra")
    extra = table.set_column(place, "extra", pa.array([None, None, answer], pa.string()))
    assert [1] == scan(table, index)["index"].to_pylist()
    assert [1, 2] == scan(extra, index)["index"].to_pylist()
    assert set() == items_found([answer.replace("step6 ", "")], index)


def test_a_run_does_not_cross_records() -> None:
    """The end of one record and the beginning of the next are not read as one text."""
    words = [f"w{k}" for k in range(20)]
    assert set() == items_found([" ".join(words[:7]), " ".join(words[7:13])], as_items([" ".join(words)]))


def test_the_index_survives_json_and_holds_no_text(shared_data: Path, tmp_path: Path) -> None:
    """Written and read back, the index finds the same; none of its bytes spell a held-out word."""
    items = questions(shared_data)[:50]
    index = EvalIndex.of(dataset(tmp_path, items, shard=20))
    data = orjson.dumps(index.to_dict())
    again = EvalIndex.from_dict(orjson.loads(data))
    texts = [*items, FILLER]
    assert 50 == again.items
    assert scan(texts_table(texts), index).equals(scan(texts_table(texts), again))
    assert b"How many" not in data
    assert b"ducks" not in data
    with pytest.raises(ValueError, match="version 9"):
        EvalIndex.from_dict({**index.to_dict(), "version": 9})


def test_common_phrases_do_not_multiply(shared_data: Path) -> None:
    """300 equal items give at most 50 hits for one record, and the record is still found."""
    item = questions(shared_data)[0]
    assert 50 == len(items_found([item], as_items([item] * 300)))


def test_nothing_to_find() -> None:
    """Empty tables and empty indexes give an empty result of the right shape."""
    for texts, items in (([], ["a b c d e"]), (["a b c d e"], []), ([""], [""])):
        found = scan(texts_table(texts), as_items(items))
        assert (HITS, 0) == (found.schema, found.num_rows)


def test_edited_items_are_found_as_far_as_stated(shared_data: Path) -> None:
    """With one word in twenty replaced at least 90 % are found; this is the published limit of n-grams."""
    rng = random.Random(5)
    items = questions(shared_data)
    edited = [" ".join("zebra" if rng.random() < 0.05 else word for word in item.split()) for item in items]
    found = items_found(edited, as_items(items))
    assert sum((k, k) in found for k in range(len(items))) >= 0.9 * len(items)
