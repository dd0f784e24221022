"""Model names: family, lineage, and whether a generator is the student itself."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.families import DISTILLED, GENERAL, family, lineage, same_family, same_lineage, same_model, vendor

# Every generator named in the shared data; None where the name does not tell.
EXPECTED = {
    "6b_finetuning": None,
    "6b_verification": None,
    "175b_finetuning": None,
    "175b_verification": None,
    "CohereForAI/aya-23-8B": "command",
    "Qwen/Qwen2.5-0.5B-Instruct-GPTQ-Int4": "qwen",
    "Qwen/Qwen2.5-1.5B-Instruct-GPTQ-Int4": "qwen",
    "Qwen/Qwen2.5-14B-Instruct-GPTQ-Int4": "qwen",
    "Qwen/Qwen2.5-32B-Instruct-GPTQ-Int4": "qwen",
    "Qwen/Qwen2.5-3B-Instruct-GPTQ-Int4": "qwen",
    "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4": "qwen",
    "acme/student-7b-checkpoint-0009": None,
    "chatgpt": "gpt",
    "claude-3-5-sonnet-20240620": "claude",
    "claude-3-haiku-20240307": "claude",
    "claude-3-opus-20240229": "claude",
    "davinci": "gpt",
    "davinci-self-instruct": "gpt",
    "davinci-self-instruct-and-superni-ft": "gpt",
    "davinci-superni-ft": "gpt",
    "davinci-t0-ft": "gpt",
    "deepseek-ai/deepseek-llm-7b-chat": "deepseek",
    "fid": None,
    "gpt-4o-2024-08-06": "gpt",
    "gpt-4o-mini-2024-07-18": "gpt",
    "gpt-j-6B": "eleuther",
    "gpt-neo-2.7B": "eleuther",
    "gpt-neox-20b": "eleuther",
    "gpt2-xl": "gpt",
    "gpt35": "gpt",
    "gpt4": "gpt",
    "hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4": "llama",
    "human": None,
    "mistralai/Mistral-7B-Instruct-v0.3": "mistral",
    "newbing": "gpt",
    "o1-mini-2024-09-12": "gpt",
    "o1-preview-2024-09-12": "gpt",
    "opt-2.7b": "opt",
    "text-davinci-001": "gpt",
    "text-davinci-002": "gpt",
    "text-davinci-003": "gpt",
    "tora-70b-v1.0": "llama",
    "tora-code-34b-v1.0": "llama",
}

WITH_GENERATORS = (
    "audit/planted_sets", "detect/squad_human_vs_5generators", "multigen/qa_eval_nq",
    "multigen/self_instruct_8systems", "verify/gsm8k_solutions_6systems", "verify/ifeval_en_17models",
)  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_family_of_every_name_in_the_data(name: str, expected: str | None) -> None:
    """Each generator of the shared data has the family its publisher states, or none when unknown."""
    assert expected == family(name)


def test_table_covers_every_generator_in_the_data(shared_data: Path) -> None:
    """The expected table above leaves out no generator that occurs in the shared data."""
    seen = set()
    for name in WITH_GENERATORS:
        with gzip.open(shared_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            seen |= {json.loads(line)["generator"] for line in lines}
    assert set(EXPECTED) == seen - {None}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama3.1:8b", "llama"),
        ("anthropic/claude-opus-4", "claude"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt"),
        ("mixtral-8x7b", "mistral"),
        ("ministral-8b", "mistral"),
        ("codestral-22b", "mistral"),
        ("o1", "gpt"),
        ("Phi3", "phi"),
        ("TinyLlama/TinyLlama-1.1B", "tinyllama"),
        ("OpenHermes-2.5-Mistral-7B", "mistral"),
        ("opus", None),
        ("grape-7b", None),
        ("opticon-7b", None),
        ("", None),
    ],
)
def test_family_of_aliases(name: str, expected: str | None) -> None:
    """Aliases, tags and fine-tunes are read by the parts of their name; look-alikes are not guessed."""
    assert expected == family(name)


def test_distilled_model_has_the_base_family_and_its_teacher_in_the_lineage() -> None:
    """A distilled model belongs to its weights' family and descends from its teacher too."""
    name = "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
    assert "qwen" == family(name)
    assert {"qwen", "deepseek"} == lineage(name)
    assert "DeepSeek" == vendor(name)


def test_two_families_in_an_unlisted_name_are_not_decided() -> None:
    """A name with two families and no row of its own has no family, but both are in its lineage."""
    assert family("acme/mistral-7b-claude-chat") is None
    assert {"mistral", "claude"} == lineage("acme/mistral-7b-claude-chat")


@pytest.mark.parametrize(
    ("generator", "student", "expected"),
    [
        ("acme/student-7b-checkpoint-0010", "acme/student-7b-checkpoint-0010", "same-model"),
        ("acme/student-7b-checkpoint-0009", "acme/student-7b-checkpoint-0010", "same-run"),
        ("student-7b-checkpoint-0009", "acme/student-7b", "same-run"),
        ("acme-7b-v2", "acme-7b-v3", "same-run"),
        ("ACME_7B_step_1000", "acme-7b-v3", "same-run"),
        ("runs/acme/checkpoint-500", "runs/acme/checkpoint-900", "same-run"),
        ("gpt-4-0613", "gpt-4", "same-run"),
        ("/models/acme-7b", "/models/acme-7b@main", "same-run"),
        ("acme/acme-7b@0a1b2c3d4e", "acme/acme-7b@refs-pr-1", "same-run"),
        ("@cf/meta/llama-3-8b", "@cf/meta/llama-2-7b", None),
        ("acme-7b@main", "acme-8b@main", None),
        ("hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4", "meta-llama/Llama-3.1-8B-Instruct", "same-model"),
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B", None),
        ("llama-2-7b", "llama-3-7b", None),
        ("phi-2", "phi-3", None),
        ("acme/student-7b-checkpoint-0009", "other/student-7b-checkpoint-0010", None),
        ("checkpoint-500", "checkpoint-900", None),
        ("Qwen/Qwen2.5-7B-Instruct", "acme/student-7b", None),
    ],
)
def test_same_lineage(generator: str, student: str, expected: str | None) -> None:
    """The student itself and other points of its run are found; relatives of another size or release are not."""
    assert expected == same_lineage(generator, student)


def test_listed_forerunners_and_their_checkpoints_are_found() -> None:
    """A name under `previous` matches, and so does another checkpoint of it."""
    assert "listed-previous" == same_lineage("old-name-7b", "acme-7b", ["old-name-7b"])
    assert "same-run" == same_lineage("old-name-7b-step-200", "acme-7b", ["old-name-7b"])


def test_same_family_needs_both_families() -> None:
    """Two sizes share a family; with an unknown side the answer is None, not False."""
    assert same_family("llama-3.1-8b", "llama-3.1-70b") is True
    assert same_family("llama-3.1-8b", "qwen2.5-7b") is False
    assert same_family("acme-7b", "qwen2.5-7b") is None


def test_every_row_states_its_source() -> None:
    """No relation stands in the table without saying where it is published."""
    assert [] == [line.pattern for line in DISTILLED + GENERAL if not line.source or not line.vendor]


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_of_any_shape_are_compared_without_error(a: str, b: str) -> None:
    """Any text is accepted as a name, and sameness does not depend on the order of the two."""
    assert same_model(a, b) == same_model(b, a)
    assert (same_lineage(a, b) is None) == (same_lineage(b, a) is None)
