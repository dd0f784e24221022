"""Questions about documents: every quote stands in the source, at the place that the record says."""

from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import grounded
from holdfast.generators.writing import Brief, Draft, Material
from holdfast.models.chat import Answer
from tests.generators.driving import MADE, brief, drive, last, made, real, reason

TEXT = "The mill was built in 1791. It ground rye for\nfour villages.\n\nIn 1860 the “new” wheel came."
DOCUMENT = real("d1", "", TEXT)
LONG = real("d2", "", "\n\n".join(f"Part {at} tells of {at * 7} bees, and of the {at} hives." for at in range(400)))


def writer(**entry: Any) -> Any:
    settings = GeneratorSettings.model_validate({"use": "grounded", "model": "m", **entry})
    return grounded.writer(Material(settings, documents=[DOCUMENT]))


def said(quotes: Any, question: Any = "When was it built?", answer: Any = "In 1791.") -> Answer:
    return Answer("", value={"question": question, "answer": answer, "quotes": quotes})


def test_a_question_with_its_passage() -> None:
    """The passage is shown and stands in the prompt; the quotes are fields with their places in the document."""
    answer = said(['the "new"  wheel came', "It ground rye for four"])
    calls, draft = drive(writer()(brief(DOCUMENT, topic="dates")), answer)
    assert TEXT in last(calls[0])
    assert "topic: dates" in last(calls[0])
    assert grounded.SCHEMA == calls[0].schema
    assert (f"{TEXT}\n\nWhen was it built?", "In 1791.", ("d1",)) == (draft.prompt, draft.response, draft.parents)
    assert ["the “new” wheel came", "It ground rye for\nfour"] == [quote["text"] for quote in draft.fields["quotes"]]
    assert all(TEXT[each["start"] : each["end"]] == each["text"] for each in draft.fields["quotes"])
    assert ("d1", [0, len(TEXT)], "When was it built?") == tuple(
        draft.fields[name] for name in ("document", "passage", "question")
    )
    assert ("mixed", ("prompt", "response")) == (draft.origin, draft.synthetic_fields)


def test_a_made_document_gives_made_records() -> None:
    """Where the document is synthetic, nothing of the record is called real."""
    document = type(DOCUMENT)("d", "", TEXT, MADE)
    draft = made(writer()(brief(document)), said(["The mill was built"]))
    assert ("synthetic", ()) == (draft.origin, draft.synthetic_fields)


def test_long_documents_are_asked_about_in_passages() -> None:
    """Passages are drawn; the same randomness gives the same one; places count from the start of the document."""
    seen = []
    for seed in [*range(12), *range(12)]:
        conversation = writer()(Brief({}, 0, Random(seed), LONG))
        passage = last(next(conversation)).split("-----")[1].strip()
        quote = passage.splitlines()[2]
        with pytest.raises(StopIteration) as end:
            conversation.send(said([quote]))
        draft: Draft = end.value.value
        place = draft.fields["quotes"][0]
        assert quote == LONG.text[place["start"] : place["end"]]
        assert passage == LONG.text[slice(*draft.fields["passage"])].strip()
        assert len(passage) <= grounded.LONGEST_PASSAGE
        seen.append(tuple(draft.fields["passage"]))
    assert seen[:12] == seen[12:]
    assert 3 < len(set(seen))


@given(st.lists(st.text(st.sampled_from('The mil 179.\nrye“"x'), max_size=20), max_size=4))
def test_a_record_has_no_quote_that_its_document_has_not(quotes: list[str]) -> None:
    """Whatever a model quotes, what reaches a record stands in the document at its place."""
    end = drive(writer()(brief(DOCUMENT)), said(quotes))[1]
    if isinstance(end, Draft):
        assert end.fields["quotes"]
        assert all(TEXT[each["start"] : each["end"]] == each["text"] for each in end.fields["quotes"])
    else:
        assert end.reason in ("no-quote", "quote-not-in-source", "quote-too-short")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("no JSON"), "not-json"),
        (said("The mill was built"), "not-as-asked"),
        (said(["The mill was built"], question=3), "not-as-asked"),
        (said(["The mill was built"], question=" "), "empty-answer"),
        (said(["The mill was built"], answer=""), "empty-answer"),
        (said([]), "no-quote"),
        (said(["", 7]), "no-quote"),
        (said(["The mill"]), "quote-too-short"),
        (said(["The mill was built", "In 1860 the old wheel came."]), "quote-not-in-source"),
        (said(["the mill was built"]), "quote-not-in-source"),
    ],
)
def test_refused(answer: Answer, expected: str) -> None:
    """Answers of another shape, without a question, an answer or quotes, and quotes that are not there."""
    assert expected == reason(writer()(brief(DOCUMENT)), answer)


def test_the_schema_and_its_words_agree() -> None:
    """The schema is a schema, and takes what the request shows."""
    jsonschema.Draft202012Validator.check_schema(grounded.SCHEMA)
    jsonschema.validate(said(["a b c"]).value, grounded.SCHEMA)


def test_settings() -> None:
    """A model and documents are needed; an empty document is no record's fault."""
    with pytest.raises(UsageError, match="model"):
        writer(model=None)
    with pytest.raises(UsageError, match="documents"):
        grounded.writer(Material(GeneratorSettings(use="grounded", model="m")))
    assert "empty-document" == reason(writer()(brief(real("d3"))))
    assert "documents" == grounded.items(GeneratorSettings(use="grounded"))
