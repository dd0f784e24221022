"""The chat example: its models are what was trained, and most of what they write passes its checks."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product
from pathlib import Path

import jinja2
import numpy as np
import pytest

from holdfast import Record
from holdfast.core.record import Provenance
from holdfast.core.settings import load
from holdfast.core.text import words
from tests.models.servers import CHAT, models_folder, script
from tests.models.test_servers import SCHEMA, ask, post

gguf = pytest.importorskip("gguf", reason="extra [local] is not installed")
tiny, checks = script("tiny"), script("chat_checks")


class Example:
    """A copy of the example to run the command line in, and what its runs leave behind."""

    def __init__(self, folder, addresses):
        for name in ("chat", "quickstart"):
            shutil.copytree(CHAT.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.folder = folder / "chat"
        urls = {f"{name.upper()}_URL": url for name, url in addresses.items()}
        self.environment = {**os.environ, **urls, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def settings(self, old, new):
        """Write the settings with one text replaced."""
        text = (CHAT / "holdfast.yaml").read_text("utf-8")
        assert old in text
        (self.folder / "holdfast.yaml").write_text(text.replace(old, new), "utf-8")

    def run(self, *arguments):
        """Run `holdfast` here; return its exit code, what it printed and what it said."""
        command = [str(Path(sys.executable).parent / "holdfast"), *arguments]
        how = {"cwd": self.folder, "env": self.environment, "capture_output": True, "text": True}
        done = subprocess.run(command, check=False, **how)
        return done.returncode, done.stdout, done.stderr

    def manifest(self, place):
        """Return a manifest; its counts must add up."""
        found = json.loads((self.folder / place / "manifest.json").read_bytes())
        counts = dict(found["counts"])
        assert counts.pop("in") == sum(counts.values())
        return found

    def rows(self, path):
        """Return the rows of a file."""
        return [json.loads(line) for line in (self.folder / path).read_bytes().splitlines()]

    def asked(self, place):
        """Return of a run's ledger: requests sent, answers that were charged for, and calls that have an answer."""
        counts = "count(*), sum(charged = 'yes'), count(DISTINCT CASE WHEN charged = 'yes' THEN call END)"
        uri = f"file:{self.folder / place / 'ledger.sqlite'}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as base:
            return base.execute(f"SELECT {counts} FROM sends").fetchone()


@pytest.fixture
def example(local_models, tmp_path):
    """A copy of the example whose models are the running ones."""
    return Example(tmp_path, local_models)


@pytest.fixture
def settings(local_models, monkeypatch):
    """The example's settings, with the addresses of the running servers."""
    for family, url in local_models.items():
        monkeypatch.setenv(f"{family.upper()}_URL", url)
    return load(CHAT / "holdfast.yaml")


def test_the_settings_are_of_these_servers(settings, local_models):
    """Both models of the settings are served, and each belongs to a family of its own; six cells, 500 records."""
    assert local_models == {name: model.base_url for name, model in settings.models.items()}
    assert list(local_models) == [model.family for model in settings.models.values()]
    cells = list(product(*settings.cells.grid.values()))
    assert (6, True) == (len(cells), 6 * settings.cells.quota >= 500)


def test_the_template_asks_as_the_models_were_taught(settings):
    """The template, filled for each cell, is word for word what stands before the records in training."""
    template = jinja2.Template((CHAT / settings.generators[0].template).read_text("utf-8"))
    for topic, tone in product(*settings.cells.grid.values()):
        assert tiny.instruction(topic, tone) == template.render(cell={"topic": topic, "tone": tone})


def few():
    """Sixty texts, enough to train on for a second."""
    return iter([("time", f"How long do {n} eggs take?", f"They take {n} minutes.") for n in range(60)])


def test_making_a_model_repeats(tmp_path):
    """One family made twice is one file, byte for byte; another seed makes another one."""
    made = [
        tiny.make(tiny.Family("wren", few, 400, 32, seed, 1), tmp_path / f"{n}.gguf").read_bytes()
        for n, seed in enumerate((3, 3, 4))
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


def log_probabilities(w, ids):
    """Return those of the token after `ids`, computed as in training."""
    x = w["token_embd"][np.array([ids])]
    n0, _ = tiny.normed(x)
    first, last = (tiny.notices(n0[..., place], sight)[:, None] for place, sight in enumerate(tiny.SIGHTS))
    look = np.concatenate([first, tiny.looks(len(ids))[None], last], axis=1)
    seen = np.matmul(look, (n0 @ w["blk.0.attn_v"].T)[:, None]).swapaxes(1, 2).reshape(1, len(ids), -1)
    x1 = x + seen @ w["blk.0.attn_output"].T
    n1, _ = tiny.normed(x1)
    gate, up = n1 @ w["blk.0.ffn_gate"].T, n1 @ w["blk.0.ffn_up"].T
    n2, _ = tiny.normed(x1 + gate / (1 + np.exp(-gate)) * up @ w["blk.0.ffn_down"].T)
    logits = (n2 @ w["output"].T)[0, -1]
    return logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()


def test_the_server_computes_what_was_trained(local_models, pytestconfig, tmp_path_factory):
    """Log-probabilities of llama.cpp over a long prompt equal those of the numpy model to 0.01."""
    path = script("serve").cached("heron", models_folder(pytestconfig, tmp_path_factory))
    w = {each.name.removesuffix(".weight"): np.array(each.data) for each in gguf.GGUFReader(path).tensors}
    prompt = f"{tiny.USER}{tiny.instruction('time', 'plain')}{tiny.END}{tiny.ASSISTANT}"
    for text in (prompt, prompt + '{"prompt": "Tom has 3 apples. How many are left?", "response": "'):
        root = local_models["heron"].removesuffix("/v1")
        ids = post(f"{root}/tokenize", content=text, parse_special=True)["tokens"]
        answer = post(f"{root}/completion", prompt=ids, n_predict=1, n_probs=10, temperature=0)
        given = {each["id"]: each["logprob"] for each in answer["completion_probabilities"][0]["top_logprobs"]}
        ours = log_probabilities(w, ids)
        assert {} == {token: given[token] for token in given if abs(given[token] - ours[token]) > 0.01}


def test_most_records_pass_the_checks(local_models):
    """Of 20 records per cell and model, more than 60 % are whole, distinct, in the tone, and ended by themselves."""
    shape = {"type": "json_schema", "json_schema": {"name": "record", "strict": True, "schema": SCHEMA}}
    cells = list(product(("amounts", "time", "names"), ("plain", "friendly")))

    def write(job):
        family, (topic, tone), seed = job
        asked = {"seed": seed, "temperature": 0.85, "top_p": 0.95, "max_tokens": 240, "response_format": shape}
        choice = ask(local_models[family], tiny.instruction(topic, tone), **asked)["choices"][0]
        if choice["finish_reason"] != "stop":
            return None
        values = json.loads(choice["message"]["content"])
        record = Record("1", values["prompt"], values["response"], Provenance(cell={"topic": topic, "tone": tone}))
        return record if checks.whole(record).ok and checks.in_tone(record).ok else None

    jobs = list(product(local_models, cells, range(20)))
    with ThreadPoolExecutor(16) as pool:
        accepted = {record.digest for record in pool.map(write, jobs) if record}
    assert len(accepted) > 0.6 * len(jobs)


def test_a_budget_stops_the_run_and_more_of_it_finishes_it(example):
    """Stopped by money with exit 3 and all accounted for; with more it reaches 504 records, and pays nothing twice."""
    example.settings("cost: 0.05", "cost: 0.006")
    code, _, said = example.run("generate", "--out", "run")
    assert (3, True) == (code, "budget of 0.006" in said)
    stopped = example.manifest("run")
    counts = stopped["counts"]
    assert 0 < len(example.rows("run/kept.jsonl")) == counts["kept"] < 504
    assert (0, True) == (counts["failed"], counts["pending"] > 0)
    assert 0.001 < sum(used["cost"] for used in stopped["usage"].values()) <= 0.006
    assert "budget" in {cell["stopped_by"] for cell in stopped["cells"].values()}
    paid = example.asked("run")[1]

    example.settings("cost: 0.05", "cost: 0.05")
    assert (0, "") == example.run("generate", "--out", "run", "--quiet")[::2]
    kept = example.rows("run/kept.jsonl")
    manifest = example.manifest("run")
    sent, answers, calls = example.asked("run")
    assert (504, 0) == (len(kept), manifest["counts"]["pending"])
    assert {84} == set(Counter(str(row["holdfast"]["cell"]) for row in kept).values())
    assert 504 == len({row["holdfast"]["digest"] for row in kept}) == len({row["id"] for row in kept})
    families = Counter(row["holdfast"]["family"] for row in kept)
    assert {"heron", "plover"} == set(families)
    assert max(families.values()) <= 0.6 * 504
    assert sent >= answers == calls > paid > 0
    assert sent == sum(used["requests"] for used in manifest["usage"].values())
    assert manifest["counts"]["in"] <= answers


def test_the_build_mixes_what_the_models_wrote(example):
    """Build goes from the two servers to a training set under every cap; what is word salad, the audit calls thin."""
    code, _, said = example.run("build", "--quiet")
    built = example.manifest(".holdfast/chat")
    assert (1, "") == (code, said)
    report = json.loads((example.folder / ".holdfast/chat/report.json").read_bytes())
    assert ["anchor-diversity"] == [each["rule"] for each in report["findings"] if each["severity"] == "error"]
    train = example.rows(f".holdfast/chat/{built['files']['train']}")
    origins = Counter(row["holdfast"]["origin"] for row in train)
    assert (540, True) == (origins["real"], 400 < origins["synthetic"] <= 504)
    made = [row for row in train if row["holdfast"]["origin"] == "synthetic"]
    assert {("question", "answer")} == {tuple(row)[1:3] for row in train}
    tokens = Counter()
    for row in made:
        tokens[row["holdfast"]["generator"]] += len(words(row["question"])) + len(words(row["answer"]))
    assert max(tokens.values()) <= 0.6 * tokens.total()
    strata = example.manifest(".holdfast/chat/dataset")["strata"]
    assert {"tone=friendly", "tone=none", "tone=plain"} == set(strata)
    assert 0 == example.run("verify-manifest", ".holdfast/chat")[0]


def said(prompt, response, **cell):
    """Return a record of that text and cell."""
    return Record("1", prompt, response, Provenance(cell=cell))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (said("How many are left?", "There are two left."), ""),
        (said("Left?", "There are two left."), "too-short"),
        (said("How many are left?", ": so two are left."), "begins-in-a-sentence"),
        (said("How many are left?", "There are two and"), "breaks-off"),
    ],
)
def test_whole(record, reason):
    """Records that begin or end in the middle of a sentence, or say next to nothing, are refused with the reason."""
    assert (reason == "", reason) == (checks.whole(record).ok, checks.whole(record).reason)


@pytest.mark.parametrize(
    ("tone", "response", "ok"),
    [
        ("friendly", "Sure! Two.", True),
        ("friendly", "Two.", False),
        ("plain", "Two.", True),
        ("plain", "Sure! Two.", False),
        ("rude", "Two.", None),
    ],
)
def test_in_tone(tone, response, ok):
    """The opening is held against the tone of the cell; a record of another tone is not judged."""
    assert ok is checks.in_tone(said("How many?", response, tone=tone)).ok
