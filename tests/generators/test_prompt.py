"""The generator prompt: what a template is given, and what becomes of the answer."""

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from holdfast.core.errors import HoldfastError, UsageError
from holdfast.core.record import Message
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import prompt
from holdfast.generators.writing import Brief, Material
from holdfast.models.chat import Answer
from tests.generators.driving import brief, drive, last, made, real, reason

SEEDS = [real(f"s{number}", f"Question {number}?", f"Answer {number}.", level=number) for number in range(6)]
SCHEMA = {"type": "object", "required": ["prompt", "response"]}


def material(folder: Path, source: str, schema: Any = None, **entry: Any) -> Material:
    (folder / "t.j2").write_text(source, "utf-8")
    if schema is not None:
        (folder / "schema.json").write_bytes(schema if isinstance(schema, bytes) else orjson.dumps(schema))
        entry["answer_schema"] = "schema.json"
    personas = ("a nurse", "a sailor", "a judge") if entry.pop("people", None) else ()
    seeds = entry.pop("given", SEEDS)
    settings = GeneratorSettings.model_validate({"use": "prompt", "model": "m", "template": "t.j2", **entry})
    return Material(settings, folder, seeds=seeds, personas=personas)


def test_the_rendered_prompt_and_the_answer_are_the_record(tmp_path: Path) -> None:
    """Cell and number are filled in; the call leaves model, decoding and schema to the caller."""
    write = prompt.writer(material(tmp_path, "Write task {{ number }} about {{ cell.topic }}."))
    calls, draft = drive(write(brief(topic="ratios")), " Done. ")
    assert [((Message("user", "Write task 4 about ratios."),), "", {}, None)] == [
        (call.messages, call.model, call.decoding, call.schema) for call in calls
    ]
    assert ("Write task 4 about ratios.", "Done.", None, "synthetic", ()) == (
        draft.prompt, draft.response, draft.messages, draft.origin, draft.parents,
    )  # fmt: skip


def test_a_conversation_keeps_its_messages(tmp_path: Path) -> None:
    """With a system part the record has messages, and its prompt is what reading them back gives."""
    draft = made(prompt.writer(material(tmp_path, "--- system\nBe brief.\n--- user\nHi"))(brief()), "Yo")
    assert ("Be brief.\nHi", "Yo") == (draft.prompt, draft.response)
    assert (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Yo")) == draft.messages


def test_item_persona_and_shots(tmp_path: Path) -> None:
    """The seed, a persona and other seeds as shots are filled in; all of them are parents, the persona a field."""
    template = "{{ persona }}: {{ item.prompt }} {{ item.fields.level }}{% for s in shots %} / {{ s.text }}{% endfor %}"
    write = prompt.writer(material(tmp_path, template, seeds="s.jsonl", shots=5, people=True))
    calls, draft = drive(write(brief(SEEDS[2])), "A")
    assert "s2" == draft.parents[0]
    assert {"s0", "s1", "s3", "s4", "s5"} == set(draft.parents[1:])
    assert last(calls[0]).startswith(f"{draft.fields['persona']}: Question 2? 2 / Question ")
    assert 5 == last(calls[0]).count(" / ")
    assert "synthetic" == draft.origin


def test_shots_and_persona_are_drawn_per_record(tmp_path: Path) -> None:
    """The same randomness gives the same call; another gives other shots in another order."""
    template = "{{ persona }}{% for shot in shots %} {{ shot.id }}{% endfor %}"
    write = prompt.writer(material(tmp_path, template, shots=3, people=True))
    asked = [last(drive(write(Brief({}, 0, Random(seed))), "A")[0][0]) for seed in [*range(20), *range(20)]]
    assert asked[:20] == asked[20:]
    assert 15 < len(set(asked))
    assert all(4 <= len(set(text.split())) for text in asked)


def test_a_real_prompt_with_a_made_answer_is_mixed(tmp_path: Path) -> None:
    """Where the template is the seed's own prompt, the record is mixed and only its response is made."""
    write = prompt.writer(material(tmp_path, "{{ item.prompt }}", seeds="s.jsonl"))
    draft = made(write(brief(SEEDS[1])), "A")
    assert ("mixed", ("response",), ("s1",)) == (draft.origin, draft.synthetic_fields, draft.parents)


def test_members_of_the_value_become_the_record(tmp_path: Path) -> None:
    """prompt and response of a JSON answer are the record's, other members fields; the schema goes with the call."""
    write = prompt.writer(material(tmp_path, "Make one.", SCHEMA))
    value = {"prompt": " 1+1? ", "response": "2", "level": 3}
    calls, draft = drive(write(brief()), Answer("", value=value))
    assert SCHEMA == calls[0].schema
    assert ("1+1?", "2", {"level": 3}, None) == (draft.prompt, draft.response, draft.fields, draft.messages)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, ("Make one.", '{"a":1}', {"a": 1})),
        ({"response": {"b": [2]}}, ("Make one.", '{"b":[2]}', {})),
        ([1, 2], ("Make one.", "[1,2]", {})),
    ],
)
def test_a_value_without_prompt_or_response(tmp_path: Path, value: Any, expected: Any) -> None:
    """The rendered prompt stays the prompt; a value that is no text is kept as JSON."""
    draft = made(prompt.writer(material(tmp_path, "Make one.", {}))(brief()), Answer("", value=value))
    assert expected == (draft.prompt, draft.response, draft.fields)


def test_no_record(tmp_path: Path) -> None:
    """Empty answers and answers without a value are rejected by name."""
    assert "empty-answer" == reason(prompt.writer(material(tmp_path, "Hi"))(brief()), " \n")
    write = prompt.writer(material(tmp_path, "Hi", SCHEMA))
    assert "empty-answer" == reason(write(brief()), Answer("x", value={"prompt": "a", "response": " "}))
    assert "not-json" == reason(write(brief()), "plain words")


@pytest.mark.parametrize(
    ("template", "entry", "words"),
    [
        ("Hi", {"template": None}, "template: FILE"),
        ("Hi", {"model": None}, "model: NAME"),
        ("Hi", {"template": "absent.j2"}, "absent.j2"),
        ("{{ item.text }}", {}, "seeds: FILE"),
        ("{{ persona }}", {}, "personas: FILE"),
        ("{{ shots }}", {}, "shots: 3"),
        ("Hi", {"shots": 7}, "needs 7 seeds"),
        ("Hi", {"shots": 6, "seeds": "s.jsonl"}, "needs 7 seeds"),
        ("{{ cel.topic }}", {}, "Did you mean 'cell'"),
        ("Hi", {"schema": {"type": "nonsense"}}, "JSON Schema"),
        ("Hi", {"schema": b"{"}, "JSON Schema"),
        ("Hi", {"schema": [1]}, "JSON Schema"),
        ("Hi", {"schema": True}, "JSON Schema"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(tmp_path: Path, template: str, entry: Any, words: str) -> None:
    """What is missing is named with its remedy before anything is asked."""
    with pytest.raises(HoldfastError, match=words):
        prompt.writer(material(tmp_path, template, **entry))


def test_a_cell_without_the_name_stops(tmp_path: Path) -> None:
    """A member that a cell lacks is the template's mistake and no record's fate."""
    write = prompt.writer(material(tmp_path, "{{ cell.topic }}"))
    with pytest.raises(UsageError, match="topic"):
        drive(write(brief()), "A")


def test_items() -> None:
    """Documents before seeds before nothing."""
    entries = [{"documents": "d", "seeds": "s"}, {"seeds": "s"}, {}]
    given = [prompt.items(GeneratorSettings.model_validate({"use": "prompt", **entry})) for entry in entries]
    assert ["documents", "seeds", None] == given
