"""The chat example: its models are what was trained, and most of what they write passes its checks."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import jinja2
import numpy as np
import pytest

from holdfast import Record
from holdfast.core.record import Provenance
from holdfast.core.settings import load
from tests.models.servers import CHAT, models_folder, script
from tests.models.test_servers import SCHEMA, ask, post

gguf = pytest.importorskip("gguf", reason="extra [local] is not installed")
tiny, checks = script("tiny"), script("chat_checks")


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
