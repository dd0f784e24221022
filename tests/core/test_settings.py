"""Settings: mistakes are named with their place, values keep their meaning."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from holdfast.core.errors import UsageError
from holdfast.core.settings import load, schema


def written(folder: Path, text: str) -> Path:
    """Write a settings file and return its path."""
    path = folder / "holdfast.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nnmae: x\n", "holdfast.yaml:2: unknown key 'nmae'. Did you mean 'name'?"),
        (
            "real:\n  - {path: a, licnce: MIT}\n",
            "holdfast.yaml:2: unknown key 'real.0.licnce'. Did you mean 'licence'?",
        ),
        ("mix: {by: rows}\n", "mix.by: Input should be 'records' or 'tokens', not 'rows'"),
        ("mix: {max_synthetic: 0.9}\n", "above 0.7 it needs an accepted risk for synthetic-ratio"),
        ("generators: [{use: prompt, model: qwen}]\n", "generator uses model 'qwen'"),
        ("version: 2\n", "holdfast.yaml:1: version: this Holdfast reads version 1"),
        ("a: [1\nb: }", "holdfast.yaml:2:2: not valid YAML"),
        ("- 1\n", "settings are keys and values"),
        ("accepted_risks: [{rule: x, reason: '', owner: me, until: 2030-01-01}]\n", "accepted_risks.0.reason"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, text, expected):
    """Each wrong setting is one message with file, line, key and what would be right."""
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, text))
    assert expected in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    """Two wrong keys are two lines of one message."""
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, "nmae: x\nsede: 1\n"))
    assert 2 == len(str(caught.value).splitlines())


def test_an_alias_bomb_is_refused(tmp_path):
    """A billion laughs is refused before anything is built from it."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 20)}]" for n in range(1, 9)]
    with pytest.raises(UsageError, match="YAML aliases"):
        load(written(tmp_path, "\n".join(lines)))


def test_a_missing_file_says_how_to_give_one(tmp_path):
    """A path that is not there ends in the option that names one."""
    with pytest.raises(UsageError, match="Give a path with -c"):
        load(tmp_path / "no.yaml")


def test_the_environment_fills_only_what_declares_it(tmp_path, monkeypatch):
    """${NAME} is filled in base_url and stays as written elsewhere."""
    monkeypatch.setenv("HOST", "http://127.0.0.1:9")
    text = "name: n\nstudent: {name: '${HOST}'}\nmodels: {m: {base_url: '${HOST}/v1', model: x}}\n"
    settings = load(written(tmp_path, text))
    assert ("http://127.0.0.1:9/v1", "${HOST}") == (settings.models["m"].base_url, settings.student.name)


def test_an_unset_variable_is_an_error(tmp_path, monkeypatch):
    """A variable that is not set is named."""
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(UsageError, match="NOWHERE"):
        load(written(tmp_path, "models: {m: {base_url: '${NOWHERE}', model: x}}\n"))


def test_paths_are_seen_from_the_file(tmp_path):
    """A relative path belongs to the folder of the settings file, wherever the command runs."""
    settings = load(written(tmp_path, "real: [{path: data/real.jsonl}]\n"))
    assert tmp_path / "data/real.jsonl" == settings.path(settings.real[0].path)


def test_the_digest_knows_values_and_not_layout(tmp_path):
    """Two files that say the same have one digest; another value has another."""
    first = load(written(tmp_path, "name: a\nseed: 3\n")).digest
    second = load(written(tmp_path, "# remark\nseed: 3\nname: a\n")).digest
    third = load(written(tmp_path, "name: a\nseed: 4\n")).digest
    assert (True, False) == (first == second, first == third)


def test_the_contract_example_is_accepted(tmp_path):
    """The settings printed in the contracts are valid, in Python and under the published schema."""
    text = """
version: 1
name: grade-school-math
seed: 7
student: {name: acme-7b-v3, family: llama, previous: [acme-7b-v2]}
real:
  - {path: data/real.jsonl, licence: MIT, map: {prompt: question, response: answer}}
reserve: {eval: 0.1, group_by: [source], ood: data/other_register.jsonl, out: sealed/}
models:
  qwen: {base_url: http://localhost:8000/v1, model: Qwen/Qwen3-8B, family: qwen, key_env: null,
         limits: {concurrency: 64, rpm: 600, tpm: 2000000}, headers: {}, extra_body: {}, price: {input: 0, output: 0}}
  judge: {base_url: https://example.invalid/v1, model: other-70b, family: other, key_env: OTHER_KEY}
generators:
  - {use: prompt, model: qwen, template: prompts/problem.j2, decoding: {temperature: [0.7, 1.1], top_p: 0.95}, cap: 0.5}
  - {use: procedural, family: reasoning-gym, tasks: [gsm_symbolic, chain_sum], cap: 0.4}
cells:
  grid: {topic: [ratios, rates], difficulty: [easy, hard]}
  quota: 250
  weights: {"difficulty=hard": 2}
budget: {cost: 20.0, currency: USD, time: 4h}
checks: [math, "my_checks:ends_with_number"]
filters: {dedup: {exact: true, near: {ngram: word3, threshold: 0.5}, semantic: null},
          judge: {model: judge, rubric: rubrics/quality.md, labels: labels.jsonl, min_agreement: 0.4}, privacy: redact}
mix: {max_synthetic: 0.5, by: tokens, strata: [topic], weights: {}, size: 10000, format: messages}
audit: {fail_on: error, select: all, ignore: []}
accepted_risks: [{rule: generator-concentration, reason: "...", owner: "...", until: 2027-03-31}]
runner: local
"""
    settings = load(written(tmp_path, text))
    Draft202012Validator(schema()).validate(settings.model_dump(mode="json"))
    assert ("grade-school-math", 0.4) == (settings.name, settings.generators[1].cap)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\nmix: {max_synthetic: 0.3}\nseed: 7\nmix: {by: tokens}\n", ":4: the key 'mix'"),
        ("version: 1\nreal:\n  - {path: a.jsonl, path: b.jsonl}\n", ":3: the key 'path'"),
    ],
)
def test_a_key_given_twice_is_refused(text, place, tmp_path):
    """YAML would drop the first without a word; here the line of the second is named."""
    with pytest.raises(UsageError, match=place):
        load(written(tmp_path, text))


def test_an_alias_to_itself_ends(tmp_path):
    """A settings file that holds itself is a mistake, not an endless walk."""
    with pytest.raises(UsageError):
        load(written(tmp_path, "version: 1\nname: &a [*a]\n"))
