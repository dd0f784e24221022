"""Settings: holdfast.yaml as frozen values. Names and numbers only, never expressions.

An unknown key is an error with the nearest match and its place; relative paths are relative to the file; keys of
providers are given by the name of their environment variable. `schema()` is the JSON Schema that editors use.
"""

from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import yaml
from pydantic import BaseModel, Field, PrivateAttr, ValidationError, model_validator

from holdfast.core.environment import filled
from holdfast.core.errors import UsageError, nearest
from holdfast.core.where import CONFIG, OnRay, OnThisMachine
from holdfast.core.yamlfile import ONE_VERSION, locate, parse

# A share of at most 0.7 is a setting; above it the risk must be accepted in writing (contracts.md).
DEFAULT_CAP = 0.5
HIGHEST_CAP = 0.7
# Data gone through up to 4 times are nearly as good as new data, beyond about 16 times returns diminish very fast: 400
# language models of up to 9 billion parameters (Muennighoff et al. 2023, arXiv 2305.16264).
NEARLY_NEW_EPOCHS, MOST_EPOCHS = 4, 16
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = CONFIG


class Student(Strict):
    """The model that will be trained on this set, and its own earlier checkpoints."""

    name: str
    family: str | None = None
    previous: tuple[str, ...] = ()


class Real(Strict):
    """One file of real data. `map` names columns: {prompt: question, response: answer}."""

    path: Path
    licence: str | None = None
    map: dict[str, str] = {}


class Reserve(Strict):
    """The held-out set: `eval` is a share below 1 or a number of records; groups never straddle the split.

    `detect` sizes it instead: the smallest drop in accuracy that it is to notice with chance `power`. `ood` is a file
    of real records of another register, or a rule on a column of the real data: source=forum, date>=2021-06-01.
    """

    eval: Annotated[float, Field(gt=0)] = 0.1
    detect: Annotated[float, Field(gt=0, le=1)] | None = None
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    group_by: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    ood: Annotated[str, Field(min_length=1)] | None = None
    out: Path = Path("sealed")


class Limits(Strict):
    """What an endpoint allows: requests in flight, requests and tokens a minute, seconds and attempts for one call."""

    concurrency: Annotated[int, Field(ge=1)] = 16
    rpm: Annotated[int, Field(ge=1)] | None = None
    tpm: Annotated[int, Field(ge=1)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 120
    attempts: Annotated[int, Field(ge=1)] = 5


class Price(Strict):
    """Price per million tokens, in the currency of the budget."""

    input: float = 0
    output: float = 0


class Model(Strict):
    """One OpenAI-compatible endpoint. `key_env` is the name of the variable that holds the key, never the key."""

    base_url: str
    model: str
    family: str | None = None
    key_env: str | None = None
    limits: Limits = Limits()
    headers: dict[str, str] = {}
    extra_body: dict[str, Any] = {}
    price: Price | None = None


class GeneratorSettings(Strict):
    """One generator: a built-in name or "module:function". `cap` is its largest share of the synthetic part.

    `decoding` goes to the model as it stands; a list of two numbers is a range, drawn anew for each record. `seeds`
    (without it: the real training records) and `documents` are used `passes` times each. `against` is a second model.
    """

    use: str
    name: str | None = None
    model: str | None = None
    against: str | None = None
    template: Path | None = None
    answer_schema: Path | None = None
    family: str | None = None
    tasks: tuple[str, ...] = ()
    seeds: Path | None = None
    documents: Path | None = None
    personas: Path | None = None
    shots: Annotated[int, Field(ge=0)] = 0
    passes: Annotated[int, Field(ge=1)] = 1
    turns: Annotated[int, Field(ge=1)] = 2
    evolve: tuple[Literal["deeper", "broader"], ...] = ("deeper", "broader")
    languages: tuple[str, ...] = ()
    edited: Share = 0.15
    decoding: dict[str, Any] = {}
    batch: bool = False
    cap: Share = 1.0


class Cells(Strict):
    """Targeting: every cell gets `quota` accepted records, times its weight.

    Cells are the product of the `grid` and of the leaves of a `taxonomy` file (on the axis `topic`), and the `list`.
    """

    grid: dict[str, tuple[str, ...]] = {}
    taxonomy: Path | None = None
    list: tuple[dict[str, str], ...] = ()
    quota: Annotated[int, Field(ge=1)] = 100
    weights: dict[str, float] = {}


class Budget(Strict):
    """Where a run stops: money, and time such as 4h or 30m."""

    cost: float | None = None
    currency: str = "USD"
    time: str | None = None


class Near(Strict):
    """What a near-duplicate is: the n-gram and the lowest Jaccard similarity."""

    ngram: Literal["word3", "word5", "char5", "symbol3"] = "word3"
    threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.5


class Semantic(Strict):
    """What a semantic duplicate is: the encoder by name, and the lowest cosine of two records' vectors.

    The default is that of all-MiniLM-L6-v2, chosen on labelled pairs (docs/encoders.md); another encoder needs another.
    """

    encoder: Annotated[str, Field(min_length=1)] = "minilm"
    threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.9


class Dedup(Strict):
    """Which repetitions are removed; null switches one off."""

    exact: bool = True
    near: Near | None = Near()
    semantic: Semantic | None = None


class JudgeSettings(Strict):
    """An LLM judge, or a panel of them by majority or `weights`: it may reject only after agreeing with human labels.

    Agreement is asked for in each `subset`: generator, family, cell, domain, or a column of the rows. `records` are the
    labelled ones where they are not among those judged. Without `verified` no record that a verifier passed is judged.
    """

    model: str | Annotated[tuple[str, ...], Field(min_length=1)]
    rubric: Path
    mode: Literal["score", "pairs", "items"] = "score"
    scale: Annotated[int, Field(ge=2, le=10)] = 5
    pass_at: Annotated[int, Field(ge=2, le=10)] = 4
    weights: tuple[Annotated[float, Field(gt=0)], ...] = ()
    decoding: dict[str, Any] = {}
    labels: Path | None = None
    records: Path | None = None
    subset: str = "generator"
    min_agreement: Annotated[float, Field(gt=0, le=1)] = 0.4
    verified: bool = True

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the judges, each once."""
        return tuple(dict.fromkeys((self.model,) if isinstance(self.model, str) else self.model))

    @model_validator(mode="after")
    def _fits(self) -> "JudgeSettings":
        if self.pass_at > self.scale:
            raise ValueError(f"pass_at is {self.pass_at} on a scale to {self.scale}: nothing would pass")
        if self.weights and len(self.weights) != len(self.models):
            raise ValueError(f"weights has {len(self.weights)} values for {len(self.models)} judges")
        return self


class Novelty(Strict):
    """What a record must add: `least` is the lowest score of `metrics.novelty`, `against` what is covered already."""

    least: Annotated[float, Field(gt=0, le=1)] = 0.1
    against: tuple[Path, ...] = ()


class Translation(Strict):
    """Languages of the translations (ISO 639-1) where the rows do not say, and who translates back.

    `back` is apertium or your own "module:function"; it must be independent of the model that made the translations.
    """

    source: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    target: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    back: str | None = None
    back_family: str | None = None


class Filters(Strict):
    """What is done to records after verification."""

    dedup: Dedup = Dedup()
    novelty: Novelty | None = None
    judge: JudgeSettings | None = None
    privacy: Literal["redact", "reject", "off"] = "redact"


class Mix(Strict):
    """The training set: caps on the synthetic share by records or tokens, strata, size and shape.

    Where real data are short for a cap a real record may be in it up to `real_epochs` times. `previous` is the folder
    or manifest of the round before, which the set is compared with.
    """

    max_synthetic: Share = DEFAULT_CAP
    per_stratum: Share = 1.0
    by: Literal["records", "tokens"] = "tokens"
    strata: tuple[str, ...] = ()
    weights: dict[str, float] = {}
    size: Annotated[int, Field(ge=1)] | None = None
    real_epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = 1
    previous: Path | None = None
    choose: Literal["random", "coverage"] = "random"
    order: Literal["shuffled", "synthetic-first"] = "shuffled"
    format: Literal["own", "messages", "alpaca", "sharegpt", "text"] = "own"


class Audit(Strict):
    """Which rules run, which severity stops the command, and the encoder of everything that rests on vectors."""

    fail_on: Literal["error", "warning", "note"] = "error"
    select: Literal["all"] | tuple[str, ...] = "all"
    ignore: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    encoder: Annotated[str, Field(min_length=1)] = "lexical"


class AcceptedRisk(Strict):
    """A finding somebody answers for: why, who, and until when. An expired one fires."""

    rule: str
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    until: date


class Settings(Strict):
    """Everything in holdfast.yaml. `version` is the version of this contract.

    `durability` says what an answer that was counted survives: the death of the process, or of the machine's power.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "run"
    seed: int = 7
    student: Student | None = None
    real: tuple[Real, ...] = ()
    reserve: Reserve = Reserve()
    models: dict[str, Model] = {}
    generators: tuple[GeneratorSettings, ...] = ()
    cells: Cells = Cells()
    budget: Budget = Budget()
    durability: Literal["process", "power"] = "process"
    checks: tuple[str, ...] = ()
    translation: Translation | None = None
    filters: Filters = Filters()
    mix: Mix = Mix()
    audit: Audit = Audit()
    accepted_risks: tuple[AcceptedRisk, ...] = ()
    runner: Literal["local"] | OnThisMachine | OnRay = "local"
    _folder: Path = PrivateAttr(default=Path())

    def path(self, given: Path) -> Path:
        """Return a path of the settings seen from the folder of the settings file."""
        return self._folder / given

    def model_post_init(self, context: Any) -> None:
        """Remember the folder of the settings file, which `load` gives as validation context."""
        self._folder = Path((context or {}).get("folder", ""))

    @model_validator(mode="after")
    def _cap_needs_acceptance(self) -> "Settings":
        accepted = {risk.rule for risk in self.accepted_risks}
        if self.mix.max_synthetic > HIGHEST_CAP and "synthetic-ratio" not in accepted:
            message = f"mix.max_synthetic is {self.mix.max_synthetic}; above {HIGHEST_CAP} it needs an accepted risk"
            raise ValueError(f"{message} for synthetic-ratio (reason, owner, until)")
        return self

    @model_validator(mode="after")
    def _models_exist(self) -> "Settings":
        for generator in self.generators:
            for name in (generator.model, generator.against):
                if name is not None and name not in self.models:
                    raise ValueError(f"generator uses model {name!r}. {nearest(name, self.models)}")
        for name in self.filters.judge.models if self.filters.judge else ():
            if name not in self.models:
                raise ValueError(f"filters.judge uses model {name!r}. {nearest(name, self.models)}")
        return self

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of the settings as read, defaults included, paths as written; the runner is no part of it."""
        values = {**self.model_dump(mode="json"), "runner": "local"}
        return blake2b(orjson.dumps(values, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def load(path: str | Path) -> Settings:
    """Read holdfast.yaml. Any mistake is one `UsageError` that names file, line, key and remedy."""
    path = Path(path)
    node, values = parse(path)
    try:
        return Settings.model_validate(filled(values), context={"folder": path.parent})
    except ValidationError as error:
        raise UsageError("\n".join(_explain(path, node, fault) for fault in error.errors())) from None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of holdfast.yaml."""
    return Settings.model_json_schema()


def _explain(path: Path, node: yaml.Node | None, fault: Any) -> str:
    place = [part for part in fault["loc"] if not str(part).startswith(("literal[", "tuple[", "dict[", "constrained"))]
    line = locate(node, place)
    key = ".".join(str(part) for part in place)
    if fault["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown key {key!r}. {nearest(str(place[-1]), _keys(place[:-1]))}"
    given = "" if isinstance(fault["input"], dict) else f", not {fault['input']!r}"
    message = ONE_VERSION if place == ["version"] else fault["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {key}: {message}{given}" if key else f"{path}: {message}"


def _keys(place: list[Any]) -> list[str]:
    """Return the keys that the settings know at `place`, read from their own JSON Schema."""
    whole = schema()
    part: Any = whole
    for step in [*place, None]:
        while "$ref" in part or "anyOf" in part:
            options = part.get("anyOf", [part])
            target = next((option["$ref"] for option in options if "$ref" in option), None)
            if target is None:
                return []
            part = whole["$defs"][target.rsplit("/", 1)[1]]
        if step is None:
            return list(part.get("properties", {}))
        part = part.get("items", {}) if isinstance(step, int) else _step(part, str(step))
    return []


def _step(part: dict[str, Any], name: str) -> Any:
    return part.get("properties", {}).get(name) or part.get("additionalProperties", {}) or {}
