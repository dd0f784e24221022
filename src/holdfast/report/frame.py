"""A report as a table: numbers or findings, one a row, for whoever goes on working with them."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from holdfast.core.errors import MissingExtraError, UsageError, nearest

NUMBERS = pa.schema(
    [
        ("name", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("unit", pa.string()),
        ("encoder", pa.string()),
        ("verdict", pa.string()),
    ]
)
FINDINGS = pa.schema(
    [(name, pa.string()) for name in ("rule", "severity", "message", "advice")] + [("evidence_total", pa.int64())]
)
KINDS = ("arrow", "pandas")
WHAT = ("measurements", "findings")


def frame(data: Mapping[str, Any], what: str, kind: str) -> Any:
    """Return the measurements or findings of a report in its JSON form. Raises `UsageError`, `MissingExtraError`."""
    for given, known in ((what, WHAT), (kind, KINDS)):
        if given not in known:
            raise UsageError(f"There is no table {given!r}.", nearest(given, known))
    table = _findings(data) if what == "findings" else _numbers(data)
    if kind == "arrow":
        return table
    if find_spec("pandas") is None:
        raise MissingExtraError("pandas", "pandas")
    return table.to_pandas()


def _numbers(data: Mapping[str, Any]) -> pa.Table:
    rows = [
        {"name": slug, "verdict": m.get("detail", {}).get("verdict"), **{key: m.get(key) for key in NUMBERS.names[1:7]}}
        for slug, m in data["measurements"].items()
    ]
    return pa.Table.from_pylist(rows, NUMBERS)


def _findings(data: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{key: found[key] for key in FINDINGS.names} for found in data["findings"]], FINDINGS)
