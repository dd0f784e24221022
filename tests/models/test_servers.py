"""The real servers of the tests: what they answer, and that they answer it again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest

from tests.models.servers import CHAT, models_folder

SCHEMA = json.loads((CHAT / "record.schema.json").read_text("utf-8"))
FAMILIES = ("heron", "plover")


def post(url, **body):
    """Return the JSON that is answered to this JSON."""
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=60) as answer:
        return json.load(answer)


def ask(base_url, text="How many apples does Tom have?", **decoding):
    """Return the answer of a chat completion, as sent."""
    message = {"role": "user", "content": text}
    return post(f"{base_url}/chat/completions", messages=[message], **{"max_tokens": 100, **decoding})


def said(base_url, **decoding):
    """Return the text of an answer."""
    return ask(base_url, **decoding)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_one_answer(local_models, family):
    """The same seed gives the same words, another one others; the server says who answered."""
    url = local_models[family]
    assert said(url, seed=1) == said(url, seed=1)
    assert 1 < len({said(url, seed=seed) for seed in range(5)})
    assert family == ask(url)["model"]


def test_the_two_are_different_models(local_models):
    """Asked the same under the same seed and without chance, the two say different things."""
    heron, plover = (said(local_models[family], temperature=0) for family in FAMILIES)
    assert heron != plover


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_end_by_themselves_or_at_the_limit(local_models, family):
    """Most answers stop within 100 tokens; one that is cut says so and counts its tokens."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda seed: ask(local_models[family], seed=seed), range(32)))
    ends = [answer["choices"][0]["finish_reason"] for answer in answers]
    assert ends.count("stop") >= 26
    long = next(seed for seed, answer in enumerate(answers) if answer["usage"]["completion_tokens"] > 20)
    cut = ask(local_models[family], seed=long, max_tokens=3)
    assert ("length", 3) == (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_schema_is_kept(local_models, family):
    """An answer under a schema is JSON of that shape."""
    shape = {"type": "json_schema", "json_schema": {"name": "record", "strict": True, "schema": SCHEMA}}
    for seed in range(8):
        jsonschema.validate(
            json.loads(said(local_models[family], seed=seed, max_tokens=300, response_format=shape)), SCHEMA
        )


def test_log_probabilities_are_given(local_models):
    """Where they are asked for, each token comes with its log-probability and those of others."""
    answer = ask(local_models["heron"], max_tokens=5, logprobs=True, top_logprobs=3)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert [3] * len(tokens) == [len(token["top_logprobs"]) for token in tokens]
    assert all(token["logprob"] <= 0 for token in tokens)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_the_script_serves_until_it_ends(number, code, pytestconfig, tmp_path_factory, tmp_path):
    """serve.py writes where its servers are; however it ends, neither of them answers afterwards."""
    command = [sys.executable, CHAT / "serve.py", "--cache", models_folder(pytestconfig, tmp_path_factory)]
    with subprocess.Popen([*command, "--env", tmp_path / "urls"], stdout=subprocess.PIPE, text=True) as script:
        try:
            lines = [script.stdout.readline() for _ in FAMILIES]
            urls = [line.split("=")[1].strip() for line in lines]
            assert [f"{family.upper()}_URL={url}" for family, url in zip(FAMILIES, urls, strict=True)] == [
                line.removeprefix("export ").strip() for line in lines
            ]
            assert all(map(said, urls))
            while not (tmp_path / "urls").exists():
                time.sleep(0.01)
            os.kill(script.pid, number)
            assert code == script.wait(timeout=30)
        finally:
            script.kill()
    assert "".join(lines) == (tmp_path / "urls").read_text()
    for url in urls:
        until_refused(url)


def until_refused(url, seconds=10):
    """Return once nobody listens at the address; a server that outlives its parent by `seconds` is an error."""
    for _ in range(seconds * 20):
        try:
            ask(url, max_tokens=1)
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} still answers")
