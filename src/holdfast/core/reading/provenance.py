"""Where rows came from, read from the columns that people and other tools write.

Order of belief for one row: our own nested `holdfast` column; a column that states the origin; a filled generator
column (synthetic, unless it names a human); distilabel's metadata; a `source` column whose value is one of the
origin words; a Data Designer run beside the file; what the caller says of the whole input. Nothing of that: unknown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.core.reading.structs import read_text
from holdfast.core.reading.turns import json_of, text_of_value
from holdfast.core.record import ORIGINS, Origin

Row = Mapping[str, Any]
# Whole numbers up to here are floats without loss.
EXACT = 2**53

HOLDFAST = "holdfast"
# Where a column of that name goes that is not ours: one that holds no object.
OWN = "holdfast_own"

ORIGIN_WORDS: dict[str, Origin] = {
    **dict.fromkeys(("human", "organic", "real", "human-written", "human-generated"), "real"),
    **dict.fromkeys(("synthetic", "generated", "machine", "ai", "model"), "synthetic"),
    **dict.fromkeys(("machine-generated", "ai-generated", "model-generated", "llm", "llm-generated"), "synthetic"),
    "mixed": "mixed",
    "unknown": "unknown",
}

ORIGIN_COLUMNS = ("origin", "provenance")
FLAG_COLUMNS = ("is_synthetic", "synthetic")
GENERATOR_COLUMNS = (
    "generator",
    "model_name",
    "generation_model",
    "generation_models",
    "model",
    "model_id",
    "generated_by",
    "generator_model",
)
DISTILABEL = "distilabel_metadata"

# Canonical field -> the column names it is read from, first one present wins.
PLAIN_COLUMNS: dict[str, tuple[str, ...]] = {
    "source": ("source", "data_source", "dataset"),
    "licence": ("licence", "license"),
    "family": ("family", "generator_family", "model_family"),
    "revision": ("revision", "generator_revision", "model_revision"),
}
# Read only from our own column or a mapping: elsewhere these names mean other things.
MAPPED_ONLY = ("synthetic_fields", "parents", "depth", "seed", "decoding", "cell")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a Data Designer run says of all rows: the model behind the response, and which columns models wrote."""

    made: tuple[str, ...]
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sources:
    """Which columns of one input state provenance, and what holds where they say nothing."""

    columns: Mapping[str, str]
    nested: bool = False
    default: Origin = "unknown"
    made: tuple[str, ...] = ()
    model: str | None = None
    synthetic_fields: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return e.g. 'origin, generator = model_name'; empty when no column states provenance."""
        named = [name if name == column else f"{name} = {column}" for name, column in self.columns.items()]
        return ", ".join(([HOLDFAST] if self.nested else []) + named)


def find_sources(
    keys: Sequence[str], taken: Sequence[str], mapping: Mapping[str, str], default: Origin, suffix: str = ""
) -> Sources:
    """Choose the provenance columns among `keys`; a column in `taken` holds text and is none of them."""
    free = [key for key in keys if key not in taken]
    columns: dict[str, str] = {}
    wanted = {"origin": ORIGIN_COLUMNS, "flag": FLAG_COLUMNS, "generator": GENERATOR_COLUMNS, **PLAIN_COLUMNS}
    if suffix:
        wanted["generator"] = (f"generator{suffix}", f"model{suffix}", f"model_name{suffix}", *GENERATOR_COLUMNS)
    for name, candidates in wanted.items():
        column = mapping.get(name) or next((key for key in candidates if key in free), None)
        if column:
            columns[name] = column
    columns |= {name: mapping[name] for name in MAPPED_ONLY if name in mapping}
    if DISTILABEL in free:
        columns["distilabel"] = DISTILABEL
    return Sources(columns, nested=HOLDFAST in keys, default=default)


def origin_word(value: Any) -> Origin | None:
    """Return the origin that a written word states, or None. A remark in brackets after the word is passed over."""
    if not isinstance(value, str):
        return None
    word = value.split("(")[0].strip().lower().replace("_", "-").replace(" ", "-")
    return ORIGIN_WORDS.get(word)


def read_row(row: Row, sources: Sources) -> dict[str, Any]:
    """Return the provenance columns of one row, keyed as in `dataset.SCHEMA`."""
    columns = sources.columns
    found: dict[str, Any] = {name: _text(row.get(columns[name])) for name in PLAIN_COLUMNS if name in columns}
    generator = _generator(row.get(columns.get("generator", "")))
    found["origin"], found["generator"] = _origin(row, sources, generator)
    if found["origin"] == "mixed" and sources.synthetic_fields:
        found["synthetic_fields"] = list(sources.synthetic_fields)
    for name in MAPPED_ONLY:
        if name in columns:
            found[name] = _typed(name, row.get(columns[name]))
    nested = row.get(HOLDFAST) if sources.nested else None
    return found | read_nested(nested) if nested else found


def _origin(row: Row, sources: Sources, generator: str | None) -> tuple[Origin, str | None]:
    columns = sources.columns
    human = origin_word(generator)
    stated = origin_word(row.get(columns.get("origin", ""))) or _flag(row.get(columns.get("flag", "")))
    name = None if human == "real" else generator
    if stated:
        return stated, name
    if human == "real":
        return "real", None
    if generator:
        return "synthetic", generator
    if row.get(columns.get("distilabel", "")):
        return "synthetic", sources.model
    word = origin_word(row.get(columns.get("source", "")))
    if word:
        return word, None
    if sources.made:
        return ("mixed" if sources.synthetic_fields else "synthetic"), sources.model
    return sources.default, None


def _flag(value: Any) -> Origin | None:
    if isinstance(value, str):
        value = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(value.lower())
    if value in (0, 1):
        return "synthetic" if value else "real"
    return None


def _generator(value: Any) -> str | None:
    if isinstance(value, list):
        names = list(dict.fromkeys(str(name) for name in value if name))
        return " + ".join(names) or None
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value.strip() or None if isinstance(value, str) else text_of_value(value)


def _typed(name: str, value: Any) -> Any:
    """Return a value in the type of its schema column, or None where it has another."""
    if name in ("synthetic_fields", "parents"):
        values = value if isinstance(value, list) else [value]
        return [text_of_value(part) for part in values if part not in (None, "")]
    if name in ("depth", "seed"):
        limit = 2**31 if name == "depth" else 2**63
        if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
            value = int(value)  # whole numbers beside nulls come back from pandas as floats
        whole = isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal())
        return int(value) if whole and abs(int(value)) < limit else None
    nested = parse_nested(value)
    # A column of structs gives each row the keys of all others, with nulls.
    stated = {key: part for key, part in (nested or {}).items() if part is not None}
    return json_of(stated) if stated else None


def read_nested(nested: Any) -> dict[str, Any]:
    """Return the columns that a `holdfast` value states; a string is read as JSON, anything else states nothing."""
    value = parse_nested(nested)
    if value is None:
        return {}
    found: dict[str, Any] = {name: _typed(name, value[name]) for name in MAPPED_ONLY if name in value}
    for name in ("source", "licence", "generator", "family", "revision"):
        if name in value:
            found[name] = _text(value[name])
    if value.get("origin") in ORIGINS:
        found["origin"] = value["origin"]
    checks = parse_nested(value.get("checks"))
    if checks:
        found["checks"] = json_of({name: ok for name, ok in checks.items() if ok is None or isinstance(ok, bool)})
    return found


def parse_nested(nested: Any) -> dict[str, Any] | None:
    """Return the `holdfast` value as a mapping: nested, or as the text that CSV makes of it."""
    if isinstance(nested, str):
        nested = read_text(nested)
    return nested if isinstance(nested, dict) else None


def sidecar_of(path: Path) -> Sidecar | None:
    """Return what a Data Designer run left beside a file (or one folder up), or None."""
    for folder in (path.parent, path.parent.parent):
        metadata = _json_file(folder / "metadata.json")
        if isinstance(metadata, dict) and isinstance(metadata.get("column_statistics"), list):
            made = tuple(
                str(column.get("column_name"))
                for column in metadata["column_statistics"]
                if isinstance(column, dict) and str(column.get("column_type", "")).startswith("llm")
            )
            return Sidecar(made, _models(_json_file(folder / "builder_config.json")))
    return None


def _models(config: Any) -> dict[str, str]:
    """Return column -> model name from a Data Designer builder configuration."""
    if not isinstance(config, dict):
        return {}
    config = config.get("data_designer", config)
    if not isinstance(config, dict):
        return {}
    aliases = {
        str(model.get("alias")): str(model.get("model"))
        for model in config.get("model_configs") or ()
        if isinstance(model, dict)
    }
    return {
        str(column.get("name")): aliases.get(str(column.get("model_alias")), str(column.get("model_alias")))
        for column in config.get("columns") or ()
        if isinstance(column, dict) and column.get("model_alias")
    }


def _json_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
