"""Records from a template of your own: a prompt filled with cell, seed or document, persona and few-shot examples.

Conditioning the prompt on attributes, personas and examples drawn anew for each record is what keeps such data varied
(Yu et al. 2023, "Large Language Model as Attributed Training Data Generator", arXiv:2306.15895; personas after Ge et
al. 2024, arXiv:2406.20094). The template says everything; nothing is added to it (`generators.template`).
"""

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for

from holdfast.core.errors import UsageError
from holdfast.core.reading.turns import json_of
from holdfast.core.record import Message, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.generators.template import Prompt
from holdfast.generators.writing import (
    Brief,
    Draft,
    Material,
    Write,
    answered,
    asked,
    draw_seeds,
    need_model,
    need_seeds,
    read_text,
    text_of,
)
from holdfast.models.chat import Answer, Call, Conversation, NoRecord

RESERVED = ("id", "messages", "origin", "holdfast", "holdfast_reason", "holdfast_detail")
NAMES = ("cell", "item", "persona", "shots", "number")


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:
    """Return what each record uses one of: documents or seeds where the settings name them, else nothing."""
    return "documents" if entry.documents else "seeds" if entry.seeds else None


def writer(material: Material) -> Write:
    """Return the writer of a template. Raises `UsageError` for settings or a template that cannot work."""
    entry = material.entry
    need_model(entry)
    if entry.template is None:
        raise UsageError("Generator prompt has no template.", "Add template: FILE, a Jinja2 template of the prompt.")
    prompt = Prompt(read_text(material, entry.template, "template"), str(material.folder / entry.template), NAMES)
    _check(prompt, material)
    schema = _schema(material)

    def write(brief: Brief) -> Conversation[Draft]:
        values, parents = _values(material, brief)
        messages = _rendered(prompt, values, brief)
        answer = yield Call(messages, schema=schema)
        fields = {"persona": values["persona"]} if "persona" in prompt.names else {}
        if schema is None:
            return _draft(asked(messages, text_of(answer), fields=fields, parents=parents), brief.item)
        return _draft(_from_value(messages, answer, fields, parents), brief.item)

    return write


def _rendered(prompt: Prompt, values: Mapping[str, Any], brief: Brief) -> tuple[Message, ...]:
    """Fill the template; what only one seed or document makes go wrong ends that record, and no other."""
    try:
        return prompt.render(values, brief.random)
    except UsageError as error:
        if brief.item is None:
            raise
        raise NoRecord("failed", "fault", f"{brief.item.id}: {error.what}") from error


def _check(prompt: Prompt, material: Material) -> None:
    """Raise `UsageError` where the template uses what the settings do not give."""
    entry = material.entry
    if "item" in prompt.names and items(entry) is None:
        raise UsageError(f"{prompt.place}: the template uses item.", "Add seeds: FILE or documents: FILE.")
    if "persona" in prompt.names and not material.personas:
        raise UsageError(f"{prompt.place}: the template uses persona.", "Add personas: FILE, one description a line.")
    if "shots" in prompt.names and not entry.shots:
        raise UsageError(f"{prompt.place}: the template uses shots.", "Add shots: 3, the number of examples drawn.")
    if entry.shots:
        need_seeds(material, entry.shots + (items(entry) == "seeds"))


def _schema(material: Material) -> Mapping[str, Any] | None:
    path = material.entry.answer_schema
    if path is None:
        return None
    try:
        schema = orjson.loads(read_text(material, path, "answer schema"))
        validator_for(schema).check_schema(schema)
    except (orjson.JSONDecodeError, SchemaError, AttributeError) as error:
        reason = error.message if isinstance(error, SchemaError) else error
        raise UsageError(f"{material.folder / path} is no JSON Schema: {reason}.", "Mend the file.") from None
    if not isinstance(schema, dict):
        raise UsageError(f"{material.folder / path} is no JSON Schema of an object.", "Write a JSON object.")
    return schema


def _values(material: Material, brief: Brief) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the template's variables and the ids of the records in them. What is drawn, is drawn in this order."""
    values: dict[str, Any] = {"cell": dict(brief.cell), "number": brief.number, "shots": []}
    if material.personas:
        values["persona"] = brief.random.choice(material.personas)
    shots = draw_seeds(material, brief.random, material.entry.shots, brief.item)
    values["shots"] = [plain(shot) for shot in shots]
    if brief.item is not None:
        values["item"] = plain(brief.item)
    records = [brief.item, *shots] if brief.item is not None else shots
    return values, tuple(record.id for record in records)


def plain(record: Record) -> dict[str, Any]:
    """Return a record as the plain values a template sees."""
    texts = {"id": record.id, "prompt": record.prompt, "response": record.response, "text": record.text}
    return {**texts, "fields": dict(record.fields)}


def _from_value(
    messages: tuple[Message, ...], answer: Answer, fields: Mapping[str, Any], parents: tuple[str, ...]
) -> Draft:
    """Return the draft of an answer in JSON: `prompt` and `response` of an object, its other members as fields.

    Without a `prompt` the rendered one is it; without a `response` the whole value is it, as JSON.
    """
    if answer.value is None:
        raise NoRecord("rejected", "not-json")
    members = dict(answer.value) if isinstance(answer.value, dict) else {}
    response = _text(members.pop("response")) if "response" in members else json_of(answer.value)
    prompt = _text(members.pop("prompt", ""))
    if not response:
        raise NoRecord("rejected", "empty-answer")
    # What a model calls its members must not pass for what we say of a record.
    fields = {**fields, **{f"answer_{name}" if name in RESERVED else name: each for name, each in members.items()}}
    if not prompt:
        return asked(messages, response, fields=fields, parents=parents)
    return Draft(prompt, response, fields=fields, parents=parents)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json_of(value)


def _draft(draft: Draft, item: Record | None) -> Draft:
    """Return the draft as mixed where its prompt is that of a real record, word for word."""
    if item is None or draft.prompt.strip() != item.prompt.strip():
        return draft
    origin, fields = answered(item)
    return Draft(item.prompt, draft.response, draft.messages, draft.fields, origin, fields, draft.parents)
