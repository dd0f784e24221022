"""Redact: take personal data, secrets and hidden text out of a table of records, wherever the row holds text."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from holdfast.privacy import hidden, personal, secrets
from holdfast.privacy.leaks import redact

TEXTS = ("prompt", "response", "extra")


def redacted(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """Return records with every leak in `rows` replaced by its kind: in the training text and in the user's own row.

    `rows` are those in which `scan` found something.
    """
    for name in (*TEXTS, "messages", "fields"):
        values = table.column(name).to_pylist()
        for row in rows:
            values[row] = _clean_json(values[row]) if name in ("messages", "fields") else clean(values[row])
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return table


def redacted_rows(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """Return a table of any columns, such as a Parquet file has, with the leaks in `rows` replaced; types stay."""
    for place, field in enumerate(table.schema):
        if len(rows) and _may_hold_text(field.type):
            values = table.column(place).to_pylist()
            for row in rows:
                values[row] = cleaned(values[row])
            table = table.set_column(place, field, pa.array(values, field.type))
    return table


def _may_hold_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _may_hold_text(kind.value_type)
    return bool(pa.types.is_nested(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _clean_json(text: str | None) -> str | None:
    return None if text is None else json.dumps(cleaned(json.loads(text)), ensure_ascii=False)


def cleaned(value: Any) -> Any:
    """Return plain JSON data with every leak in its texts replaced."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(entry) for entry in value]
    if isinstance(value, dict):
        return {key: cleaned(entry) for key, entry in value.items()}
    return value


def clean(text: str | None) -> str | None:
    """Return a text with every leak replaced by its kind."""
    if text is None:
        return None
    return redact(text, [*personal.personal_data(text), *secrets.secrets(text), *hidden.hidden_text(text)])
