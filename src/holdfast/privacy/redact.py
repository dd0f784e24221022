"""Redact: take personal data, secrets and hidden text out of a table of records, wherever the row holds text."""

import json
from typing import Any

import pyarrow as pa

from holdfast.privacy import hidden, personal, secrets
from holdfast.privacy.leaks import redact
from holdfast.privacy.scan import scan

TEXTS = ("prompt", "response", "extra")


def redacted(table: pa.Table) -> pa.Table:
    """Return the table with every leak replaced by its kind, in the training text and in the user's own row."""
    found = sorted(set(scan(table).column("index").to_pylist()))
    for name in (*TEXTS, "messages", "fields"):
        values = table.column(name).to_pylist()
        for row in found:
            values[row] = _clean_json(values[row]) if name in ("messages", "fields") else _clean(values[row])
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return table


def _clean_json(text: str | None) -> str | None:
    return None if text is None else json.dumps(_walk(json.loads(text)), ensure_ascii=False)


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [_walk(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _walk(entry) for key, entry in value.items()}
    return value


def _clean(text: str | None) -> str | None:
    if text is None:
        return None
    return redact(text, [*personal.personal_data(text), *secrets.secrets(text), *hidden.hidden_text(text)])
