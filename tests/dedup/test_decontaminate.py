"""Decontamination: held-out items are found in every disguise that keeps their words, and not where they are not."""

import random
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.engine import LocalRunner
from holdfast.core.text import word_hashes
from holdfast.dedup import decontaminate
from holdfast.dedup.decontaminate import HITS, Shared, compiled_places, contaminated, explained, plain_places, scan
from holdfast.dedup.eval_index import GRAM, EvalIndex
from tests.dedup import reference
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
    "first half": (lambda text: " ".join(text.split()[: len(text.split()) // 2 + 1]), 0.99),
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
    """Half of an answer with 13 words in a row counts, or a third of its 8-grams that are five; so does `extra`."""
    answer = " ".join(f"step{k}" for k in range(20))
    index = EvalIndex.of_texts(["a question that is quite long enough to be an item here"], [answer])
    short = " ".join(answer.split()[:14])
    texts = ["x", f"{FILLER}{short}", "x", " ".join(answer.split()[:11]), answer.replace("step9 ", "")]
    table = texts_table(texts)
    extra = table.set_column(table.schema.get_field_index("extra"), "extra", pa.array([None, None, answer, None, None]))
    assert [1, 4] == scan(table, index)["index"].to_pylist()
    assert [1, 2, 4] == scan(extra, index)["index"].to_pylist()


def test_a_phrase_of_an_answer_is_not_the_answer() -> None:
    """A stock phrase of 16 words in a long answer accuses nobody who writes it too."""
    phrase = "address city state zip code dear hiring manager i am writing to express my interest in the"
    letter = f"{phrase} {' '.join(f'own{k}' for k in range(60))}"
    index = EvalIndex.of_texts(["write a letter of application for the post of a lighthouse keeper"], [letter])
    assert set() == items_found([f"{phrase} {FILLER}"], index)
    assert {(0, 0)} == items_found([letter], index)


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
    swapped = {**index.to_dict(), "keys": index.to_dict()["operators"]}
    with pytest.raises(ValueError, match="contradicts"):
        EvalIndex.from_dict(swapped)


def test_equal_items_are_one(shared_data: Path) -> None:
    """300 equal items give one hit for one record: that of the first."""
    assert {(0, 0)} == items_found(questions(shared_data)[:1], as_items(questions(shared_data)[:1] * 300))


def test_thirteen_words_of_a_long_question_are_enough() -> None:
    """Of 60 words 13 in a row are a leak, 12 are not, nor are two pieces of 12."""
    words = [f"w{k}" for k in range(60)]
    texts = [" ".join(words[7:20]), " ".join(words[7:19]), " ".join([*words[:12], "x", *words[30:42]])]
    assert {(0, 0)} == items_found(texts, as_items([" ".join(words)]))


def test_what_many_items_share_names_none_of_them(shared_data: Path) -> None:
    """The instructions of a test are no leak of its items; each item is still found by what is its own."""
    told = "Answer the following question about the passage above in one short sentence and do not explain yourself."
    items = [f"{told} {text}" for text in questions(shared_data)[:20]]
    index = as_items(items)
    assert set() == items_found([f"{told} {FILLER}"], index)
    assert {(k, k) for k in range(20)} == items_found([text.lower() for text in items], index)


def test_options_may_change_their_order() -> None:
    """A multiple choice is found by what is asked; one that shares the words but not all of them is not."""
    asked = "Which of these cities was the capital of the old kingdom before the great fire?"
    options = ["A) Paris on the Seine", "B) Rome on the Tiber", "C) Berlin on the Spree", "D) Vienna on the Danube"]
    index = as_items(["\n".join([asked, *options])])
    assert {(0, 0)} == items_found(["\n".join([asked, *reversed(options)])], index)
    assert set() == items_found(
        [f"Which of these cities was the capital of the old empire? {' '.join(options[:1])}"], index
    )


def test_items_with_nothing_of_their_own_keep_all() -> None:
    """Items of numbers alone, and items put together from shared halves, do not pass unseen."""
    halves = [[f"{side}{k} is the part number {k} of every item here" for k in range(4)] for side in "pq"]
    items = [f"{left} {right}" for left in halves[0] for right in halves[1]]
    grid = " ".join(str(k * 7 % 10) for k in range(30))
    found = items_found([items[5], f"{FILLER} {grid}"], as_items([*items, grid]))
    assert (0, 5) in found
    assert (1, 16) in found


@pytest.mark.parametrize(
    ("item", "text", "found"),
    [
        ("What is 12 + 7?", f"{FILLER} what is 12 + 7 {FILLER}", True),
        ("What is 12 + 7?", f"{FILLER} what is 12 * 7 {FILLER}", False),
        ("What is 12 \u00d7 7?", f"{FILLER} What is 12 * 7? {FILLER}", True),
        ("What is 12 + 7?", "> What is\n> 12 + 7", True),
        ("3 * 4", "3 x 4", False),
        ("3 * 4", "3 * 4 =", True),
        ("3 * 4", "3 + 4", False),
        ("3 * 4", f"{FILLER} 3 * 4 {FILLER}", False),
        ("1 2 3 4", "0 1 2 3 4 5", False),
        ("1 2 3 4", "1, 2, 3, 4", True),
        ("How are you doing?", "Hey how are you doing Jamie", False),
        ("How are you doing?", f"{FILLER}How are you doing? {FILLER}", False),
        ("How are you doing?", f"{FILLER}\nAlex: How are you doing? {FILLER}", True),
        ("Is that and/or enough for you?", "is that and or enough for you", True),
        ("\u4e2d\u56fd\u7684\u9996\u90fd\u662f\u54ea", "\u4e2d\u56fd\u7684\u9996\u90fd\u662f\u54ea\uff1f", True),
        ("\u4e2d\u56fd", "\u4e2d\u56fd\u7684\u9996\u90fd", False),
        ("\u4e2d\u56fd", "\u4e2d\u56fd\u3002", True),
    ],
)
def test_short_items(item: str, text: str, found: bool) -> None:
    """Numbers need their operators, small talk a line of its own, what says nothing a whole field."""
    assert found == bool(items_found([text], as_items([item])))


def test_a_hit_explains_itself(tmp_path: Path) -> None:
    """Which item, the longest n, how much of it, and the words they share."""
    item = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."
    begun = " ".join(item.split()[:15])
    texts = [FILLER, f"{FILLER} {begun} {FILLER}", "small talk", "red, green and blue fox"]
    data, held_out = dataset(tmp_path / "data", texts, 2), dataset(tmp_path / "eval", [item, "Red green and blue fox?"])
    shared = list(explained(contaminated(data, EvalIndex.of(held_out), LocalRunner(1), tmp_path), data, held_out))
    expected = "natalia sold clips to 48 of her friends in april and then she sold half"
    assert [Shared(1, "r0", 13, 15, 0.6154, expected), Shared(3, "r1", 5, 5, 1.0, "red green and blue fox")] == shared
    assert f"15 words in a row, 62% of the item's 8-grams: {expected}" == shared[0].why
    assert "the whole item of 5 words: red green and blue fox" == shared[1].why


WORDS = ["red", "Fox", "7", "+", "zo\u00eb", "\u4eac", "a", "jumps", "over", "12", "*", "day.", "we", "saw", "x", "is"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=18).map(" ".join)
CHOICE = st.integers(9, 14).map(lambda n: " ".join(f"q{k}" for k in range(n)) + "\nA) red fox\nB) zoë we saw\nC) day")
LONG = st.lists(st.integers(0, 40).map(lambda k: f"w{k}"), max_size=30).map(" ".join)
ITEMS = st.lists(st.tuples(TEXT | LONG | CHOICE, st.just("") | TEXT | LONG), max_size=7)


@given(
    ITEMS,
    st.lists(TEXT | LONG | CHOICE, max_size=4),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=6),
)
def test_scan_equals_the_reference(items: list[tuple[str, str]], texts: list[str], cuts: list[tuple[int, int]]) -> None:
    """The index and its scan find what plain sets of word tuples find, with the same coverage and the same run."""
    pieces = [text for pair in items for text in pair]
    records = [*texts, *(" ".join(pieces[k % len(pieces)].split()[cut:]) for k, cut in cuts if pieces)]
    records.append(" ".join([*records, *pieces[::2]]))
    index = EvalIndex.of_texts([question for question, _ in items], [answer for _, answer in items])
    found = {
        (hit["index"], hit["item"]): (hit["matched"], round(hit["coverage"], 5), hit["words"])
        for hit in scan(texts_table(records), index).to_pylist()
    }
    assert reference.hits(records, items) == found


@given(ITEMS, st.lists(TEXT | LONG, max_size=5))
def test_the_compiled_pass_equals_the_plain_one(items: list[tuple[str, str]], texts: list[str]) -> None:
    """Every known n-gram at the same place, whichever form looks for it."""
    index = EvalIndex.of_texts([question for question, _ in items], [answer for _, answer in items])
    records = [*texts, *(f"{question} {answer}" for question, answer in items)]
    words, offsets = word_hashes(pa.array(records, pa.string()))
    for n in (*range(1, 8), GRAM):
        plain = plain_places(words, offsets, n, index)
        assert plain.tolist() == compiled_places(words, offsets, n, index).tolist()


def test_more_hits_than_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the compiled pass finds more than was expected it is given more room and loses none."""
    monkeypatch.setattr(decontaminate, "MOST_HITS", 3)
    item = " ".join(f"w{k}" for k in range(20))
    words, offsets = word_hashes(pa.array([item, item]))
    assert 26 == compiled_places(words, offsets, GRAM, as_items([item])).shape[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_and_a_restart_change_nothing(workers: int, tmp_path: Path, shared_data: Path) -> None:
    """The hits of all shards are those of one table, in one process or two, and after a killed run too."""
    items = questions(shared_data)[:40]
    texts = [text for item in items for text in (item, FILLER)]
    index = as_items(items)
    data = dataset(tmp_path / "data", texts, shard=17)
    first = contaminated(data, index, LocalRunner(workers), tmp_path)
    assert scan(texts_table(texts), index)["index"].to_pylist() == first["record"].to_pylist()
    part = next(tmp_path.glob("held-out*/part-000002.arrow"))
    part.unlink()
    assert first.equals(contaminated(data, index, LocalRunner(workers), tmp_path))
    assert part.exists()


def test_nothing_to_find() -> None:
    """Empty tables and empty indexes give an empty result of the right shape."""
    for texts, items in (([], ["a b c d e"]), (["a b c d e"], []), ([""], [""])):
        found = scan(texts_table(texts), as_items(items))
        assert (HITS, 0) == (found.schema, found.num_rows)


def test_edited_items_are_found_as_far_as_stated(shared_data: Path) -> None:
    """With one word in twenty replaced at least 95 % are found; this is the published limit of n-grams."""
    rng = random.Random(5)
    items = questions(shared_data)
    edited = [" ".join("zebra" if rng.random() < 0.05 else word for word in item.split()) for item in items]
    found = items_found(edited, as_items(items))
    assert sum((k, k) in found for k in range(len(items))) >= 0.95 * len(items)
