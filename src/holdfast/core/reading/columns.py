"""Rows of one input into the columns of `dataset.SCHEMA`: texts by the layout, provenance by its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from holdfast.core.dataset import SCHEMA
from holdfast.core.reading.formats import IDS, Layout, detect
from holdfast.core.reading.jsonmembers import members, with_member, without
from holdfast.core.reading.provenance import HOLDFAST, OWN, Sidecar, Sources, find_sources, parse_nested, read_row
from holdfast.core.reading.rows import Batch
from holdfast.core.reading.turns import Split, is_turns, json_of_turns, split, text_of_value, turns_of
from holdfast.core.record import Message, Origin

Row = Mapping[str, Any]

# Rows looked at to find out what an input is.
SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one input become records; `columns` are those it was decided by."""

    layout: Layout
    sources: Sources
    id: str | None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller says about the inputs: mapped columns, and the origin where the rows say nothing.

    With `lenient` an input may lack a mapped column, because another one has it.
    """

    mapping: Mapping[str, str]
    origin: Origin = "unknown"
    lenient: bool = False


def plan_for(rows: Sequence[Row], wishes: Wishes, sidecar: Sidecar | None = None) -> Plan:
    """Decide from the first rows of an input. Raises `UsageError` for a mapped column that is not there."""
    sample = rows[:SAMPLE]
    keys = list({key: None for row in sample for key in row})
    mapping = {name: column for name, column in wishes.mapping.items() if column in keys or not wishes.lenient}
    layout = detect([{key: row[key] for key in row if key != HOLDFAST} for row in sample], mapping)
    taken = (*layout.columns, *layout.extra)
    sources = find_sources(keys, taken, mapping, wishes.origin, layout.suffix)
    if layout.shape == "none":
        # Without text there is nothing that a `model` column could have written: a table of measurements, say.
        kept = {
            name: column for name, column in sources.columns.items() if name != "generator" or column == "generator"
        }
        sources = replace(sources, columns=kept)
    if sidecar is not None:
        sources = _with_sidecar(sources, layout, sidecar)
    given = mapping.get("id") or next((name for name in IDS if name in keys and name not in taken), None)
    return Plan(layout, sources, given, tuple(keys))


def _with_sidecar(sources: Sources, layout: Layout, sidecar: Sidecar) -> Sources:
    texts = {"prompt": layout.prompt, "response": (layout.response or layout.messages or "",)}
    made = {name for name, columns in texts.items() if any(column in sidecar.made for column in columns)}
    model = sidecar.models.get(layout.response or layout.messages or "")
    if "response" in made and layout.prompt and "prompt" not in made:
        return replace(sources, made=sidecar.made, model=model, synthetic_fields=("response",))
    return replace(sources, made=sidecar.made if made else (), model=model)


def table_of_rows(batch: Batch, plan: Plan, number: int) -> pa.Table:
    """Return the rows as a table with the columns of `SCHEMA`; `id` is null where the row gives none."""
    count = len(batch.values)
    columns: dict[str, Any] = _texts(batch.values, plan.layout)
    columns |= _provenance(batch.values, plan.sources)
    columns["id"] = [given_id(row.get(plan.id)) for row in batch.values] if plan.id else None
    columns["input"] = [number] * count
    columns["row"] = batch.rows
    columns["fields"] = _fields(batch) if plan.sources.nested else batch.raws
    arrays = [_array(columns.get(field.name), field.type, count) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _array(values: Any, kind: pa.DataType, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, kind)
    return values if isinstance(values, pa.Array) else pa.array(values, type=kind)


def given_id(value: Any) -> str | None:
    """Return an id as a string whatever its type, or None when there is none."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else text_of_value(value)


def _fields(batch: Batch) -> list[bytes]:
    return [
        _without_ours(raw, value[HOLDFAST]) if HOLDFAST in value else raw
        for value, raw in zip(batch.values, batch.raws, strict=True)
    ]


def _without_ours(raw: bytes, nested: Any) -> bytes:
    """Take our column out of a row; a user's own that happens to have its name keeps its value under another."""
    if nested is None or parse_nested(nested) is not None:
        return without(raw, HOLDFAST)
    value = next(text for key, text in members(raw) if key == HOLDFAST).partition(":")[2]
    return with_member(without(raw, HOLDFAST), OWN, value.strip().encode())


def _provenance(rows: Sequence[Row], sources: Sources) -> dict[str, Any]:
    """Return the provenance columns. Rows that state the same are read once: few differ in a whole data set."""
    places: dict[tuple[Any, ...] | int, int] = {}
    different: list[dict[str, Any]] = []
    codes: list[int] = []
    names = tuple(sources.columns.values())
    for number, row in enumerate(rows):
        stated = _stated(row, names, sources) or number
        code = places.get(stated)
        if code is None:
            code = places[stated] = len(different)
            different.append(read_row(row, sources))
        codes.append(code)
    return _taken(different, codes)


def _stated(row: Row, names: Sequence[str], sources: Sources) -> tuple[Any, ...] | None:
    """Return what a row states as a key, or None when it states something nested."""
    if sources.nested and HOLDFAST in row:
        return None
    stated = tuple([row.get(name) for name in names])
    simple = all(value is None or type(value) is str or type(value) is bool for value in stated)
    return ("", *stated) if simple else None


def _taken(different: Sequence[Mapping[str, Any]], codes: Sequence[int]) -> dict[str, Any]:
    taken = pa.array(codes, type=pa.int64())
    columns: dict[str, Any] = {}
    for field in SCHEMA:
        values = [row.get(field.name) for row in different]
        if field.name in ("synthetic_fields", "parents"):
            values = [value or [] for value in values]
        if any(value is not None for value in values):
            columns[field.name] = pa.array(values, type=field.type).take(taken)
    return columns


def _texts(rows: Sequence[Row], layout: Layout) -> dict[str, Any]:
    if layout.shape == "none":
        return {"prompt": [""] * len(rows), "response": [""] * len(rows)}
    if _plain(rows, layout):
        return _plain_texts(rows, layout)
    texts = [_conversation(row, layout) for row in rows]
    return {
        "prompt": [text.split.prompt for text in texts],
        "response": [text.split.response for text in texts],
        "extra": [text.extra or None for text in texts],
        "messages": [json_of_turns(text.turns) if text.turns else None for text in texts],
    }


def _plain(rows: Sequence[Row], layout: Layout) -> bool:
    """True when every text of the layout is a plain string or absent, so that whole columns can be read at once."""
    if layout.messages or layout.system or layout.history or any("." in name for name in layout.columns):
        return False
    names = (*layout.columns, *layout.extra)
    return all(type(row.get(name, "")) is str for name in names for row in rows)


def _plain_texts(rows: Sequence[Row], layout: Layout) -> dict[str, Any]:
    prompts = [""] * len(rows)
    for number, name in enumerate(layout.prompt):
        parts = [row.get(name, "") for row in rows]
        prompts = ["\n".join(filter(None, pair)) for pair in zip(prompts, parts, strict=True)] if number else parts
    extras = [[row.get(name) or None for row in rows] for name in layout.extra]
    return {
        "prompt": prompts,
        "response": [row.get(layout.response or "", "") for row in rows],
        "extra": extras[0] if extras else None,
    }


@dataclass(frozen=True, slots=True)
class _Texts:
    split: Split
    extra: str
    turns: list[Message]


def _conversation(row: Row, layout: Layout) -> _Texts:
    """Read one row whose texts may be turns, lists or nested values."""
    system = text_of_value(row.get(layout.system)) if layout.system else ""
    before = [Message("system", system)] if system else []
    if layout.messages:
        value: Any = row.get(layout.messages)
        turns = turns_of(value) if is_turns(value) else []
        turns = before + turns if not (turns and turns[0].role == "system") else turns
        return _of_turns(turns, "" if turns else text_of_value(value))
    before += _history(row.get(layout.history)) if layout.history else []
    prompts = [_value(row, name) for name in layout.prompt]
    response = _value(row, layout.response or "")
    extra = [_extra(_value(row, name), prompts) for name in layout.extra]
    if before or is_turns(response) or any(map(is_turns, prompts)):
        return _of_turns(_whole(before, prompts, response), "\n".join(filter(None, extra)))
    answer, others = _first(response)
    prompt = "\n".join(filter(None, map(text_of_value, prompts)))
    return _Texts(Split(prompt, answer, ""), "\n".join(filter(None, [*extra, others])), [])


def _of_turns(turns: list[Message], extra: str) -> _Texts:
    parts = split(turns)
    if not turns:
        return _Texts(Split("", extra, ""), "", [])
    return _Texts(parts, "\n".join(filter(None, (parts.after, extra))), turns)


def _whole(before: list[Message], prompts: list[Any], response: Any) -> list[Message]:
    """Return one conversation of the turns before, the prompt and the response, each given as text or as turns."""
    answer = turns_of(response) if is_turns(response) else [Message("assistant", _first(response)[0])]
    asked = [turn for prompt in prompts for turn in (turns_of(prompt) if is_turns(prompt) else _user(prompt))]
    if asked and answer[: len(asked)] == asked:
        return before + answer
    if any(turn.role == "user" for turn in answer):
        return before + answer
    return before + asked + answer


def _user(prompt: Any) -> list[Message]:
    text = text_of_value(prompt)
    return [Message("user", text)] if text else []


def _history(value: Any) -> list[Message]:
    """Read Alpaca's `history`: a list of [question, answer] pairs."""
    turns: list[Message] = []
    for pair in value if isinstance(value, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            turns += [Message("user", text_of_value(pair[0])), Message("assistant", text_of_value(pair[1]))]
    return turns


def _value(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    outer, _, inner = name.partition(".")
    nested = row.get(outer)
    return nested.get(inner) if isinstance(nested, Mapping) else None


def _first(value: Any) -> tuple[str, str]:
    """Return the answer and the alternatives to it: the first of a list of strings, and the others joined."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return value[0], "\n".join(value[1:])
    return text_of_value(value), ""


def _extra(value: Any, prompts: list[Any]) -> str:
    """Return the text of a rejected side; turns that it shares with the prompt are not repeated."""
    if not is_turns(value):
        return text_of_value(value)
    asked = {turn for prompt in prompts if is_turns(prompt) for turn in turns_of(prompt)}
    turns = [turn for turn in turns_of(value) if turn not in asked]
    last = [turn.content for turn in turns if turn.role == "assistant"][-1:]
    return "\n".join(last or [turn.content for turn in turns])
