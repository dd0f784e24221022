"""Settings: holdfast.yaml as frozen values. Names and numbers only, never expressions.

An unknown key is an error with the nearest match and its place; relative paths are relative to the file; keys of
providers are given by the name of their environment variable. `schema()` is the JSON Schema that editors use.
"""

import os
import re
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from holdfast.core.errors import UsageError, nearest

# A share of at most 0.7 is a setting; above it the risk must be accepted in writing (contracts.md).
DEFAULT_CAP = 0.5
HIGHEST_CAP = 0.7
# A settings file is written by a person: anything larger, or with more YAML aliases, is a mistake or an attack.
LARGEST_FILE = 1_000_000
MOST_ALIASES = 100

Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    `detect` sizes it instead: the smallest drop in accuracy that it is to notice with chance `power`.
    """

    eval: Annotated[float, Field(gt=0)] = 0.1
    detect: Annotated[float, Field(gt=0, le=1)] | None = None
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    group_by: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    ood: Path | None = None
    out: Path = Path("sealed")


class Limits(Strict):
    """What an endpoint allows: requests in flight, requests and tokens a minute."""

    concurrency: Annotated[int, Field(ge=1)] = 16
    rpm: int | None = None
    tpm: int | None = None


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
    """One generator: a built-in name or "module:function". `cap` is its largest share of the synthetic part."""

    use: str
    model: str | None = None
    template: Path | None = None
    family: str | None = None
    tasks: tuple[str, ...] = ()
    decoding: dict[str, Any] = {}
    cap: Share = 1.0


class Cells(Strict):
    """Targeting: every cell of the grid gets `quota` accepted records, times its weight."""

    grid: dict[str, tuple[str, ...]] = {}
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
    """An LLM judge: it may reject only after agreeing with human labels."""

    model: str
    rubric: Path
    labels: Path | None = None
    min_agreement: float = 0.4


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
    """The training set: caps on the synthetic share by records or tokens, strata, size and shape."""

    max_synthetic: Share = DEFAULT_CAP
    per_stratum: Share = 1.0
    by: Literal["records", "tokens"] = "tokens"
    strata: tuple[str, ...] = ()
    weights: dict[str, float] = {}
    size: Annotated[int, Field(ge=1)] | None = None
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
    """Everything in holdfast.yaml. `version` is the version of this contract."""

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
    checks: tuple[str, ...] = ()
    translation: Translation | None = None
    filters: Filters = Filters()
    mix: Mix = Mix()
    audit: Audit = Audit()
    accepted_risks: tuple[AcceptedRisk, ...] = ()
    runner: Literal["local"] | dict[str, Any] = "local"
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
            if generator.model is not None and generator.model not in self.models:
                raise ValueError(f"generator uses model {generator.model!r}. {nearest(generator.model, self.models)}")
        return self

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of the settings as read, defaults included, paths as written."""
        values = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return blake2b(values, digest_size=16).hexdigest()


def load(path: str | Path) -> Settings:
    """Read holdfast.yaml. Any mistake is one `UsageError` that names file, line, key and remedy."""
    path = Path(path)
    node, values = _parse(path)
    try:
        return Settings.model_validate(values, context={"folder": path.parent})
    except ValidationError as error:
        raise UsageError("\n".join(_explain(path, node, fault) for fault in error.errors())) from None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of holdfast.yaml."""
    return Settings.model_json_schema()


def _parse(path: Path) -> tuple[yaml.Node | None, dict[str, Any]]:
    text = _text(path)
    try:
        if sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)) > MOST_ALIASES:
            raise UsageError(f"{path} has more than {MOST_ALIASES} YAML aliases.", "Write the values out.")
        node = yaml.compose(text, yaml.SafeLoader)
        _refuse_doubled(path, node)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{path}{place}: not valid YAML: {error.problem}.", "Mend the line and run again.") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not valid YAML: {error}.", "Mend the file and run again.") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path}: settings are keys and values.", "Start from `holdfast init`.")
    return node, _environment(values)


def _refuse_doubled(path: Path, node: yaml.Node | None) -> None:
    """Raise `UsageError` for a key given twice: YAML would keep the last and drop the other without a word."""
    waiting, done = [node], set()
    while waiting:
        here = waiting.pop()
        if id(here) in done:  # an alias leads back to its anchor
            continue
        done.add(id(here))
        if isinstance(here, yaml.SequenceNode):
            waiting += here.value
        elif isinstance(here, yaml.MappingNode):
            keys = [key for key, _ in here.value if isinstance(key, yaml.ScalarNode)]
            names = [key.value for key in keys]
            if twice := next((key for at, key in enumerate(keys) if key.value in names[:at]), None):
                place = f"{path}:{twice.start_mark.line + 1}"
                raise UsageError(f"{place}: the key {twice.value!r} is there twice.", "Keep one of them.")
            waiting += [value for _, value in here.value]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Give a path with -c.") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path} has {len(data)} bytes, more than {LARGEST_FILE}.", "Is this a settings file?")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8.", "Save the file as UTF-8.") from None


def _environment(values: dict[str, Any]) -> dict[str, Any]:
    """Fill ${NAME} in the two places that declare it: base_url and headers of a model."""
    models = values.get("models")
    for model in models.values() if isinstance(models, dict) else ():
        if isinstance(model, dict):
            if isinstance(model.get("base_url"), str):
                model["base_url"] = _fill(model["base_url"])
            if isinstance(model.get("headers"), dict):
                model["headers"] = {key: _fill(str(value)) for key, value in model["headers"].items()}
    return values


def _fill(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UsageError(f"${{{match[1]}}} is not set in the environment.", f"export {match[1]}=...")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


def _explain(path: Path, node: yaml.Node | None, fault: Any) -> str:
    place = [part for part in fault["loc"] if not str(part).startswith(("literal[", "tuple[", "dict[", "constrained"))]
    line = _locate(node, place)
    key = ".".join(str(part) for part in place)
    if fault["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown key {key!r}. {nearest(str(place[-1]), _keys(place[:-1]))}"
    given = "" if isinstance(fault["input"], dict) else f", not {fault['input']!r}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {key}: {message}{given}" if key else f"{path}: {message}"


def _locate(node: yaml.Node | None, place: list[Any]) -> int:
    line = 1 if node is None else node.start_mark.line + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


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
