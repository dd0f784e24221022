"""Tells: each kind is found, and what people write is left."""

import gzip
import json

import pyarrow as pa
import pytest

from holdfast.metrics.tells import other_language, tells

LONG = " ".join(["word"] * 45)


def kinds(prompt, response):
    """The kinds of tells of one record."""
    columns = {"prompt": pa.chunked_array([[prompt]]), "response": pa.chunked_array([[response]])}
    return tells(pa.table(columns)).column("kind").to_pylist()


@pytest.mark.parametrize(
    ("kind", "prompt", "response"),
    [
        ("refusal", "How?", "I'm sorry, but I can't help with that request."),
        ("refusal", "How?", "As an AI language model, I have no taste. But many like tea."),
        ("refusal", "", "My knowledge cutoff is 2021."),
        ("prompt-leak", "", "You are a helpful assistant. Sure: 4."),
        ("prompt-leak", "How?", "### Response: it works."),
        ("template-residue", "", "Dear {{ name }}, hello."),
        ("template-residue", "", "Call [INSERT NUMBER] now."),
        ("cut-off", "Tell me.", f"{LONG} and then the"),
        ("cut-off", "Tell me.", f"{LONG}, one,"),
        ("broken-fence", "Code?", "```python\nprint(1)\n"),
        ("damaged-encoding", "", "It\u00e2\u20ac\u2122s fine"),
        ("damaged-encoding", "", "caf\u00c3\u00a9"),
        ("damaged-encoding", "", "a \ufffd b"),
    ],
)
def test_a_tell_is_found(kind, prompt, response):
    """Each kind is named."""
    assert [kind] == kinds(prompt, response)


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("", f"{LONG} and then the"),
        ("Name one.", "Of the"),
        ("Code?", "```\nx\n```"),
        ("What does 'as an AI language model' mean?", "It says: as an AI language model, I ..."),
        ("", "S\u00e3o Paulo, \u00c2ngela and caf\u00e9 \u2019tis"),
        ("", "The assistant: a history of help."),
        ("", "I am sorry for your loss, said she; I cannot stay."),
    ],
)
def test_what_people_write_is_left(prompt, response):
    """Plain text that was cut by whoever stored it, quotes, and accents are no tells."""
    assert [] == kinds(prompt, response)


@pytest.mark.parametrize("name", ["gutenberg", "movie_reviews", "state_union", "wiki_abstracts"])
def test_real_text_has_no_tells(shared_data, name):
    """On 7,687 documents that no model wrote not one is named."""
    with gzip.open(shared_data / "text" / f"{name}.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    columns = {"prompt": pa.chunked_array([[""] * len(texts)]), "response": pa.chunked_array([texts])}
    assert [] == tells(pa.table(columns)).to_pylist()


def test_an_answer_in_another_language_is_found():
    """An English question with a French answer is; an English one is not, and short ones are not judged."""
    pytest.importorskip("py3langid")
    asked = (
        "Please tell me how the weather is going to be in the mountains during the next three days, and what I should "
    )
    asked += "pack for a walk with two small children."
    said = "Il fera beau demain matin dans toutes les montagnes, puis des orages arriveront dans la soir\u00e9e "
    said += "et il faudra emporter des v\u00eatements chauds pour les enfants."
    assert "asked in en, answered in fr" == other_language(asked, said)
    assert [None, None] == [other_language(asked, asked), other_language("Hi", "Bonjour")]
