"""Token edits: how much is changed, and what never is."""

import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import edit
from holdfast.generators.bigrams import TOKEN
from holdfast.generators.writing import Material
from tests.generators.driving import brief, made, real, reason

SENTENCES = [
    "the old cat sat on the warm roof and slept.",
    "the old dog sat on the wet grass and barked.",
    "the young cat ran to the warm house and slept.",
    "Anna paid 12 dollars for two books, so the rest was $30.",
    "a cat sat in the house and the dog ran to the grass.",
]
SEEDS = [real(f"s{at}", "Tell me.", text) for at, text in enumerate(SENTENCES)]
PRIOR = edit.Prior(SENTENCES)
PIECES = 'the old cat sat on warm and slept dog Anna 12 3.5 $30 two not `x` "the cat sat" ``` <<1*2=2>> . \n'
WORDS = st.sampled_from(PIECES.split(" "))
TEXT = st.lists(WORDS, max_size=60).map(" ".join)


@given(TEXT, st.floats(0, 1), st.integers(0, 9))
def test_what_is_bounded_and_what_stays(text: str, share: float, seed: int) -> None:
    """At most the share is changed, tokens keep their number and order, and whatever is not a plain word stays."""
    edited, changed, total = edit.edit(text, PRIOR, share, Random(seed))
    before, after = TOKEN.findall(text), TOKEN.findall(edited)
    assert len(before) == len(after)
    differ = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == len(differ) <= share * total
    assert all(re.fullmatch(r"[a-z]+", each) and each not in edit.KEPT for pair in differ for each in pair)
    assert re.findall(r"\s+|\d+|[A-Z]\w*", text) == re.findall(r"\s+|\d+|[A-Z]\w*", edited)
    assert (edited, changed, total) == edit.edit(text, PRIOR, share, Random(seed))


@pytest.mark.parametrize(
    "text",
    [
        "```\nthe old cat sat on the warm roof\n```", "~~~python\nthe old cat\n~~~", "`the old cat sat`",
        '"the old cat sat on the warm roof"', "“the old cat sat”", "$the cat sat$", "<<the old cat sat>>",
        "\\(the old cat\\)", "#### the old cat", "<b the old cat>", "the@old.cat", "    the old cat sat on the roof",
        "```\nthe old cat sat, with no end",
    ],
)  # fmt: skip
def test_what_is_copied_stays(text: str) -> None:
    """Code, quotations, formulas, computed steps, links and final answers are the same for every draw."""
    assert {text} == {edit.edit(text, PRIOR, 1.0, Random(seed))[0] for seed in range(40)}


def test_easy_words_are_drawn_from_the_seeds() -> None:
    """Every new word stood after the word before it in some seed, and words do change."""
    pairs = {pair for text in SENTENCES for pair in zip(TOKEN.findall(text), TOKEN.findall(text)[1:], strict=False)}
    seen = set()
    for seed in range(60):
        text, _, _ = edit.edit(SENTENCES[0], PRIOR, 0.3, Random(seed))
        tokens = TOKEN.findall(text)
        for place, (old, new) in enumerate(zip(TOKEN.findall(SENTENCES[0]), tokens, strict=True)):
            assert old == new or (tokens[place - 1], new) in pairs
        seen.add(text)
    assert 5 < len(seen)


def test_hard_words_stay() -> None:
    """Words that the model does not expect after the word before are not edited."""
    text = "grass slept old roof barked young"
    assert {text} == {edit.edit(text, PRIOR, 1.0, Random(seed))[0] for seed in range(40)}


def writer(**entry: Any) -> Any:
    return edit.writer(Material(GeneratorSettings.model_validate({"use": "edit", **entry}), seeds=SEEDS))


def test_a_record() -> None:
    """The response is edited, the prompt kept, and the record is mixed with the share that changed."""
    draft = made(writer(edited=0.3)(brief(SEEDS[0], 3)))
    assert ("Tell me.", "mixed", ("response",), ("s0",)) == (
        draft.prompt, draft.origin, draft.synthetic_fields, draft.parents,
    )  # fmt: skip
    differ = sum(old != new for old, new in zip(SENTENCES[0].split(), draft.response.split(), strict=True))
    assert differ
    assert round(differ / 10, 4) == draft.fields["edited"]
    assert draft == made(writer(edited=0.3)(brief(SEEDS[0], 3)))


def test_refused() -> None:
    """A text in which nothing can change is no record."""
    assert "unchanged" == reason(writer()(brief(real("x", "", "Anna paid 12."))))
    assert "unchanged" == reason(writer()(brief(real("x", "", ""))))


def test_settings() -> None:
    """Seeds and a share above 0 are needed."""
    with pytest.raises(UsageError, match="edited"):
        writer(edited=0)
    with pytest.raises(UsageError, match="needs 1 seeds"):
        edit.writer(Material(GeneratorSettings(use="edit")))
    assert "seeds" == edit.items(GeneratorSettings(use="edit"))
