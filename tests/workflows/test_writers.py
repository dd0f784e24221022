"""Writers as sources: what a record is made of decides its call, and its end says who made it from what."""

import json

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings
from holdfast.generators.writing import Draft
from holdfast.models.chat import Answer, NoRecord
from holdfast.models.dispatch import Held
from holdfast.models.line import Line
from holdfast.workflows.generate import generate
from holdfast.workflows.materials import Materials
from holdfast.workflows.writers import MOST_TOKENS, written
from tests.workflows.asking import echo, ledger, rows, settings

OWN = "tests.workflows.own_writers:twice"


def writer(folder, entry=None, documents=5, **values):
    """A writer over documents, or of another entry, in a folder of its own."""
    (folder / "ask.j2").write_text("Summarise: {{ item.text }}")
    path = folder / "documents.jsonl"
    if not path.exists():
        path.write_text("".join(json.dumps({"text": f"Document number {n}."}) + "\n" for n in range(documents)))
    model = {"base_url": "http://localhost:9/v1", "model": "org/echo-1", "family": "echo"}
    named = {"use": "prompt", "model": "m", "template": "ask.j2", "documents": "documents.jsonl", **(entry or {})}
    found = Settings.model_validate(
        {"models": {"m": model}, "generators": [{k: v for k, v in named.items() if v is not None}], **values},
        context={"folder": folder},
    )
    return written(found.generators[0], found, Materials(found))


def calls(source, cell=None, count=None):
    """The first call of each record, as it would go out."""
    numbers = source.left(0, count or 100)
    return [next(source.job(cell or {}, number).begin()) for number in numbers]


def keys(source, **more):
    """What the ledger would know the calls by."""
    line = Line(source.settings.models["m"], None, None)
    return [line.key(call) for call in calls(source, **more)]


def test_one_changed_document_changes_one_call(tmp_path):
    """Of five documents one is edited: four calls keep their key, decoding and all; one more adds one."""
    drawn = {"decoding": {"temperature": [0.2, 1.2]}}
    before = keys(writer(tmp_path, drawn))
    path = tmp_path / "documents.jsonl"
    path.write_text(path.read_text().replace("number 2.", "number two."))
    changed = keys(writer(tmp_path, drawn))
    assert [True, True, False, True, True] == [old == new for old, new in zip(before, changed, strict=True)]
    path.write_text(json.dumps({"text": "A new one at the head."}) + "\n" + path.read_text())
    grown = keys(writer(tmp_path, drawn))
    assert (6, changed) == (len(grown), grown[1:])
    assert 7 == len({*before, *grown})


def test_each_pass_and_cell_is_a_sample_of_its_own(tmp_path):
    """A document used again, or for another cell, is asked about anew; the same start over gives the same calls."""
    twice = writer(tmp_path, {"passes": 2})
    assert range(10) == twice.left(0, 100)
    assert range(8, 10) == twice.left(8, 100)
    both = keys(twice) + keys(twice, cell={"tone": "plain"})
    assert (20, both[:10]) == (len(set(both)), keys(writer(tmp_path, {"passes": 2})))


def test_decoding_is_drawn_for_each_record(tmp_path):
    """Ranges are drawn anew, seeds are 31-bit and differ, what is no range stays; another seed draws others."""
    entry = {"decoding": {"temperature": [0.2, 1.2], "top_p": 0.9, "stop": ["\n", "END", "."]}}
    made = [call.decoding for call in calls(writer(tmp_path, entry))]
    assert 5 == len({each["temperature"] for each in made}) == len({each["seed"] for each in made})
    assert all(0.2 <= each["temperature"] <= 1.2 and 0 <= each["seed"] < 2**31 for each in made)
    assert {(0.9, ("\n", "END", "."))} == {(each["top_p"], tuple(each["stop"])) for each in made}
    other = [call.decoding for call in calls(writer(tmp_path, entry, seed=8))]
    assert not {each["seed"] for each in made} & {each["seed"] for each in other}


def test_null_leaves_a_parameter_out(tmp_path):
    """seed: null sends none, for endpoints that refuse it; a seed of one's own is sent as it stands."""
    assert [{"temperature": 0.5}] * 5 == [
        call.decoding for call in calls(writer(tmp_path, {"decoding": {"seed": None, "temperature": 0.5}}))
    ]
    assert {4} == {call.decoding["seed"] for call in calls(writer(tmp_path, {"decoding": {"seed": 4}}))}


def test_under_a_budget_every_call_has_an_end(tmp_path):
    """With budget.cost a call without a limit of tokens gets one; one that the settings give stands."""
    limited = {"decoding": {"max_completion_tokens": 70}}
    found = [writer(tmp_path), writer(tmp_path, budget={"cost": 1.0}), writer(tmp_path, limited, budget={"cost": 1.0})]
    sent = [calls(each)[0].decoding for each in found]
    limits = [(each.get("max_tokens"), each.get("max_completion_tokens")) for each in sent]
    assert [(None, None), (MOST_TOKENS, None), (None, 70)] == limits


def held(served):
    """A conversation that ended well, answered by a model of that name."""
    return Held(Draft("Ask.", "Say."), (("m", Answer("Say.", served=served)),))


@pytest.mark.parametrize(
    ("served", "generator", "family", "revision"),
    [
        ("org/echo-1", "org/echo-1", "echo", None),
        ("", "org/echo-1", "echo", None),
        ("echo-1", "org/echo-1", "echo", "echo-1"),
        ("echo-1-2024-08-06", "org/echo-1", "echo", "echo-1-2024-08-06"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B", "qwen", "asked for org/echo-1"),
    ],
)
def test_a_record_names_who_answered(tmp_path, served, generator, family, revision):
    """A dated name of the model is its revision; quite another model is named as the generator, with its own family."""
    origin = writer(tmp_path).record({}, 1, held(served)).provenance
    assert (generator, family, revision) == (origin.generator, origin.family, origin.revision)


def test_a_record_says_what_it_is_made_of(tmp_path):
    """Cell, seed, decoding without it, depth and parents: enough to ask for the same again."""
    source = writer(tmp_path, {"decoding": {"temperature": [0.2, 1.2]}, "name": "mine"})
    record = source.record({"tone": "plain"}, 3, held("org/echo-1"))
    sent = dict(calls(source, cell={"tone": "plain"})[3].decoding)
    assert "mine-plain-000003" == record.id
    origin = record.provenance
    assert (sent.pop("seed"), sent, {"tone": "plain"}) == (origin.seed, origin.decoding, origin.cell)
    assert (1, "synthetic") == (origin.depth, origin.origin)


def test_the_remains_of_a_conversation_show_what_was_asked(tmp_path):
    """Without a draft, the record shows the last prompt and the last answer, to be looked at."""
    source = writer(tmp_path)
    (first, *_) = calls(source)
    ended = Held(NoRecord("rejected", "refusal"), (("m", Answer("I cannot.")),), first)
    record = source.record({}, 0, ended)
    assert ("Summarise: Document number 0.", "I cannot.") == (record.prompt, record.response)
    nothing = source.record({}, 0, Held(NoRecord("failed", "timeout"), (), None))
    assert ("", "") == (nothing.prompt, nothing.response)


def test_a_user_s_own_function_is_a_conversation(tmp_path):
    """module:function with a model asks as often as it likes, refuses what it likes, and is paid for call by call."""
    entry = {"use": OWN, "template": None, "documents": None, "name": "own"}
    cells = {"grid": {"topic": ["owls"]}, "quota": 6}
    with echo(tmp_path) as between:
        manifest = generate(settings(tmp_path, between.base_url, generator=entry, cells=cells), tmp_path / "out")
        assert len(between.log()) == ledger(tmp_path / "out", "SELECT count(*) FROM sends")[0][0]
    kept, rejected = rows(tmp_path / "out", "kept"), rows(tmp_path / "out", "rejected")
    assert 6 == len(kept) == manifest.counts.kept
    assert {"unwanted"} == {row["holdfast_reason"] for row in rejected}
    bodies = [json.loads(body) for (body,) in ledger(tmp_path / "out", "SELECT body FROM calls ORDER BY id")]
    asked = [body["messages"][-1]["content"] for body in bodies]
    assert "A question about owls." in asked
    assert {f"Answer this: {row['prompt']}" for row in kept} <= set(asked)
    second = next(body for body in bodies if body["messages"][-1]["content"].startswith("Answer"))
    assert (0.0, True) == (second["temperature"], "seed" in second)
    assert {"echo-1"} == {row["holdfast"]["generator"] for row in kept}


def test_a_mistake_of_a_user_s_own_is_told_before_any_call(tmp_path):
    """A function that is not there, and a model that a conversation makes up, are clear messages."""
    with pytest.raises(UsageError, match="cannot be loaded"):
        writer(tmp_path, {"use": "tests.workflows.own_writers:thrice", "template": None})
    entry = {"use": "tests.workflows.own_writers:elsewhere", "template": None, "documents": None}
    with echo(tmp_path) as between, pytest.raises(UsageError, match="calls model 'other', which is not there"):
        generate(settings(tmp_path, between.base_url, generator=entry), tmp_path / "out")


def test_reasoning_is_kept_apart(tmp_path):
    """What a model thinks before it answers is in no prompt or response; the conversation may keep it as a field."""
    talk = writer(tmp_path, {"use": OWN, "template": None, "documents": None}).job({}, 0).begin()
    next(talk)
    asked = talk.send(Answer("Why?", reasoning="hmm, what to ask"))
    assert "Answer this: Why?" == asked.messages[-1].content
    with pytest.raises(StopIteration) as done:
        talk.send(Answer("Because.", reasoning="they want a reason"))
    draft = done.value.value
    assert ("Why?", "Because.", "they want a reason") == (draft.prompt, draft.response, draft.fields["thought"])
