"""Labels of other tools, read and written: Argilla's records (`records.to_json`) and Label Studio's tasks.

Argilla (2.x, `Record.to_dict`): a JSON list of {id, fields, metadata, suggestions, responses: {question: [{value,
user_id}]}}. Label Studio (the task format of its guide): a JSON list of {id, data, annotations: [{result: [{from_name,
to_name, type, value}], completed_by, was_cancelled, lead_time, created_at}]}.

Both name people in their own way, and neither knows what a holdfast label is about: `id` and `other` travel in
Argilla's id and metadata and in Label Studio's data. Answers are read by their words; an answer that means nothing here
is an error and not a guess.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from holdfast.core.errors import InputError
from holdfast.core.labels import ADJUDICATION, Label, Thing, adjudicated, append, faults, last_said, read_labels
from holdfast.workflows.review_queue import Item

# What the questions are called that we write, and how their answers read.
SCORE, RATING, CHOICE, NOTE = "good", "rating", "better", "note"
CHOICES = {1: "first", 2: "second", 0: "tie"}
# Words of answers in any case; other tools' users name theirs in these ways.
SAYS: dict[str, bool] = {
    **dict.fromkeys(("good", "yes", "true", "correct", "accept", "accepted", "pass", "positive"), True),
    **dict.fromkeys(("bad", "no", "false", "incorrect", "reject", "rejected", "wrong", "fail", "negative"), False),
}
PREFERS: dict[str, int] = {
    **dict.fromkeys(("first", "left", "a", "response-1", "response_1", "response1", "answer-1"), 1),
    **dict.fromkeys(("second", "right", "b", "response-2", "response_2", "response2", "answer-2"), 2),
    **dict.fromkeys(("tie", "same", "equal", "both", "neither"), 0),
}


def imported(path: Path, tool: str, labels: Path, question: str = "") -> tuple[int, int]:
    """Add what `tool` (argilla or label-studio) wrote to a file of labels; return (added, there before).

    `question` names the one to read where there are several. Raises `InputError` that names the record and the answer
    that cannot be read; then nothing is added.
    """
    rows = _list(path)
    read = {"argilla": _from_argilla, "label-studio": _from_label_studio}[tool]
    found: list[Label] = []
    for number, row in enumerate(rows, 1):
        try:
            found += read(row, question)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            remedy = "See docs/verbs/review.md for what is read."
            raise InputError(f"{path}, record {number}, cannot be read as {tool} writes it: {why}.", remedy) from None
    known = set(read_labels(labels)) if labels.exists() else set()
    new = [label for label in found if label not in known]
    append(labels, new)
    return len(new), len(found) - len(new)


def exported(labels: Sequence[Label], items: Mapping[Thing, Item], tool: str) -> list[dict[str, Any]]:
    """Return the last label of each rater in the form of `tool`, with the texts of the items that are given.

    An adjudicator's label is ground truth in Label Studio; Argilla knows no such thing, and it is left out there.
    """
    by_thing: dict[Thing, list[Label]] = {}
    for label in (*last_said(labels).values(), *adjudicated(labels).values()):
        by_thing.setdefault(label.about, []).append(label)
    write = {"argilla": _to_argilla, "label-studio": _to_label_studio}[tool]
    return [write(said, items.get(about)) for about, said in by_thing.items()]


def _list(path: Path) -> list[Any]:
    try:
        rows = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Give the file that the tool exported.") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON: {error}.", "Both tools export one JSON list.") from None
    if not isinstance(rows, list):
        raise InputError(f"{path} is no list of records.", "Both tools export one JSON list.")
    return rows


def _meaning(value: Any) -> tuple[str, bool | int]:
    """Return (kind, value) of an answer: a number of stars, a word, a list of one word, or a ranking of two."""
    if isinstance(value, bool):
        return "score", value
    if isinstance(value, int | float) and value == int(value):
        return "score", int(value)
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "choice", _ranked(value)
    if isinstance(value, list) and len(value) == 1:
        return _meaning(value[0])
    word = str(value).strip().casefold()
    if word in SAYS:
        return "score", SAYS[word]
    if word in PREFERS:
        return "choice", PREFERS[word]
    raise ValueError(f"the answer {value!r} is none that is known here")


def _ranked(value: Sequence[Mapping[str, Any]]) -> int:
    ranks = {PREFERS[str(each["value"]).casefold()]: each["rank"] for each in value}
    if set(ranks) != {1, 2}:
        raise ValueError(f"the ranking {value!r} is not of two")
    return 0 if ranks[1] == ranks[2] else 1 if ranks[1] < ranks[2] else 2


def _asked(names: Iterable[str], question: str) -> set[str]:
    """Return the one question that is read, or none; notes are not asked for."""
    asked = {name for name in names if name != NOTE and question in ("", name)}
    if len(asked) > 1:
        raise ValueError(f"it answers {', '.join(sorted(asked))}: name one with --question")
    return asked


def _from_argilla(row: Mapping[str, Any], question: str) -> Iterator[Label]:
    metadata = row.get("metadata") or {}
    names = {str(uuid5(NAMESPACE_URL, name)): name for name in metadata.get("raters") or ()}
    responses: Mapping[str, Any] = row.get("responses") or {}
    notes = {each["user_id"]: each["value"] for each in responses.get(NOTE, ())}
    for name in _asked(responses, question):
        for each in responses[name]:
            kind, value = _meaning(each["value"])
            user = str(each["user_id"])
            other = metadata.get("other")
            yield _label(str(row["id"]), other, names.get(user, user), kind, value, note=notes.get(user, ""))


def _to_argilla(said: Sequence[Label], item: Item | None) -> dict[str, Any]:
    responses: dict[str, list[dict[str, Any]]] = {}
    said = [label for label in said if not label.decides] or said
    for label in said:
        name, value = _answer(label)
        user = _user(label.rater)
        responses.setdefault(name, []).append({"value": value, "user_id": user})
        if label.note:
            responses.setdefault(NOTE, []).append({"value": label.note, "user_id": user})
    first = said[0]
    metadata: dict[str, Any] = {"raters": sorted({label.rater for label in said})}
    if first.other is not None:
        metadata["other"] = first.other
    return {
        "id": first.id,
        "fields": _texts(item),
        "metadata": metadata,
        "suggestions": {},
        "responses": responses,
        "vectors": {},
    }


def _user(rater: str) -> str:
    """Return the id of a user of Argilla: the rater's name if it is one, else one made from it, always the same."""
    try:
        return str(UUID(rater))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, rater))


def _from_label_studio(row: Mapping[str, Any], question: str) -> Iterator[Label]:
    data = row["data"]
    id_, other = str(data["id"] if "id" in data else row["id"]), data.get("other")
    for annotation in row.get("annotations") or ():
        rater = _person(annotation.get("completed_by"))
        about = {"seconds": annotation.get("lead_time"), "at": annotation.get("created_at") or ""}
        if annotation.get("ground_truth"):
            about["version"] = ADJUDICATION
        results = annotation.get("result") or ()
        note = " ".join(" ".join(each["value"]["text"]) for each in results if each["type"] == "textarea")
        if annotation.get("was_cancelled"):
            yield _label(id_, other, rater, "skip", None, note=note, **about)
            continue
        answers = [each for each in results if each["type"] != "textarea"]
        asked = _asked({each["from_name"] for each in answers}, question)
        for each in answers:
            if each["from_name"] in asked:
                kind, value = _result(each["type"], each["value"])
                yield _label(id_, other, rater, kind, value, note=note, **about)


def _result(type_: str, value: Mapping[str, Any]) -> tuple[str, bool | int]:
    match type_:
        case "choices":
            return _meaning(value["choices"])
        case "rating":
            return _meaning(value["rating"])
        case "pairwise":
            return "choice", {"left": 1, "right": 2}[value["selected"]]
    raise ValueError(f"a result of type {type_!r} is none that is known here")


def _person(completed: Any) -> str:
    """Return who annotated: a number in exports, an object with an e-mail address in some."""
    if isinstance(completed, Mapping):
        return str(completed.get("email") or completed.get("username") or completed["id"])
    if completed is None:
        raise ValueError("an annotation does not say who made it (completed_by)")
    return str(completed)


def _to_label_studio(said: Sequence[Label], item: Item | None) -> dict[str, Any]:
    first = said[0]
    data: dict[str, Any] = {"id": first.id, **_texts(item)}
    if first.other is not None:
        data["other"] = first.other
    return {"data": data, "annotations": [_annotation(label) for label in said]}


def _annotation(label: Label) -> dict[str, Any]:
    name, value = _answer(label)
    type_, key, given = ("rating", "rating", value) if name == RATING else ("choices", "choices", [value])
    result = [{"from_name": name, "to_name": "response", "type": type_, "value": {key: given}}]
    if label.note:
        text = {"text": [label.note]}
        result.append({"from_name": NOTE, "to_name": "response", "type": "textarea", "value": text})
    return {
        "result": result,
        "completed_by": {"email": label.rater},
        "was_cancelled": False,
        "ground_truth": label.decides,
        "lead_time": label.seconds,
        "created_at": label.at or None,
    }


def _answer(label: Label) -> tuple[str, str | int]:
    """Return (question, answer) as we name them for other tools."""
    if label.kind == "choice":
        return CHOICE, CHOICES[int(label.value or 0)]
    if isinstance(label.value, bool):
        return SCORE, "good" if label.value else "bad"
    return RATING, int(label.value or 0)


def _texts(item: Item | None) -> dict[str, str]:
    if item is None:
        return {}
    prompt = "\n\n".join(turn.content for turn in item.turns)
    return {"prompt": prompt, "response": item.response, **({"rival": item.rival} if item.other else {})}


def _label(id_: str, other: Any, rater: str, kind: Any, value: Any, **more: Any) -> Label:
    if kind == "choice" and other is None:
        raise ValueError(f"{id_} has a choice, and nothing says of which two: `other` is missing")
    label = Label(id_, rater, kind, value, other=None if other is None else str(other), **more)
    # A line that cannot be read again would make the whole file useless.
    if wrong := "; ".join(faults(asdict(label))):
        raise ValueError(wrong)
    return label
