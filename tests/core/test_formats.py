"""Row shapes and provenance: what each column of a foreign row is taken for."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.reader import describe, read
from holdfast.core.reading.formats import detect
from holdfast.core.reading.provenance import origin_word
from holdfast.core.record import Message, Record

Row = dict[str, Any]


def records(tmp_path: Path, *rows: Row, name: str = "data.jsonl", **options: Any) -> list[Record]:
    return list(dataset_of(tmp_path, *rows, name=name, **options).records())


def dataset_of(tmp_path: Path, *rows: Row, name: str = "data.jsonl", **options: Any) -> Dataset:
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return read([path], spool=tmp_path / "spool", **options)


# Row -> the prompt and the response that it must become.
SHAPES: dict[str, tuple[Row, str, str]] = {
    "text": ({"text": "a b", "title": "t"}, "", "a b"),
    "content": ({"url": "u", "content": "a b"}, "", "a b"),
    "prompt and completion": ({"prompt": "p", "completion": "c"}, "p", "c"),
    "gsm8k": ({"question": "q", "solution": "s #### 4", "answer": "4"}, "q", "s #### 4"),
    "question and answers": ({"question": "q", "answers": ["first", "second"]}, "q", "first"),
    "alpaca": ({"instruction": "i", "input": "n", "output": "o"}, "i\nn", "o"),
    "alpaca without input": ({"instruction": "i", "input": "", "output": "o"}, "i", "o"),
    "dolly": ({"instruction": "i", "context": "c", "response": "r", "category": "x"}, "i\nc", "r"),
    "alpaca with history": (
        {"instruction": "i", "input": "", "output": "o", "system": "s", "history": [["q1", "a1"]]},
        "s\nq1\na1\ni",
        "o",
    ),
    "preference": ({"prompt": "p", "chosen": "good", "rejected": "bad"}, "p", "good"),
    "two answers": ({"instruction": "i", "input": "", "response_1": "a", "response_2": "b"}, "i", "a"),
    "translation": ({"source": "hello there", "target": "salut", "lang": "en-fr"}, "hello there", "salut"),
    "nested translation": ({"translation": {"en": "hello", "fr": "salut"}}, "hello", "salut"),
    "revision": ({"file": "f", "old": "a b", "new": "a c"}, "a b", "a c"),
    "code task": (
        {"task_id": 1, "text": "write f", "solution": "def f(): ...", "tests": ["t"]},
        "write f",
        "def f(): ...",
    ),
    "longest column": ({"kind": "x", "blurb": "several words of text here"}, "", "several words of text here"),
    "messages": (
        {"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]},
        "u",
        "a",
    ),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}], "system": "s"},
        "s\nu",
        "a",
    ),
    "all turns before the last answer": (
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url"}]},
                {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "content": "42"},
                {"role": "assistant", "content": "a"},
            ]
        },
        "s\nlook\n[image_url]\n[tool call] f {}\n42",
        "a",
    ),
    "conversational preference": (
        {
            "chosen": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "bad"}],
        },
        "u",
        "good",
    ),
    "conversational prompt": (
        {"prompt": [{"role": "user", "content": "u"}], "completion": [{"role": "assistant", "content": "a"}]},
        "u",
        "a",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_found(shape: str, tmp_path: Path) -> None:
    """The prompt and the response come from the columns that hold them, and the row stays whole in the fields."""
    row, prompt, response = SHAPES[shape]
    (record,) = records(tmp_path, row)
    assert (prompt, response) == (record.prompt, record.response)
    assert row == record.fields


def test_the_rejected_side_is_extra_text(tmp_path: Path) -> None:
    """What is not trained on is still there to be audited."""
    rows = [SHAPES[name][0] for name in ("preference", "conversational preference", "two answers")]
    extras = [dataset_of(tmp_path, row).column("extra")[0].as_py() for row in rows]
    assert ["bad", "bad", "b"] == extras


def test_turns_are_kept(tmp_path: Path) -> None:
    """A conversation keeps its turns, under the usual role names."""
    (record,) = records(tmp_path, SHAPES["sharegpt"][0])
    assert (Message("system", "s"), Message("user", "u"), Message("assistant", "a")) == record.messages


def test_turns_after_the_last_answer_are_extra(tmp_path: Path) -> None:
    """A question that was never answered is no training text, and is not lost."""
    turns = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "and then?"}]
    dataset = dataset_of(tmp_path, {"messages": turns})
    assert "and then?" == dataset.column("extra")[0].as_py()


def test_a_table_without_text_is_said_to_have_none(tmp_path: Path) -> None:
    """Measurements become records without text, of unknown origin even where a model is named."""
    dataset = dataset_of(tmp_path, {"model": "gpt2", "step": 1, "loss": 0.5})
    assert ["unknown"] == dataset.column("origin").to_pylist()
    assert "no column holds text; name one with --map" in describe(dataset)


def test_rows_of_another_shape_are_read_by_theirs(tmp_path: Path) -> None:
    """A file that mixes shapes loses no text and keeps its order."""
    found = records(tmp_path, {"text": "one"}, {"prompt": "p", "completion": "two"}, {"text": "three"})
    assert ["one", "p\ntwo", "three"] == [record.text for record in found]


def test_a_mapping_comes_before_what_is_found(tmp_path: Path) -> None:
    """`--map` chooses columns for text and provenance."""
    row = {"question": "q", "answer": "wrong one", "gold": "g", "by": "gpt-4o", "key": 5}
    mapping = {"prompt": "question", "response": "gold", "generator": "by", "id": "key"}
    (record,) = records(tmp_path, row, mapping=mapping)
    assert ("5", "q", "g", "gpt-4o") == (record.id, record.prompt, record.response, record.provenance.generator)


# Row beside {"text": "t"} -> origin, generator, source.
PROVENANCE: dict[str, tuple[Row, str, str | None, str | None]] = {
    "nothing": ({}, "unknown", None, None),
    "human": ({"origin": "human (crowd-sourced)"}, "real", None, None),
    "organic": ({"origin": "Organic"}, "real", None, None),
    "machine": ({"origin": "machine"}, "synthetic", None, None),
    "mixed": ({"origin": "mixed"}, "mixed", None, None),
    "a word we do not know": ({"origin": "warehouse 7"}, "unknown", None, None),
    "generator": ({"generator": "gpt-4o"}, "synthetic", "gpt-4o", None),
    "generator is human": ({"generator": "human"}, "real", None, None),
    "generator is null": ({"generator": None}, "unknown", None, None),
    "stated origin wins": ({"origin": "real", "generator": "gpt-4o"}, "real", "gpt-4o", None),
    "flag": ({"is_synthetic": True}, "synthetic", None, None),
    "flag says no": ({"is_synthetic": False}, "real", None, None),
    "a count is no flag": ({"synthetic": 250}, "unknown", None, None),
    "distilabel": ({"model_name": "m", "distilabel_metadata": {"raw_output": "t"}}, "synthetic", "m", None),
    "distilabel generations": ({"generation_models": ["m", "m"]}, "synthetic", "m", None),
    "distilabel metadata alone": ({"distilabel_metadata": {"raw": 1}}, "synthetic", None, None),
    "source is no origin": ({"source": "wikipedia"}, "unknown", None, "wikipedia"),
    "source is an origin word": ({"source": "synthetic"}, "synthetic", None, "synthetic"),
    "ground truth is not looked at": ({"truth_origin": "synthetic"}, "unknown", None, None),
}


@pytest.mark.parametrize("case", PROVENANCE)
def test_provenance_is_read_from_what_others_write(case: str, tmp_path: Path) -> None:
    """Origin, generator and source follow from the columns in use; nothing said is unknown, never real."""
    row, origin, generator, source = PROVENANCE[case]
    found = records(tmp_path, {"text": "t", **row})[0].provenance
    assert (origin, generator, source) == (found.origin, found.generator, found.source)


def test_the_callers_word_holds_where_rows_say_nothing(tmp_path: Path) -> None:
    """A file given as real is real, except for rows that state something else."""
    found = records(tmp_path, {"text": "t", "generator": None}, {"text": "t", "generator": "m"}, origin="real")
    assert ["real", "synthetic"] == [record.provenance.origin for record in found]


def test_the_source_of_a_translation_is_text(tmp_path: Path) -> None:
    """In a pair of source and target, source says nothing about provenance."""
    (record,) = records(tmp_path, {"source": "synthetic", "target": "synthétique"})
    assert ("unknown", None) == (record.provenance.origin, record.provenance.source)


def test_licence_family_and_revision(tmp_path: Path) -> None:
    """Both spellings of licence are read, and family and revision beside them."""
    (record,) = records(tmp_path, {"text": "t", "license": "MIT", "generator_family": "qwen", "revision": "r1"})
    assert ("MIT", "qwen", "r1") == (record.provenance.licence, record.provenance.family, record.provenance.revision)


def test_a_data_designer_run_is_recognised(tmp_path: Path) -> None:
    """The metadata beside the file tells that a model wrote the answers to sampled questions, and which one."""
    statistics = [
        {"column_name": "question", "column_type": "seed-dataset"},
        {"column_name": "answer", "column_type": "llm-text"},
    ]
    config = {
        "data_designer": {
            "columns": [{"name": "answer", "column_type": "llm-text", "model_alias": "big"}],
            "model_configs": [{"alias": "big", "model": "nvidia/nemotron"}],
        }
    }
    (tmp_path / "metadata.json").write_text(json.dumps({"target_num_records": 1, "column_statistics": statistics}))
    (tmp_path / "builder_config.json").write_text(json.dumps(config))
    provenance = records(tmp_path, {"question": "q", "answer": "a"})[0].provenance
    assert ("mixed", "nvidia/nemotron", ("response",)) == (
        provenance.origin,
        provenance.generator,
        provenance.synthetic_fields,
    )


@pytest.mark.parametrize(
    "nested", [5, "text", [], {"origin": "no word", "depth": "x", "checks": [], "cell": [1], "decoding": "hot"}]
)
def test_a_holdfast_column_of_another_make_states_nothing(nested: Any, tmp_path: Path) -> None:
    """Values of the wrong type under our own name neither crash nor become provenance."""
    (record,) = records(tmp_path, {"text": "t", "holdfast": nested})
    assert ("unknown", None, {}) == (record.provenance.origin, record.provenance.depth, record.checks)


@pytest.mark.parametrize("value", [None, 3, [], "", "people", "reality", "human-like"])
def test_words_that_state_no_origin(value: Any) -> None:
    """Only the listed words state an origin."""
    assert origin_word(value) is None


# File under shared/data -> shape, and how many records are real / synthetic / unknown.
SHARED = {
    "audit/planted_sets": ("text (text = text)", {"real": 5630, "synthetic": 3860, "unknown": 1000}),
    "collapse/tracker_gpt2": ("none", {"unknown": 132}),
    "detect/squad_human_vs_5generators": ("text (text = text)", {"real": 1420, "synthetic": 1500}),
    "instruct/gsm8k_train": ("prompt-completion (prompt = question, response = solution)", {"unknown": 7473}),
    "instruct/oasst_subset": ("prompt-completion (prompt = prompt, response = response)", {"real": 696}),
    "instruct/seed_tasks": ("alpaca (prompt = instruction + input, response = output)", {"real": 175}),
    "multigen/qa_eval_nq": ("prompt-completion (prompt = question, response = answer)", {"synthetic": 15095}),
    "multigen/self_instruct_8systems": (
        "alpaca (prompt = instruction + input, response = response)",
        {"real": 252, "synthetic": 2016},
    ),
    "neardup/pydocs_revisions": ("pair (prompt = old, response = new)", {"unknown": 4310}),
    "parallel/pydocs_en_fr": ("pair (prompt = source, response = target)", {"unknown": 14835}),
}


def test_every_shared_file_is_read(shared_data: Path, tmp_path: Path) -> None:
    """No file that nobody prepared crashes, loses a row or is quarantined."""
    files = sorted(shared_data.glob("*/*.jsonl.gz"))
    dataset = read(files, spool=tmp_path / "spool")
    assert len(files) == len(describe(dataset).splitlines()) >= 20
    assert () == dataset.quarantine
    assert 108242 == dataset.rows == len(set(dataset.column("id").to_pylist()))


@pytest.mark.parametrize("name", SHARED)
def test_shared_files_have_the_expected_shape(name: str, shared_data: Path, tmp_path: Path) -> None:
    """Shapes and origins of real files are the ones their description states."""
    shape, origins = SHARED[name]
    dataset = read([shared_data / f"{name}.jsonl.gz"], spool=tmp_path / "spool")
    found = dataset.column("origin").to_pylist()
    assert shape in describe(dataset)
    assert origins == {word: found.count(word) for word in sorted(set(found))}


def test_naming_one_side_keeps_the_other() -> None:
    """`--map response=x` does not lose the question beside it, nor `--map prompt=x` the answer."""
    rows = [{"question": "How many legs has it?", "answer": "It has four legs.", "worked": "Two and two are four."}]
    first, second = detect(rows, {"response": "worked"}), detect(rows, {"prompt": "worked"})
    assert (("question",), "worked") == (first.prompt, first.response)
    assert (("worked",), "answer") == (second.prompt, second.response)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"prompt": "q"}, ("prompt-completion", ("q",), "answer")),
        ({"response": "a2"}, ("prompt-completion", ("question",), "a2")),
        ({"text": "a2"}, ("text", (), "a2")),
        ({"prompt": "q", "response": "a2"}, ("prompt-completion", ("q",), "a2")),
    ],
)
def test_what_a_mapping_leaves_out_is_found_as_usual(mapping: dict[str, str], expected: tuple[object, ...]) -> None:
    """Naming one side of a pair does not lose the other; `text` alone means plain text."""
    row = {"q": "my own question", "question": "What is it?", "answer": "It is this.", "a2": "It is that."}
    layout = detect([row], mapping)
    assert expected == (layout.shape, layout.prompt, layout.response)


def test_a_lone_mapped_column_is_plain_text() -> None:
    """With nothing else to read, a mapped prompt is the text itself."""
    layout = detect([{"q": "only this", "score": 3}], {"prompt": "q"})
    assert ("text", (), "q") == (layout.shape, layout.prompt, layout.response)
