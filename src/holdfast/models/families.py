"""Which family a model belongs to, who taught it, and whether two names are the same model or the same run.

A family is a line of models that share weights, vendor and training data; two sizes of one line are one family.
Names are read, nothing is looked up. What the table does not know is None: an unknown family is never guessed,
and a fine-tune whose name hides its base needs its family declared in the settings.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Relation = Literal["same-model", "same-run", "listed-previous"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: names that match `pattern` have weights of `family` and were taught by `taught_by`.

    `pattern` is matched at the start of a name part ("-", "_", "." and "/" part a name). `specific` rows name one
    published fine-tune and win over the general rows of its base. `source` says where the relation is stated.
    """

    pattern: str
    family: str
    vendor: str
    source: str
    taught_by: tuple[str, ...] = ()
    specific: bool = False


# Fine-tunes and students whose name holds two families, or hides its base. Teacher = whose outputs they learned from.
DISTILLED = (
    Line("deepseek-r1-distill-qwen", "qwen", "DeepSeek", "arXiv:2501.12948, section 2.4", ("deepseek",), True),
    Line("deepseek-r1-distill-llama", "llama", "DeepSeek", "arXiv:2501.12948, section 2.4", ("deepseek",), True),
    Line("deepseek-r1-0528-qwen", "qwen", "DeepSeek", "model card DeepSeek-R1-0528-Qwen3-8B", ("deepseek",), True),
    Line("llama-?3.*-nemotron", "llama", "NVIDIA", "arXiv:2505.00949", ("nemotron",), True),
    Line("mistral-nemo", "mistral", "Mistral AI", "model card Mistral-Nemo-2407", (), True),
    Line("alpaca", "llama", "Stanford", "Taori et al. 2023, Stanford Alpaca", ("gpt",), True),
    Line("vicuna", "llama", "LMSYS", "Chiang et al. 2023, Vicuna", ("gpt",), True),
    Line("koala", "llama", "Berkeley", "Geng et al. 2023, Koala", ("gpt",), True),
    Line("wizard(lm|coder|math)", "llama", "Microsoft", "arXiv:2304.12244", ("gpt",), True),
    Line("orca-?2", "llama", "Microsoft", "arXiv:2311.11045", ("gpt",), True),
    Line("tora-code", "llama", "Microsoft", "arXiv:2309.17452 (CodeLLaMA base)", ("gpt",), True),
    Line("tora", "llama", "Microsoft", "arXiv:2309.17452 (Llama 2 base)", ("gpt",), True),
    Line("zephyr-7b", "mistral", "Hugging Face", "arXiv:2310.16944", ("gpt",), True),
    Line("openhermes-2(-5)?-mistral", "mistral", "Teknium", "model card OpenHermes-2.5-Mistral-7B", ("gpt",), True),
    Line("openchat-3-5", "mistral", "OpenChat", "arXiv:2309.11235", ("gpt",), True),
    Line("starling-lm-7b", "mistral", "Berkeley", "Zhu et al. 2023, Starling-7B", ("gpt",), True),
    Line("solar-10-7b", "mistral", "Upstage", "arXiv:2312.15166, section 3", (), True),
    Line("llama-3.*-tulu|tulu-3", "llama", "Ai2", "arXiv:2411.15124", ("gpt",), True),
    Line("sky-t1|qwq|marco-o1", "qwen", "several", "model cards Sky-T1, QwQ, Marco-o1", (), True),
    Line("s1-32b|s1-1-32b", "qwen", "Stanford", "arXiv:2501.19393", ("gemini", "deepseek"), True),
)

GENERAL = (
    Line("(meta-?)?(code)?llama", "llama", "Meta", "arXiv:2302.13971, 2307.09288, 2407.21783"),
    Line("tinyllama", "tinyllama", "SUTD", "arXiv:2401.02385 (own weights, Llama architecture)", (), True),
    Line("open-?llama", "openllama", "OpenLM", "Geng and Liu 2023, OpenLLaMA (own weights)", (), True),
    Line("opt-[0-9]+(-[0-9]+)?[mb]", "opt", "Meta", "arXiv:2205.01068"),
    Line("qwen|codeqwen", "qwen", "Alibaba", "arXiv:2309.16609, 2412.15115, 2505.09388"),
    Line("(mis|mix|minis|codes|maths|devs|pix|magis)tral", "mistral", "Mistral AI", "arXiv:2310.06825, 2401.04088"),
    Line("(code|recurrent|med|data|shield|pali)?gemma", "gemma", "Google", "arXiv:2403.08295, 2408.00118", ("gemini",)),
    Line("gemini", "gemini", "Google", "arXiv:2312.11805"),
    Line("(flan-|m|by)?t5", "t5", "Google", "arXiv:1910.10683, 2210.11416"),
    Line("(chat)?gpt-?(2|3|4o?|5|oss)|chatgpt|newbing", "gpt", "OpenAI", "arXiv:2005.14165, 2303.08774"),
    Line("(text-|code-)?(davinci|curie|babbage)", "gpt", "OpenAI", "arXiv:2005.14165"),
    Line("o[134](-(mini|preview|pro)|$|-20)", "gpt", "OpenAI", "OpenAI o1 System Card 2024"),
    Line("claude", "claude", "Anthropic", "Claude 3 model card 2024"),
    Line("deepseek", "deepseek", "DeepSeek", "arXiv:2401.02954, 2412.19437, 2501.12948"),
    Line("aya|c4ai|command", "command", "Cohere", "arXiv:2405.15032 (Aya 23 is built on Command)"),
    Line("phi-?[1-9]", "phi", "Microsoft", "arXiv:2306.11644, 2404.14219, 2412.08905", ("gpt",)),
    Line("gpt-?(j|neox?)|pythia", "eleuther", "EleutherAI", "arXiv:2204.06745, 2304.01373 (all trained on The Pile)"),
    Line("bloomz?", "bloom", "BigScience", "arXiv:2211.05100"),
    Line("falcon", "falcon", "TII", "arXiv:2311.16867"),
    Line("yi-([0-9]|coder|large|lightning)", "yi", "01.AI", "arXiv:2403.04652"),
    Line("internlm", "internlm", "Shanghai AI Lab", "arXiv:2403.17297"),
    Line("(chat)?glm-?[0-9]", "glm", "Zhipu", "arXiv:2406.12793"),
    Line("baichuan", "baichuan", "Baichuan", "arXiv:2309.10305"),
    Line("olmoe?", "olmo", "Ai2", "arXiv:2402.00838, 2501.00656"),
    Line("smollm", "smollm", "Hugging Face", "arXiv:2502.02737 (Cosmopedia was written by Mixtral)", ("mistral",)),
    Line("mpt-[0-9]+b", "mpt", "MosaicML", "MosaicML 2023, MPT-7B"),
    Line("dbrx", "dbrx", "Databricks", "Databricks 2024, DBRX"),
    Line("stablelm", "stablelm", "Stability AI", "arXiv:2402.17834"),
    Line("granite", "granite", "IBM", "arXiv:2405.04324"),
    Line("starcoder", "starcoder", "BigCode", "arXiv:2305.06161, 2402.19173"),
    Line("nemotron", "nemotron", "NVIDIA", "arXiv:2406.11704"),
    Line("jamba", "jamba", "AI21", "arXiv:2403.19887"),
    Line("grok", "grok", "xAI", "xAI 2024, open release of Grok-1"),
    Line("kimi", "kimi", "Moonshot AI", "arXiv:2507.20534"),
    Line("minimax", "minimax", "MiniMax", "arXiv:2501.08313"),
    Line("apertium", "apertium", "Apertium", "Forcada et al. 2011 (rules, no weights)"),
    Line("exaone", "exaone", "LG", "arXiv:2408.03541"),
)

_SEPARATORS = re.compile(r"[\s_.:@]+")
_COMPILED = tuple((re.compile(rf"(?:^|-)(?:{line.pattern})(?![a-z])"), line) for line in DISTILLED + GENERAL)

# Suffixes that change how weights are stored, not what they are.
_STORED = re.compile(
    r"-(awq|gptq|gguf|ggml|exl2|mlx|onnx|bnb|hqq|int-?[248]|[248]-?bit|fp(?:8|16|32)|bf16|nf4|dynamic"
    r"|i?q[2-8](?:-[0-9k](?:-[sml])?)?|w[48]a(?:8|16))$"
)
# Suffixes that name a point of one training run or a release of one model: checkpoints, steps, versions, dates.
_POINT = re.compile(
    r"-((?:checkpoint|ckpt|global-step|step|steps|epoch|ep|iter|iteration|round|gen|generation|rev|revision|version)"
    r"-?[0-9]+(?:-[0-9]+)?k?|v[0-9]+(?:-[0-9]+)*|20[0-9]{2}-[01][0-9]-[0-3][0-9]|0[0-9]{2,}|[0-9]{4,}|final|last|latest|best)$"
)

# What hubs and their servers write behind a name: a branch, a commit, a way of storage. Some gateways begin with @.
_REVISION = re.compile(r"(?<=[^/])@[^@/]+$")


@lru_cache(maxsize=4096)
def family(model_name: str) -> str | None:
    """Return the family whose weights the model has, or None when the name does not tell.

    A name that matches two families and is in no row of its own is None; `lineage` then still holds both.
    """
    lines = _matches(model_name)
    families = {line.family for line in _decisive(lines)}
    return families.pop() if len(families) == 1 else None


def vendor(model_name: str) -> str | None:
    """Return who published the model, or None when the name does not tell."""
    vendors = {line.vendor for line in _decisive(_matches(model_name))}
    return vendors.pop() if len(vendors) == 1 else None


def lineage(model_name: str) -> frozenset[str]:
    """Return every family the model descends from: its weights and, where published, its teachers."""
    lines = _decisive(_matches(model_name))
    return frozenset({line.family for line in lines} | {teacher for line in lines for teacher in line.taught_by})


def same_family(a: str, b: str) -> bool | None:
    """True when the two models share a family by weights; None when either family is unknown."""
    families = family(a), family(b)
    return None if None in families else families[0] == families[1]


def same_model(a: str, b: str) -> bool:
    """True when two names mean the same weights: equal up to case, separators, publisher and storage format.

    For a model of no known family, two different publishers mean two different models.
    """
    return _same(a, b, _stored_apart)


def same_run(a: str, b: str) -> bool:
    """True when the names are equal after removing checkpoint, step, epoch, version, date and @revision suffixes."""
    return _same(_REVISION.sub("", a), _REVISION.sub("", b), _run_of)


def same_lineage(generator: str, student: str, previous: Iterable[str] = ()) -> Relation | None:
    """Say how a generator is the student itself: the same model, another point of its run, or a listed forerunner.

    A shared family alone is None: two sizes of one family are different models.
    """
    if same_model(generator, student):
        return "same-model"
    if any(same_model(generator, name) for name in previous):
        return "listed-previous"
    return "same-run" if any(same_run(generator, name) for name in (student, *previous)) else None


def _matches(model_name: str) -> list[Line]:
    bare = _split(model_name)[1]
    return [line for pattern, line in _COMPILED if pattern.search(bare)]


def _decisive(lines: list[Line]) -> list[Line]:
    """The first row that names this very model, else all general rows."""
    own = [line for line in lines if line.specific]
    return own[:1] or lines


def _split(model_name: str) -> tuple[str, str]:
    """Part a name into (publisher or folder, name); a checkpoint folder stays with the name above it."""
    parts = [_SEPARATORS.sub("-", part).strip("-") for part in model_name.lower().strip().strip("/").split("/")]
    while len(parts) > 1 and not _POINT.sub("", "-" + parts[-1]):
        parts[-2:] = [f"{parts[-2]}-{parts[-1]}"]
    return (parts[-2] if len(parts) > 1 else ""), parts[-1]


def _stored_apart(bare: str) -> str:
    return _strip(bare.removeprefix("meta-"), (_STORED,))


def _run_of(bare: str) -> str:
    return _strip(bare.removeprefix("meta-"), (_STORED, _POINT))


def _strip(bare: str, suffixes: tuple[re.Pattern[str], ...]) -> str:
    """Remove suffixes until none is left, but never the whole name."""
    before = None
    while before != bare:
        before = bare
        for suffix in suffixes:
            bare = suffix.sub("", bare) or bare
    return bare


def _same(a: str, b: str, reduced: Callable[[str], str]) -> bool:
    (publisher_a, bare_a), (publisher_b, bare_b) = _split(a), _split(b)
    if not bare_a or reduced(bare_a) != reduced(bare_b):
        return False
    known = family(a) is not None
    return known or not publisher_a or not publisher_b or publisher_a == publisher_b
