"""Mixture settings of other tools: which files, how many of each, and by which columns."""

import json
from pathlib import Path

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.reading.mixtures import Mixture, Source, mixture_of

INFO = {
    "mine": {"file_name": "mine.json", "columns": {"prompt": "ask", "query": "more", "response": "say"}},
    "chat": {"file_name": "chat.jsonl", "formatting": "sharegpt", "columns": {"messages": "turns"}, "num_samples": 30},
    "far": {"hf_hub_url": "org/far", "file_name": "mine.json"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Data files under data/, with a dataset_info.json beside them."""
    (tmp_path / "data").mkdir()
    for name in ("mine.json", "chat.jsonl", "a.jsonl", "b.jsonl"):
        (tmp_path / "data" / name).write_text("{}\n")
    (tmp_path / "data/dataset_info.json").write_text(json.dumps(INFO))
    return tmp_path


def of(folder: Path, text: str) -> Mixture:
    """The mixture of a YAML text in that folder."""
    (folder / "train.yaml").write_text(text)
    found = mixture_of(folder / "train.yaml")
    assert found is not None
    return found


def test_llama_factory_registry(folder: Path) -> None:
    """Every entry of dataset_info.json: files, columns and sample counts; a hub's address goes before a file."""
    found = mixture_of(folder / "data/dataset_info.json")
    mine, chat = folder / "data/mine.json", folder / "data/chat.jsonl"
    columns = {"prompt": "ask", "extra": "more", "response": "say"}
    assert (
        Mixture(
            "LLaMA-Factory",
            (
                Source("mine", (mine,), mapping=columns),
                Source("chat", (chat,), count=30, mapping={"messages": "turns"}),
                Source("org/far"),
            ),
        )
        == found
    )


def test_llama_factory_interleaved(folder: Path) -> None:
    """The training YAML: the list of names, probabilities as text, the cap on samples, and which source ends it."""
    text = "dataset: mine, chat\ndataset_dir: data\nmix_strategy: interleave_over\ninterleave_probs: 0.7,0.3\n"
    found = of(folder, text + "max_samples: 20\n")
    assert ("all", [(20, 0.7), (20, 0.3)]) == (found.ends, [(one.count, one.weight) for one in found.sources])
    assert ["mine", "gone (not in data/dataset_info.json)"] == [
        one.name.replace(f"{folder}/", "") for one in of(folder, "dataset: [mine, gone]\n").sources
    ]


def test_open_instruct(folder: Path) -> None:
    """Pairs: with a point a share, without one a count; a hub's name has no path."""
    text = "dataset_mixer_list: [data/a.jsonl, 0.5, data/b.jsonl, 3, org/far, 1.0]\n"
    a, b = folder / "data/a.jsonl", folder / "data/b.jsonl"
    wanted = (Source("data/a.jsonl", (a,), 0.5), Source("data/b.jsonl", (b,), count=3), Source("org/far"))
    assert Mixture("open-instruct", wanted) == of(folder, text)
    assert wanted == of(folder, 'dataset_mixer_list: "data/a.jsonl 0.5 data/b.jsonl 3 org/far 1.0"\n').sources
    with pytest.raises(UsageError, match="pairs"):
        of(folder, "dataset_mixer_list: [a, 1.0, b]\n")


def test_oumi(folder: Path) -> None:
    """data.train.datasets: the path or else the name, samples, proportions and what ends the mixture."""
    text = """data:
  train:
    mixture_strategy: all_exhausted
    datasets:
      - {dataset_name: text_sft_jsonl, dataset_path: data/a.jsonl, sample_count: 9, mixture_proportion: 0.25}
      - {dataset_name: org/far, mixture_proportion: 0.75}
"""
    a = folder / "data/a.jsonl"
    wanted = (Source("data/a.jsonl", (a,), count=9, weight=0.25), Source("org/far", weight=0.75))
    assert Mixture("Oumi", wanted, "all") == of(folder, text)


def test_axolotl(folder: Path) -> None:
    """A file, files of a loader, one shard of several, own columns; files of a hub's data set are not here."""
    text = """datasets:
  - {path: data/a.jsonl, type: alpaca, shards: 4}
  - {path: json, data_files: [data/a.jsonl, data/b.jsonl], type: {field_instruction: q, field_output: r}}
  - {path: data/b.jsonl, type: chat_template, field_messages: turns}
  - {path: org/far, data_files: data/a.jsonl}
"""
    a, b = folder / "data/a.jsonl", folder / "data/b.jsonl"
    assert Mixture(
        "axolotl",
        (
            Source("data/a.jsonl", (a,), 0.25),
            Source("data/a.jsonl, data/b.jsonl", (a, b), mapping={"prompt": "q", "response": "r"}),
            Source("data/b.jsonl", (b,), mapping={"messages": "turns"}),
            Source("data/a.jsonl"),
        ),
    ) == of(folder, text)


def test_what_is_no_mixture_is_left_to_the_reader(folder: Path) -> None:
    """Other YAML, a `datasets` folder's own dataset_info.json and data files are none."""
    (folder / "notes.yaml").write_text("title: something\n")
    (folder / "dataset_info.json").write_text('{"builder_name": "json", "features": {"text": {}}}')
    found = [mixture_of(folder / name) for name in ("notes.yaml", "dataset_info.json", "data/a.jsonl", "gone.yaml")]
    assert [None] * 4 == found


@pytest.mark.parametrize(
    ("ends", "expected"),
    [("first", [40.0, 10.0]), ("all", [400.0, 100.0])],
)
def test_weights_decide_how_much_of_each_is_trained_on(ends, expected) -> None:
    """0.8 and 0.2 of 40 and 100 records: ended by the first exhausted, or by the last with the other repeated."""
    sources = (Source("a", weight=0.8), Source("b", weight=0.2))
    assert expected == pytest.approx(Mixture("Oumi", sources, ends).sizes([40, 100]))
