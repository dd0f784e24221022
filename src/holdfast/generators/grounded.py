"""Questions about your documents, with answers that rest on quotes; every quote must stand in the document.

A passage is shown, and a question, its answer and the words that support it are asked for. Answers with verbatim
support are those of Menick et al. 2022 ("Teaching language models to support answers with verified quotes",
arXiv:2203.11147); that a quote exists is checked here, that it supports the answer is not.
"""

from collections.abc import Sequence
from typing import Any, Literal

from holdfast.core.record import Record
from holdfast.core.settings import GeneratorSettings
from holdfast.core.text import words
from holdfast.generators.quoting import Passage, locate, passages
from holdfast.generators.writing import Brief, Draft, Material, Write, aim, item_of, need_documents, need_model, user
from holdfast.models.chat import Answer, Conversation, NoRecord

# About 1,000 tokens: enough for a question that needs more than a sentence, little enough for a small model.
LONGEST_PASSAGE = 4_000
# One or two words stand in many places and support nothing.
FEWEST_WORDS = 3
_TEXT = {"type": "string", "minLength": 1}
SCHEMA = {
    "type": "object",
    "properties": {
        "question": _TEXT,
        "answer": _TEXT,
        "quotes": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 8},
    },
    "required": ["question", "answer", "quotes"],
    "additionalProperties": False,
}

ASK = """Here is a passage, between lines of dashes.

-----
{passage}
-----

Write a question that a reader could ask and that the passage answers, and answer it from the passage alone.{aim}
Give the sentences or parts of sentences that the answer rests on as quotes, copied from the passage letter by letter, \
each of at least three words.
Answer with JSON: {{"question": "...", "answer": "...", "quotes": ["..."]}}"""
PROMPT = "{passage}\n\n{question}"


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return "documents": each record asks about one."""
    return "documents"


def writer(material: Material) -> Write:
    """Return the writer. Raises `UsageError` without a model or documents."""
    need_model(material.entry)
    need_documents(material)

    def write(brief: Brief) -> Conversation[Draft]:
        document = item_of(brief, "grounded")
        cut = passages(document.text, LONGEST_PASSAGE)
        if not cut:
            raise NoRecord("rejected", "empty-document", document.id)
        passage = brief.random.choice(cut)
        text = ASK.format(passage=passage.text.strip(), aim=aim(brief.cell))
        answer = yield user(text, schema=SCHEMA)
        question, response, quotes = _parts(answer)
        return _draft(document, passage, (question, response), _located(quotes, passage))

    return write


def _parts(answer: Answer) -> tuple[str, str, list[str]]:
    """Return question, answer and quotes. Raises `NoRecord` for an answer of another shape or without them."""
    value = answer.value
    if not isinstance(value, dict):
        raise NoRecord("rejected", "not-json")
    question, response, quotes = (value.get(name) for name in ("question", "answer", "quotes"))
    if not isinstance(question, str) or not isinstance(response, str) or not isinstance(quotes, list):
        raise NoRecord("rejected", "not-as-asked")
    if not question.strip() or not response.strip():
        raise NoRecord("rejected", "empty-answer")
    texts = [quote for quote in quotes if isinstance(quote, str) and quote.strip()]
    if not texts:
        raise NoRecord("rejected", "no-quote")
    return question.strip(), response.strip(), texts


def _located(quotes: Sequence[str], passage: Passage) -> list[dict[str, Any]]:
    """Return the quotes as the document has them, with their places. Raises `NoRecord` for one that it has not."""
    found = []
    for quote in quotes:
        if len(words(quote)) < FEWEST_WORDS:
            raise NoRecord("rejected", "quote-too-short", quote[:80])
        place = locate(quote, passage.text)
        if place is None:
            raise NoRecord("rejected", "quote-not-in-source", quote[:80])
        start, end = place
        found.append({"text": passage.text[start:end], "start": passage.start + start, "end": passage.start + end})
    return found


def _draft(document: Record, passage: Passage, made: tuple[str, str], quotes: list[dict[str, Any]]) -> Draft:
    """Return the record: the passage and the question, and the answer.

    The passage is real where the document is; that prompt and response hold made text is said of both, so that by
    tokens the passage is counted as made, never the other way round.
    """
    question, response = made
    fields = {"question": question, "quotes": quotes, "document": document.id, "passage": [passage.start, passage.end]}
    real = document.provenance.origin in ("real", "mixed")
    return Draft(
        PROMPT.format(passage=passage.text.strip(), question=question),
        response,
        fields=fields,
        origin="mixed" if real else "synthetic",
        synthetic_fields=("prompt", "response") if real else (),
        parents=(document.id,),
    )
