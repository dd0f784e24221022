"""Records as rows: in the user's own shape, or in one of the shapes trainers read; with one `holdfast` column.

A row in the user's own shape is the text it was read from, byte for byte, and the nested column behind it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import orjson
import pyarrow as pa

from holdfast.core.reading.jsonmembers import with_member
from holdfast.core.reading.provenance import HOLDFAST
from holdfast.core.record import Record

RowShape = Literal["own", "messages", "sharegpt", "alpaca", "prompt-completion", "text"]

SHAREGPT_ROLES = {"user": "human", "assistant": "gpt"}


def nested_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `holdfast` value of a record given as a row of `dataset.SCHEMA`; all keys are always there."""
    return {
        "origin": row["origin"],
        "synthetic_fields": list(row["synthetic_fields"] or ()),
        "source": row["source"],
        "licence": row["licence"],
        "generator": row["generator"],
        "family": row["family"],
        "revision": row["revision"],
        "parents": list(row["parents"] or ()),
        "depth": row["depth"],
        "cell": _value(row["cell"]),
        "decoding": _value(row["decoding"]),
        "seed": row["seed"],
        "checks": _value(row["checks"]) or {},
        "digest": Record("", row["prompt"], row["response"]).digest,
    }


def nested_of_record(record: Record) -> dict[str, Any]:
    """Return the `holdfast` value of a record; the same as `nested_of` of its row (a test holds the two together)."""
    origin = record.provenance
    plain = {name: getattr(origin, name) for name in ("source", "licence", "generator", "family", "revision")}
    return {
        "origin": origin.origin,
        "synthetic_fields": list(origin.synthetic_fields),
        **plain,
        "parents": list(origin.parents),
        "depth": origin.depth,
        "cell": None if origin.cell is None else dict(origin.cell),
        "decoding": None if origin.decoding is None else dict(origin.decoding),
        "seed": origin.seed,
        "checks": dict(record.checks),
        "digest": record.digest,
    }


def _value(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def json_rows(table: pa.Table, shape: RowShape = "own") -> Iterator[bytes]:
    """Yield each record as one line of JSON in `shape`, the nested `holdfast` member last."""
    for row in table.to_pylist():
        nested = orjson.dumps(nested_of(row))
        yield with_member(_own(row) if shape == "own" else orjson.dumps(shaped(row, shape)), HOLDFAST, nested)


def _own(row: Mapping[str, Any]) -> bytes:
    text: str | None = row["fields"]
    if text and text != "{}":
        return text.encode()
    return orjson.dumps(shaped(row, "prompt-completion" if row["prompt"] else "text"))


def shaped(row: Mapping[str, Any], shape: RowShape) -> dict[str, Any]:
    """Return a record's id and training text in a trainer's shape."""
    if shape == "text":
        text = f"{row['prompt']}\n{row['response']}" if row["prompt"] else row["response"]
        return {"id": row["id"], "text": text}
    if shape == "prompt-completion":
        return {"id": row["id"], "prompt": row["prompt"], "completion": row["response"]}
    turns = turns_of_row(row)
    if shape == "messages":
        return {"id": row["id"], "messages": turns}
    if shape == "sharegpt":
        said = [{"from": SHAREGPT_ROLES.get(turn["role"], turn["role"]), "value": turn["content"]} for turn in turns]
        return {"id": row["id"], "conversations": said}
    return {"id": row["id"], "instruction": row["prompt"], "input": "", "output": row["response"]}


def turns_of_row(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the conversation of a record; one of prompt and response where it never had turns."""
    if row["messages"] is not None:
        turns: list[dict[str, str]] = orjson.loads(row["messages"])
        return turns
    asked = [{"role": "user", "content": row["prompt"]}] if row["prompt"] else []
    return [*asked, {"role": "assistant", "content": row["response"]}]
