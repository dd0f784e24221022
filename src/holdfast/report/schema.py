"""The published JSON Schema of a report (draft 2020-12), and the check that data keep to it."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from holdfast.core.errors import InputError

VERSION = 1


@cache
def document() -> dict[str, Any]:
    """Return the schema as published in `holdfast/report/schema.json`."""
    text = files("holdfast.report").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validate(data: Any) -> None:
    """Return when `data` is the JSON form of a report. Raises InputError naming the first place that is not."""
    version = data.get("version") if isinstance(data, Mapping) else None
    if version != VERSION:
        raise InputError(
            f"A report of version {version!r} cannot be read; this Holdfast reads version {VERSION}.",
            "Write the report again with this version: holdfast audit DATA --json > report.json",
        )
    fault = next(iter(sorted(Draft202012Validator(document()).iter_errors(data), key=lambda e: e.json_path)), None)
    if fault is not None:
        raise InputError(
            f"Not a Holdfast report: at {fault.json_path}: {fault.message[:200]}.",
            "Write the report again: holdfast audit DATA --json > report.json",
        )
