"""Back-translation: real text through another language and back, by rules or by models."""

from shutil import which
from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.record import Message, Record
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import back_translation
from holdfast.generators.writing import Material
from tests.generators.driving import REAL, brief, drive, last, made, real, reason

SEED = real("s1", "What did they do?", "The workers began to repair 2 old bridges before the winter came.")
BACK = "The labourers started to mend 2 ancient bridges before winter arrived."


def writer(**entry: Any) -> Any:
    settings = {"use": "back_translation", "model": "m", "languages": ["en", "es", "ca"], **entry}
    return back_translation.writer(Material(GeneratorSettings.model_validate(settings), seeds=[SEED]))


def test_two_calls() -> None:
    """A model translates there, `against` back; the seed keeps its prompt and is mixed with a made response."""
    calls, draft = drive(writer(against="b")(brief(SEED)), "Los obreros ...", f"-----\n{BACK}\n-----")
    assert ["", "b"] == [call.model for call in calls]
    through = draft.fields["through"]
    name = back_translation.NAMES[through]
    assert f"from English to {name}." in last(calls[0])
    assert f"from {name} to English." in last(calls[1])
    assert SEED.response in last(calls[0])
    assert "Los obreros ..." in last(calls[1])
    assert (SEED.prompt, BACK, "mixed", ("response",), ("s1",)) == (
        draft.prompt, draft.response, draft.origin, draft.synthetic_fields, draft.parents,
    )  # fmt: skip
    assert ("Los obreros ...", "m") == (draft.fields["translation"], draft.fields["translator"])


def test_the_language_between_is_drawn() -> None:
    """The same randomness goes through the same language; all are used."""
    through = [made(writer()(brief(SEED, seed)), "x", BACK).fields["through"] for seed in [*range(20), *range(20)]]
    assert through[:20] == through[20:]
    assert {"es", "ca"} == set(through)


def test_turns_are_kept() -> None:
    """In a conversation the last answer is replaced, in its messages too."""
    turns = (Message("user", "Hi"), Message("assistant", SEED.response), Message("user", "Bye"))
    draft = made(writer()(brief(Record("s2", "Hi", SEED.response, REAL, messages=turns))), "x", BACK)
    assert (turns[0], Message("assistant", BACK), turns[2]) == draft.messages


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        (" ...", [], "no-text"),
        ("Run it:\n```\nls\n```", [], "holds-code"),
        (SEED.response, [""], "empty-answer"),
        (SEED.response, ["x", SEED.response.upper()], "unchanged"),
        (SEED.response, ["x", BACK.replace("2", "3")], "numbers-changed"),
        (SEED.response, ["x", BACK.replace("2", "two")], "numbers-changed"),
        (SEED.response, ["x", "They mended 2."], "length-changed"),
        (SEED.response, ["x", f"{BACK} {'And so on. ' * 9}"], "length-changed"),
    ],
)
def test_refused(text: str, answers: list[str], expected: str) -> None:
    """Nothing to translate, code, and what is no paraphrase."""
    assert expected == reason(writer()(brief(real("s", "", text))), *answers)


def test_separators_of_numbers_may_differ() -> None:
    """1,250.5 and 1.250,5 are the same number in two languages."""
    seed = real("s", "", "It cost 1,250.5 crowns then.")
    assert made(writer()(brief(seed)), "x", "Back then it cost 1.250,5 crowns.")


@pytest.mark.skipif(which("apertium") is None, reason="apertium and its English-Spanish package are not installed")
def test_apertium() -> None:
    """Without a model Apertium translates, asks nothing, and gives the same text each time."""
    write = writer(model=None, languages=["en", "es"])
    seed = real("s2", "", "The tired workers started to repair the 3 broken bridges before the winter.")
    calls, draft = drive(write(brief(seed)))
    assert [] == calls
    assert "apertium" == draft.fields["translator"]
    assert "puentes" in draft.fields["translation"]
    assert "bridges" in draft.response
    assert draft.response == made(write(brief(seed, 2))).response
    assert "unchanged" == reason(write(brief(SEED)))
    assert "too-long" == reason(write(brief(real("s", "", "word " * 1_000))))


@pytest.mark.skipif(which("apertium") is None, reason="apertium is not installed")
def test_a_pair_that_apertium_lacks_is_refused_at_once() -> None:
    """Both directions of every language must be there before a record is made."""
    with pytest.raises(UsageError, match="no pair"):
        writer(model=None, languages=["en", "es", "xx"])


@pytest.mark.parametrize("languages", [[], ["en"], ["en", "en"], ["en", "spanish"], ["eng->spa"]])
def test_settings(languages: list[str]) -> None:
    """Two different languages by ISO code are needed, and seeds."""
    with pytest.raises(UsageError, match="languages:"):
        writer(languages=languages)
    with pytest.raises(UsageError, match="needs 1 seeds"):
        back_translation.writer(Material(GeneratorSettings(use="back_translation", languages=("en", "es"))))
    assert "seeds" == back_translation.items(GeneratorSettings(use="back_translation"))
